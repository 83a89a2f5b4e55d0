import { randomBytes } from "node:crypto";
import type { Server, Socket } from "node:net";
import { relayPort } from "../egress/environment.ts";
import { listenInFolder } from "../listen-in-folder.ts";
import { readExactly, withDeadline } from "../read-bytes.ts";
import { SandboxError } from "../spec.ts";
import { decodeRelayMessage, encodeRelayMessage, messageBytes, RelayKind, type RelayMessage } from "./relay-message.ts";

/** In the folder of a jail or a machine. */
export const relaySocket = "relay.sock";
const greetingMs = 5000;
/** How long a relay may take to answer; one that does not is broken, and its jail with it. */
const answerMs = 5000;
const dialMs = 10_000;

/** A run's network as the host sees it: gone with the run. */
export interface RunRelay {
  /** A connection to a port of the program. Rejects with {@link PortUnreachableError}. */
  connect(port: number): Promise<Socket>;
  /** Cuts everything and resolves when the slot's relay has done so too. Rejects when it does not. */
  close(): Promise<void>;
}

/** Nobody could be reached on a port of a sandbox. */
export class PortUnreachableError extends Error {
  override readonly name = "PortUnreachableError";
}

interface OpenRun {
  readonly slot: number;
  readonly token: string;
  readonly egress: ((socket: Socket) => void) | null;
  readonly sockets: Set<Socket>;
  readonly dials: Map<number, PromiseWithResolvers<Socket>>;
  readonly opened: PromiseWithResolvers<void>;
  readonly closed: PromiseWithResolvers<void>;
  closing: boolean;
}

/**
 * The host's end of the relays of one jail: a unix socket in the jail's folder. Whatever arrives there says first what it is; a connection
 * without the token of a run that is open now is dropped, so nothing of one run reaches the next.
 */
