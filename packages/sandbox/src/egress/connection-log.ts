import type { Target } from "./target.ts";

/** How a connection ended. `cut`: by the end of the run, or because it turned out not to be what was asked for. */
export type ConnectionOutcome = "completed" | "refused" | "failed" | "cut";

/** One connection of a run, or one plain HTTP request, which has a connection of its own. */
export interface NetworkConnection {
  readonly host: string;
  readonly port: number;
  /** The address that was connected to. */
  readonly address: string | null;
  /** Unix time, milliseconds. */
  readonly at: number;
  readonly ms: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly outcome: ConnectionOutcome;
  /** Why it did not complete. */
  readonly reason: string | null;
}

/** What a run did with its network. Bytes are those of its connections to the gateway and to the outside, with what those that go on have carried so far. */
export interface NetworkUsage {
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** All of them, refused ones and those that go on included. */
  readonly connections: number;
  /** Those that go on. */
  readonly open: number;
  readonly refused: number;
  /** The first ones, in the order in which they ended. */
  readonly log: readonly NetworkConnection[];
}

/** What a connection has carried so far. */
export type CarriedBytes = Pick<NetworkConnection, "sentBytes" | "receivedBytes">;

const loggedConnections = 500;

/** Counts and keeps what a run's connections did. */
export class ConnectionLog {
  readonly #log: NetworkConnection[] = [];
  #sentBytes = 0;
  #receivedBytes = 0;
  #connections = 0;
  #refused = 0;

  add(connection: NetworkConnection): void {
    this.#connections += 1;
    this.#sentBytes += connection.sentBytes;
    this.#receivedBytes += connection.receivedBytes;
    if (connection.outcome === "refused") this.#refused += 1;
    if (this.#log.length < loggedConnections) this.#log.push(connection);
  }

  refuse(target: Target, reason: string): void {
    this.add({ ...target, address: null, at: Date.now(), ms: 0, sentBytes: 0, receivedBytes: 0, outcome: "refused", reason });
  }

  /** `open`: the connections that go on. */
  usage(open: Iterable<CarriedBytes>): NetworkUsage {
    const usage = { sentBytes: this.#sentBytes, receivedBytes: this.#receivedBytes, connections: this.#connections, open: 0 };
    for (const { sentBytes, receivedBytes } of open) {
      usage.sentBytes += sentBytes;
      usage.receivedBytes += receivedBytes;
      usage.connections += 1;
      usage.open += 1;
    }
    return { ...usage, refused: this.#refused, log: [...this.#log] };
  }
}
