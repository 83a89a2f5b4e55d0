import { AppError } from "@syla/contracts/errors";
import type { SandboxNetwork } from "@syla/contracts/network";
import { maxHardEndMs, type Sandbox, type SandboxFilter, type SandboxInput } from "@syla/contracts/sandboxes";
import type { Session, SessionEnd } from "@syla/sandbox/session";
import { SandboxError, type SandboxLimits } from "@syla/sandbox/spec";
import type { Actor } from "../access/actor.ts";
import { can, requirePermission, type Access, type Hold, type Thing } from "../access/service.ts";
import type { Database } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import type { Logger } from "../platform/logger.ts";
import type { Service } from "../platform/service.ts";
import { requireNetwork, type Runs } from "../runs/service.ts";
import type { Runtimes } from "../runtimes/service.ts";
import { LiveSandbox } from "./live-sandbox.ts";
import { readPolicy, toSandboxNetwork, writePolicy } from "./network.ts";
import { toSandbox } from "./presenter.ts";
import type { Sandboxes } from "./service.ts";
import { toSessionError } from "./session-error.ts";
import * as store from "./store.ts";

const mebibyte = 1024 * 1024;
/** What a long-lived sandbox gets when it does not ask. Its hard end is kept here; the sandbox itself has the longest there is. */
const defaultLimits: SandboxLimits = {
  wallMs: maxHardEndMs,
  cpus: 1,
  memoryBytes: 2048 * mebibyte,
  processes: 256,
  openFiles: 1024,
  diskBytes: 5120 * mebibyte,
  outputBytes: 1,
};
/** Who may keep nothing has only sandboxes that end soon. */
const ephemeralMs = 60 * 60_000;
const lookMs = 500;
/** Use is written down this often. */
const noteMs = 60_000;

/** What long-lived sandboxes are made of. */
export interface LongLivedContext {
  readonly access: Access;
  readonly database: Database;
  readonly logger: Logger;
  readonly sandboxes: Sandboxes;
  readonly runtimes: Runtimes;
  readonly runs: Runs;
  readonly workerId: string;
  readonly limit: number;
}

/** Times that this server keeps of a sandbox it holds. */
interface Held {
  readonly live: LiveSandbox;
  row: store.SandboxRow;
  notedAt: number;
  ending: "deleted" | "expired" | "server_restarted" | null;
}

/** Long-lived sandboxes: create, find, pause, end. Every call checks the actor's permission. */
export class LongLivedSandboxes implements Service {
  readonly name = "sandboxes";
  readonly #context: LongLivedContext;
  readonly #held = new Map<string, Held>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #clock: NodeJS.Timeout;
  #stopping = false;

  constructor(context: LongLivedContext) {
    this.#context = context;
    this.#clock = setInterval(() => this.#look(), lookMs);
    this.#clock.unref();
  }

  async create(actor: Actor, input: SandboxInput): Promise<Sandbox> {
    const { runtimes, sandboxes, database, runs, limit, workerId } = this.#context;
    const runtime = runtimes.get(input.language);
    const { spec } = runtime;
    if (spec === null)
      throw new AppError("runtime_unavailable", { message: `${runtime.definition.title} is not installed on this server.` });
    const tier = input.tier ?? sandboxes.defaultTier;
    sandboxes.requireTier(tier);
    requireNetwork(actor, input.network, sandboxes);
    const files = await runs.inputFiles(actor, input.files);
    const id = newId("sbx");
    const limits = { ...defaultLimits, ...withoutUndefined(input.limits) };
    const hardEndMs = longestFor(actor, input.hardEndMs);
    const row = await store.insertSandbox(
      database.queries,
      {
        id,
        ownerId: actor.userId,
        name: input.name ?? `${runtime.definition.name}-${id.slice(-6)}`,
        language: runtime.definition.name,
        tier,
        network: writePolicy(input.network),
        requestedLimits: withoutUndefined(input.limits),
        idleTimeoutMs: input.idleTimeoutMs,
        expiresAt: new Date(Date.now() + hardEndMs),
        workerId,
      },
      limit,
    );
    if (row === undefined) throw new AppError("sandbox_limit", { details: { limit } });
    try {
      const mounts = runtimes.installed().flatMap((installed) => installed.spec?.mounts ?? []);
      const session = await sandboxes.open(tier, {
        tenant: actor.userId,
        runtime: { ...spec, name: "any", mounts: [...new Map(mounts.map((mount) => [mount.target, mount])).values()] },
        env: { ...spec.env, ...input.env },
        files,
        limits,
        network: input.network,
      });
      return await this.#keep(row, session, hardEndMs);
    } catch (error) {
      await store.markSandboxEnded(database.queries, id, "failed", "sandbox_failed");
      throw error instanceof SandboxError ? new AppError("sandbox_unavailable", { message: `${error.message}.`, cause: error }) : error;
    }
  }

