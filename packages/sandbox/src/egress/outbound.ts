import { connect, isIP, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { AddressRules } from "./addresses.ts";
import type { HostNames } from "./hosts.ts";
import type { CarriedBytes, ConnectionLog, ConnectionOutcome } from "./connection-log.ts";
import type { CompiledPolicy } from "./policy.ts";
import type { Resolve } from "./resolve.ts";
import { formatTarget, type Target } from "./target.ts";

/** How long a connection may take to be made, to say what it is, and to be silent. Milliseconds. */
export interface EgressTimes {
  readonly connectMs: number;
  readonly helloMs: number;
  readonly idleMs: number;
}

const halfOpenMs = 60_000;

/** What deciding over and making a connection needs. */
export interface OutboundContext {
  readonly policy: CompiledPolicy;
  readonly rules: AddressRules;
  readonly resolve: Resolve;
  readonly log: ConnectionLog;
  readonly times: EgressTimes;
  readonly open: Set<Outbound>;
  /** Names that the host itself answers for. */
  readonly hosts?: HostNames;
}

/** The policy, or what is known about the address, forbids it. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
}

/** It was allowed and did not work. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}

/** A connection to the outside, which is logged when it ends. */
export class Outbound {
  readonly socket: Socket;
  readonly #target: Target;
  readonly #address: string;
  readonly #context: OutboundContext;
  readonly #at = Date.now();
  readonly #began = performance.now();
  #over = false;

  constructor(socket: Socket, target: Target, address: string, context: OutboundContext) {
    [this.socket, this.#target, this.#address, this.#context] = [socket, target, address, context];
    context.open.add(this);
    socket.setNoDelay(true);
    socket.setTimeout(context.times.idleMs, () => this.end("cut", "nothing was sent for too long"));
    socket.on("error", (error: NodeJS.ErrnoException) => this.end("failed", error.code ?? error.message));
    socket.once("close", () => this.end("completed", null));
  }

  get carried(): CarriedBytes {
    return { sentBytes: this.socket.bytesWritten, receivedBytes: this.socket.bytesRead };
  }

  /** The program has said its last word; it may be gone altogether, which only the next bytes for it would show. */
  expectEnd(): void {
    this.socket.setTimeout(Math.min(this.#context.times.idleMs, halfOpenMs));
  }

  /** Cuts the connection. The first end counts. */
  end(outcome: ConnectionOutcome, reason: string | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#context.open.delete(this);
    const facts = { address: this.#address, at: this.#at, ms: msSince(this.#began), ...this.carried };
    this.#context.log.add({ ...this.#target, ...facts, outcome, reason });
    this.socket.destroy();
  }
}

/**
 * Connects to where a program wants to go, if it may. The name is looked up once; every address that it has must be allowed, and the
 * connection goes to one of those, so that a second answer of the name server changes nothing.
 *
 * @throws RefusedError, UnreachableError; both are logged
 */
export async function connectOut(context: OutboundContext, target: Target): Promise<Outbound> {
  const { policy, log } = context;
  if (!policy.allows(target)) throw refuse(context, target, "it is not on the run's allow list");
  const addresses = await lookUp(context, target);
  for (const address of addresses) {
    const reason = context.rules.refusal(address, target.port, policy.isNamed);
    if (reason !== null) throw refuse(context, target, address === target.host ? reason : `it leads to ${address}: ${reason}`);
  }
  const [at, began] = [Date.now(), performance.now()];
  const failures: string[] = [];
  for (const address of addresses.slice(0, 4)) {
    const result = await dial(address, target.port, context.times.connectMs);
    if (typeof result !== "string") return new Outbound(result, target, address, context);
    failures.push(result);
  }
  const reason = failures[0] ?? "no address";
  const address = addresses[0] ?? null;
  log.add({ ...target, address, at, ms: msSince(began), sentBytes: 0, receivedBytes: 0, outcome: "failed", reason });
  throw new UnreachableError(`${formatTarget(target)} cannot be reached: ${reason}`);
}

/** Whole milliseconds by the monotonic clock. */
function msSince(began: number): number {
  return Math.round(performance.now() - began);
}

function refuse(context: OutboundContext, target: Target, reason: string): RefusedError {
  context.log.refuse(target, reason);
  return new RefusedError(`${formatTarget(target)} is refused: ${reason}`);
}

async function lookUp({ resolve, times, log }: OutboundContext, target: Target): Promise<readonly string[]> {
  const [at, began] = [Date.now(), performance.now()];
  const abort = new AbortController();
  try {
    const late = sleep(times.connectMs, null, { signal: abort.signal, ref: false }).then(() => {
      throw new Error("the name server did not answer in time");
    });
    const addresses = await Promise.race([isIP(target.host) === 0 ? resolve(target.host) : [target.host], late]);
    if (addresses.length > 0) return addresses;
    throw new Error("the name has no address");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.add({ ...target, address: null, at, ms: msSince(began), sentBytes: 0, receivedBytes: 0, outcome: "failed", reason });
    throw new UnreachableError(`${formatTarget(target)} cannot be reached: ${reason}`);
  } finally {
    abort.abort();
  }
}

/** A connected socket, or why there is none. */
function dial(address: string, port: number, connectMs: number): Promise<Socket | string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, allowHalfOpen: true });
    const fail = (reason: string) => {
      socket.destroy();
      resolve(reason);
    };
    socket.setTimeout(connectMs, () => fail("it does not answer"));
    socket.once("error", (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    socket.once("connect", () => {
      socket.removeAllListeners("timeout").removeAllListeners("error").setTimeout(0);
      resolve(socket);
    });
  });
}
