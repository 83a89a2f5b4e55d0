import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import type { Actor } from "../access/actor.ts";
import type { Hold } from "../access/service.ts";

/** The most previews of one sandbox; beyond that the oldest goes. */
const maxPerSandbox = 100;
/** Connections of one preview at once, fewer than the sandbox's relay carries. */
const maxConnections = 100;

/** A right to reach one port of one sandbox: whoever knows the token has it, until it expires or is revoked. */
export interface Grant {
  readonly token: string;
  readonly sandboxId: string;
  readonly port: number;
  /** Who made it: what he may not do any more, it cannot either. */
  actor: Actor;
  /** The access that it rests on. */
  hold: Hold;
  /** Unix time, milliseconds. */
  expiresAt: number;
  /** Open now; cut when it ends. */
  readonly connections: Set<Duplex>;
}

/** The previews of this server, in memory: they end with their sandboxes, and those with the server. */
export class Grants {
  readonly #byToken = new Map<string, Grant & { timer: NodeJS.Timeout | undefined }>();

  /** The actor's grant for a port, made or prolonged. */
  give(actor: Actor, sandboxId: string, port: number, lastsMs: number, hold: Hold): Grant {
    const known = this.#of(sandboxId).find((grant) => grant.port === port && grant.actor.userId === actor.userId);
    const oldest = known === undefined ? this.#of(sandboxId).at(-maxPerSandbox) : undefined;
    if (oldest !== undefined) this.#end(oldest);
    const token = randomBytes(16).toString("hex");
    const grant = known ?? { token, sandboxId, port, actor, hold, expiresAt: 0, connections: new Set<Duplex>(), timer: undefined };
    if (grant.hold !== hold) grant.hold.release();
    Object.assign(grant, { actor, hold });
    hold.signal.addEventListener("abort", () => grant.hold === hold && this.#end(grant), { once: true });
    clearTimeout(grant.timer);
    grant.expiresAt = Date.now() + lastsMs;
    grant.timer = setTimeout(() => this.#end(grant), lastsMs).unref();
    this.#byToken.set(grant.token, grant);
    return grant;
  }

  /** Undefined when there is none, or no more, for this very port. */
  find(token: string, port: number): Grant | undefined {
    const grant = this.#byToken.get(token);
    return grant !== undefined && grant.port === port && grant.expiresAt > Date.now() ? grant : undefined;
  }

  /** Ends every grant for a port, or for all of a sandbox. */
  revoke(sandboxId: string, port?: number): void {
    for (const grant of this.#of(sandboxId)) if (port === undefined || grant.port === port) this.#end(grant);
  }

  stop(): void {
    for (const grant of this.#byToken.values()) this.#end(grant);
  }

  #of(sandboxId: string) {
    return [...this.#byToken.values()].filter((grant) => grant.sandboxId === sandboxId);
  }

  #end(grant: Grant & { timer: NodeJS.Timeout | undefined }): void {
    clearTimeout(grant.timer);
    grant.hold.release();
    this.#byToken.delete(grant.token);
    for (const connection of grant.connections) connection.destroy();
  }
}

/** Whether one more connection may be open; then it is held until it closes. */
export function holdConnection(grant: Grant, connection: Duplex): boolean {
  if (grant.connections.has(connection)) return true;
  if (grant.connections.size >= maxConnections) return false;
  grant.connections.add(connection);
  connection.once("close", () => grant.connections.delete(connection));
  return true;
}