  async list(actor: Actor, filter: SandboxFilter): Promise<{ items: Sandbox[]; nextCursor: string | null }> {
    if (filter.owner === "all") requirePermission(actor, "sandbox:list-all");
    const rows = await store.listSandboxes(this.#context.database.queries, filter, actor, decodeCursor(filter.cursor));
    const items = rows.slice(0, filter.limit);
    const last = rows.length > filter.limit ? items.at(-1) : undefined;
    return {
      items: items.map((row) => this.#present(row)),
      nextCursor: last === undefined ? null : Buffer.from(last.id).toString("base64url"),
    };
  }

  async get(actor: Actor, id: string): Promise<Sandbox> {
    return this.#present(await this.#find(actor, id, "sandbox:read"));
  }

  /** What sharing needs to know of a sandbox. Undefined when there is none. */
  async thing(id: string): Promise<Thing | undefined> {
    const row = await this.#row(id);
    return row === undefined ? undefined : toThing(row);
  }

  /** The sandbox itself, to do something in it. @throws AppError `sandbox_ended`, `sandbox_elsewhere`, `not_found` */
  async live(actor: Actor, id: string): Promise<LiveSandbox> {
    return (await this.#require(actor, id, "sandbox:use")).live;
  }

  /**
   * The same for something that stays open: the hold's signal aborts when the caller goes, or when the actor may not use the sandbox any more.
   * `open` releases the hold when what it opens is closed; what fails to open holds nothing.
   */
  async openHeld<T>(
    actor: Actor,
    id: string,
    gone: AbortSignal | undefined,
    open: (live: LiveSandbox, hold: Hold) => Promise<T> | T,
  ): Promise<T> {
    const { live, row } = await this.#require(actor, id, "sandbox:use");
    const hold = this.#context.access.hold(actor, "sandbox:use", toThing(row), () => this.thing(id), gone);
    try {
      return await open(live, hold);
    } catch (error) {
      hold.release();
      throw error;
    }
  }

  /** The language that is meant when code does not say. */
  async language(actor: Actor, id: string): Promise<string> {
    return (await this.#find(actor, id, "sandbox:use")).language;
  }

  /** What it did with its network so far; also of one that is paused. */
  async network(actor: Actor, id: string): Promise<SandboxNetwork> {
    const { live, row } = await this.#require(actor, id, "sandbox:read");
    return toSandboxNetwork(readPolicy(row.network), live.session.network());
  }

  async update(
    actor: Actor,
    id: string,
    change: { name?: string | undefined; idleTimeoutMs?: number | undefined; hardEndMs?: number | undefined },
  ): Promise<Sandbox> {
    const held = await this.#require(actor, id, "sandbox:use");
    const { name, idleTimeoutMs, hardEndMs } = change;
    const row = await this.#change(held, {
      ...(name === undefined ? {} : { name }),
      ...(idleTimeoutMs === undefined ? {} : { idle_timeout_ms: idleTimeoutMs }),
      ...(hardEndMs === undefined ? {} : { expires_at: new Date(held.row.created_at.getTime() + longestFor(actor, hardEndMs)) }),
      last_active_at: new Date(),
    });
    return this.#present(row);
  }

  async pause(actor: Actor, id: string): Promise<Sandbox> {
    const held = await this.#require(actor, id, "sandbox:use");
    return this.#present(await this.#pause(held, "user"));
  }

  async resume(actor: Actor, id: string): Promise<Sandbox> {
    const held = await this.#require(actor, id, "sandbox:use");
    held.live.lastActive = Date.now();
    return this.#present(await this.#resume(held));
  }

  /** Ends it, whatever goes on in it. Nothing to one that has ended. */
  async delete(actor: Actor, id: string): Promise<void> {
    const row = await this.#find(actor, id, "sandbox:delete");
    const held = this.#held.get(id);
    if (held !== undefined) return await this.#end(held, "deleted");
    if (row.ended_at === null) throw new AppError("sandbox_elsewhere");
  }

  run(): Promise<void> {
    return this.#ended.promise;
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#clock);
    await Promise.all([...this.#held.values()].map((held) => this.#end(held, "server_restarted")));
    this.#ended.resolve();
  }

  async #keep(row: store.SandboxRow, session: Session, hardEndMs: number): Promise<Sandbox> {
    const live: LiveSandbox = new LiveSandbox(session, () => this.#wake(row.id));
    const held: Held = { live, row, notedAt: Date.now(), ending: null };
    this.#held.set(row.id, held);
    void session.ended.then((end) => this.#forget(held, end));
    const limits = { ...session.limits, wallMs: { value: hardEndMs, enforcedBy: "supervisor" } };
    const running = await store.markSandboxRunning(this.#context.database.queries, row.id, limits);
    if (running === undefined || this.#stopping) {
      await this.#end(held, "server_restarted");
      throw new AppError("shutting_down", { retryAfter: 5 });
    }
    held.row = running;
    return this.#present(running);
  }

  async #forget(held: Held, end: SessionEnd): Promise<void> {
    const { logger, database } = this.#context;
    const reasons = {
      closed: "deleted",
      timeout: "expired",
      memory: "out_of_memory",
      disk: "disk_limit",
      failed: "sandbox_failed",
    } as const;
    const reason = held.ending ?? reasons[end.reason];
    if (end.message !== null) logger.info({ sandboxId: held.row.id, reason: end.message }, "a sandbox ended by itself");
    const status = reason === "deleted" || reason === "expired" || reason === "server_restarted" ? "stopped" : "failed";
    await store
      .markSandboxEnded(database.queries, held.row.id, status, reason)
      .catch((error: unknown) => logger.warn({ err: error, sandboxId: held.row.id }, "the end of a sandbox could not be written down"));
    this.#held.delete(held.row.id);
  }

  async #end(held: Held, reason: NonNullable<Held["ending"]>): Promise<void> {
    held.ending ??= reason;
    await held.live.session.end();
    await this.#forget(held, { reason: "closed", message: null });
  }

  /** Before each use: one that is paused for being idle goes on, one that somebody paused is left alone. */
  async #wake(id: string): Promise<void> {
    const held = this.#held.get(id);
    if (held === undefined) throw new AppError("sandbox_ended");
    if (held.row.status !== "paused") return;
    if (held.row.pause_reason === "user") throw new AppError("sandbox_paused");
    await this.#resume(held);
  }

  async #pause(held: Held, reason: "user" | "idle"): Promise<store.SandboxRow> {
    try {
      const pausedBy = await held.live.session.pause();
      return await this.#change(held, {
        status: "paused",
        pause_reason: reason,
        paused_by: pausedBy,
        last_active_at: new Date(held.live.lastActive),
      });
    } catch (error) {
      throw toSessionError(error);
    }
  }

