import type { Socket } from "node:net";
import type { CarriedBytes, ConnectionLog, ConnectionOutcome } from "./connection-log.ts";

/** What the model gateway is called in the list of a run's connections. */
const gatewayTarget = { host: "gateway", port: 80, address: null };

/** A connection of the program to the model gateway, which is counted and logged as those to the outside are. */
export class Inbound {
  readonly #socket: Socket;
  readonly #log: ConnectionLog;
  readonly #open: Set<Inbound>;
  readonly #at = Date.now();
  readonly #began = performance.now();

  /** `open`: where it stands for as long as it goes on. */
  constructor(socket: Socket, log: ConnectionLog, open: Set<Inbound>) {
    [this.#socket, this.#log, this.#open] = [socket, log, open];
    socket.once("close", () => this.end("completed", null));
  }

  get carried(): CarriedBytes {
    return { sentBytes: this.#socket.bytesRead, receivedBytes: this.#socket.bytesWritten };
  }

  /** Cuts the connection. The first end counts. */
  end(outcome: ConnectionOutcome, reason: string | null): void {
    if (!this.#open.delete(this)) return;
    const ms = Math.round(performance.now() - this.#began);
    this.#log.add({ ...gatewayTarget, at: this.#at, ms, ...this.carried, outcome, reason });
    this.#socket.destroy();
  }
}