export class RelayServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #controls = new Map<number, Socket>();
  /** By slot. */
  readonly #runs = new Map<number, OpenRun>();
  #dials = 0;

  /** Listens in `folder`, for a jail that runs as the host user `uid` (null: the server's own). */
  constructor(folder: string, uid: number | null) {
    this.#server = listenInFolder(folder, relaySocket, uid, (socket) => this.#adopt(socket), { allowHalfOpen: true });
  }

  /**
   * Opens a slot's network for a run. `egress` gets every connection that the program makes to its proxy; null: it has none.
   *
   * @throws SandboxError `sandbox_failed`
   */
  async openRun(slot: number, egress: ((socket: Socket) => void) | null): Promise<RunRelay> {
    const run: OpenRun = {
      slot,
      token: randomBytes(16).toString("hex"),
      egress,
      sockets: new Set(),
      dials: new Map(),
      opened: Promise.withResolvers(),
      closed: Promise.withResolvers(),
      closing: false,
    };
    run.opened.promise.catch(() => {}); // seen by whoever waits
    run.closed.promise.catch(() => {});
    this.#runs.set(slot, run);
    this.#tellOpen(run);
    try {
      await within(run.opened.promise, answerMs, () => new SandboxError("sandbox_failed", "the sandbox's network did not answer"));
    } catch (error) {
      this.#forget(run);
      throw error;
    }
    return { connect: (port) => this.#connect(run, port), close: () => this.#closeRun(run) };
  }

  /** The jail is gone. */
  close(): void {
    this.#server.close();
    for (const run of this.#runs.values()) this.#forget(run);
    for (const socket of this.#sockets) socket.destroy();
  }

  #adopt(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#sockets.delete(socket));
    void this.#greet(socket).catch(() => socket.destroy());
  }

  async #greet(socket: Socket): Promise<void> {
    const bytes = await withDeadline(socket, greetingMs, readExactly(socket, messageBytes));
    if (bytes === null) return void socket.destroy();
    const { kind, number, token } = decodeRelayMessage(bytes);
    if (kind === RelayKind.control) return await this.#serveControl(number, socket);
    const run = [...this.#runs.values()].find((candidate) => candidate.token === token);
    if (run === undefined) return void socket.destroy();
    run.sockets.add(socket);
    socket.once("close", () => run.sockets.delete(socket));
    if (kind === RelayKind.egress && run.egress !== null) return run.egress(socket);
    const dial = kind === RelayKind.port ? run.dials.get(number) : undefined;
    if (dial === undefined) return void socket.destroy();
    run.dials.delete(number);
    dial.resolve(socket);
  }

  /** Reads what a relay says, until it ends. One slot has one relay at a time. */
  async #serveControl(slot: number, socket: Socket): Promise<void> {
    if (this.#controls.has(slot)) return void socket.destroy();
    this.#controls.set(slot, socket);
    socket.once("close", () => this.#loseControl(slot, socket));
    const run = this.#runs.get(slot);
    if (run !== undefined) this.#tellOpen(run);
    for (;;) {
      const bytes = await readExactly(socket, messageBytes);
      if (bytes === null) return void socket.destroy();
      this.#hear(slot, decodeRelayMessage(bytes));
    }
  }

  #loseControl(slot: number, socket: Socket): void {
    if (this.#controls.get(slot) === socket) this.#controls.delete(slot);
    const run = this.#runs.get(slot);
    for (const dial of run?.dials.values() ?? []) dial.reject(new PortUnreachableError("the sandbox's network was interrupted"));
    run?.dials.clear();
    if (run?.closing === true) run.closed.resolve();
  }

  #hear(slot: number, { kind, port, number, token }: RelayMessage): void {
    const run = this.#runs.get(slot);
    if (run === undefined || run.token !== token) return; // of a run before
    if (kind === RelayKind.opened) run.opened.resolve();
    if (kind === RelayKind.closed) run.closed.resolve();
    if (kind !== RelayKind.failed) return;
    if (number === 0)
      return run.opened.reject(new SandboxError("sandbox_failed", `the sandbox's network could not be opened (errno ${port})`));
    run.dials.get(number)?.reject(new PortUnreachableError(`nothing answers on this port in the sandbox (errno ${port})`));
    run.dials.delete(number);
  }

  #tellOpen({ slot, token, egress }: OpenRun): void {
    this.#tell(slot, { kind: RelayKind.open, port: 0, number: egress === null ? 0 : 1, token });
  }

  #tell(slot: number, message: RelayMessage): boolean {
    const control = this.#controls.get(slot);
    control?.write(encodeRelayMessage(message));
    return control !== undefined;
  }

  async #connect(run: OpenRun, port: number): Promise<Socket> {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new PortUnreachableError(`${port} is not a port`);
    // Whoever is let in there, a viewer of the program's pages say, would go out again in the run's name.
    if (port === relayPort) throw new PortUnreachableError(`port ${port} is the sandbox's own proxy`);
    if (this.#runs.get(run.slot) !== run) throw new PortUnreachableError("the run has ended");
    this.#dials = (this.#dials % 0xffff_ffff) + 1;
    const number = this.#dials;
    const dial = Promise.withResolvers<Socket>();
    run.dials.set(number, dial);
    if (!this.#tell(run.slot, { kind: RelayKind.dial, port, number, token: run.token })) {
      run.dials.delete(number);
      throw new PortUnreachableError("the sandbox's network is not there");
    }
    try {
      return await within(dial.promise, dialMs, () => new PortUnreachableError(`port ${port} of the sandbox did not answer in time`));
    } finally {
      run.dials.delete(number);
    }
  }

  async #closeRun(run: OpenRun): Promise<void> {
    if (this.#runs.get(run.slot) !== run) return;
    run.closing = true;
    for (const socket of run.sockets) socket.destroy();
    const told = this.#tell(run.slot, { kind: RelayKind.close, port: 0, number: 0, token: run.token });
    try {
      // Without a relay there is nothing to close: the next one begins empty.
      if (told) await within(run.closed.promise, answerMs, () => new SandboxError("sandbox_failed", "the relay did not let go"));
    } finally {
      this.#forget(run);
    }
  }

  #forget(run: OpenRun): void {
    if (this.#runs.get(run.slot) === run) this.#runs.delete(run.slot);
    for (const socket of run.sockets) socket.destroy();
    for (const dial of run.dials.values()) dial.reject(new PortUnreachableError("the run has ended"));
    run.dials.clear();
    run.opened.reject(new SandboxError("sandbox_failed", "the jail is gone"));
    run.closed.resolve();
  }
}

async function within<T>(work: Promise<T>, ms: number, error: () => Error): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(error()), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