  async #resume(held: Held): Promise<store.SandboxRow> {
    try {
      await held.live.session.resume();
      return await this.#change(held, { status: "running", pause_reason: null, paused_by: null });
    } catch (error) {
      throw toSessionError(error);
    }
  }

  async #change(held: Held, change: store.SandboxChange): Promise<store.SandboxRow> {
    const row = await store.changeSandbox(this.#context.database.queries, held.row.id, change);
    if (row === undefined) throw new AppError("sandbox_ended");
    return (held.row = row);
  }

  /** The clocks of every sandbox: the hard end goes on while one is paused, idleness does not. */
  #look(): void {
    const now = Date.now();
    for (const held of this.#held.values()) {
      const { live, row } = held;
      if (held.ending !== null) continue;
      const moved = live.noteTraffic();
      if (now >= row.expires_at.getTime()) this.#inBackground(this.#end(held, "expired"));
      else if (moved && row.status === "paused" && row.pause_reason === "idle") this.#inBackground(this.#resume(held));
      else if (row.status === "running" && !live.inUse && now >= live.lastActive + row.idle_timeout_ms)
        this.#inBackground(this.#pause(held, "idle"));
      else if (live.lastActive > held.notedAt + noteMs) {
        held.notedAt = now;
        this.#inBackground(this.#change(held, { last_active_at: new Date(live.lastActive) }));
      }
    }
  }

  #inBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#context.logger.warn({ err: error }, "a sandbox's clock could not be kept"));
  }

  async #require(actor: Actor, id: string, action: SandboxAction): Promise<Held> {
    const row = await this.#find(actor, id, action);
    const held = this.#held.get(id);
    if (held !== undefined && held.ending === null) return held;
    throw new AppError(
      row.ended_at === null && held === undefined && row.worker_id !== this.#context.workerId ? "sandbox_elsewhere" : "sandbox_ended",
    );
  }

  async #row(id: string): Promise<store.SandboxRow | undefined> {
    const known = this.#held.get(id);
    return known?.row ?? (isId(id) ? await store.findSandbox(this.#context.database.queries, id) : undefined);
  }

  async #find(actor: Actor, id: string, action: SandboxAction): Promise<store.SandboxRow> {
    const row = await this.#row(id);
    if (row === undefined) throw new AppError("not_found");
    await this.#context.access.require(actor, action, toThing(row));
    return row;
  }

  #present(row: store.SandboxRow): Sandbox {
    return toSandbox(row, this.#held.get(row.id)?.live);
  }
}

type SandboxAction = "sandbox:read" | "sandbox:use" | "sandbox:delete";

function toThing(row: store.SandboxRow): Thing {
  return { type: "sandbox", id: row.id, ownerId: row.owner_id, visibility: "private", name: row.name };
}

function longestFor(actor: Actor, hardEndMs: number): number {
  return can(actor, "sandbox:keep") ? hardEndMs : Math.min(hardEndMs, ephemeralMs);
}

function isId(id: string): boolean {
  return /^sbx_[0-9a-z]{26}$/.test(id);
}

function decodeCursor(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const id = Buffer.from(cursor, "base64url").toString();
  if (!isId(id)) throw new AppError("invalid_cursor");
  return id;
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
