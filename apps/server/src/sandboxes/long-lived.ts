import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "@syla/contracts/errors";
import type { LinkedSandbox } from "@syla/contracts/linked-things";
import type { NetworkPolicy, SandboxNetwork } from "@syla/contracts/network";
import { LimitsInput, type LeastTier, type Tier } from "@syla/contracts/runs";
import type { Sandbox, SandboxFilter, SandboxInput } from "@syla/contracts/sandboxes";
import { maxHardEndMs } from "@syla/contracts/sandboxes/fields";
import type { SandboxStartError } from "@syla/contracts/sandboxes/program";
import type { Session, SessionEnd } from "@syla/sandbox/session";
import { SandboxError, type InputEntry, type RuntimeSpec, type SandboxLimits } from "@syla/sandbox/spec";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { can, requirePermission, type Access, type Hold, type Thing } from "../access/service.ts";
import type { Database } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import type { Logger } from "../platform/logger.ts";
import { clearOnceMark } from "../platform/once-mark.ts";
import type { Secret } from "../platform/secret.ts";
import type { Service } from "../platform/service.ts";
import { requireNetwork, type Runs } from "../runs/service.ts";
import type { InstalledRuntime, Runtimes } from "../runtimes/service.ts";
import { chooseTier } from "./least-tier.ts";
import { LiveSandbox } from "./live-sandbox.ts";
import type { FileKeeper } from "./file-keeper.ts";
import { readPolicy, toSandboxNetwork, writePolicy } from "./network.ts";
import { toLinked, toSandbox } from "./presenter.ts";
import type { ProgramFacts, ProgramParts, ProgramSource } from "./program.ts";
import { redactSession } from "./redacted-session.ts";
import type { Sandboxes } from "./service.ts";
import { inSession, toSessionError } from "./session-error.ts";
import { Start } from "./starts.ts";
import * as store from "./store.ts";
import type { WorkspaceFacts } from "./workspace.ts";

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
/** What is ended waits so long for its files to be saved. */
const lastSaveMs = 10_000;

/** What long-lived sandboxes are made of. */
export interface LongLivedContext {
  readonly access: Access;
  readonly database: Database;
  readonly logger: Logger;
  readonly sandboxes: Sandboxes;
  readonly runtimes: Runtimes;
  readonly runs: Runs;
  readonly workerId: string;
  readonly limit: () => number;
  readonly programs: Pick<ProgramSource, "parts">;
}

/** A sandbox that is wanted, before there is anything of it. */
export interface NewWish {
  readonly name?: string | undefined;
  readonly language: string;
  readonly tier?: Tier | undefined;
  /** The one that its program asks for at least. */
  readonly leastTier?: LeastTier | undefined;
  readonly limits: object;
  readonly network: NetworkPolicy;
  readonly idleTimeoutMs: number;
  readonly hardEndMs: number;
  readonly program: ProgramFacts | null;
  readonly workspace?: WorkspaceFacts;
  /** The one of this person in this workspace is found, where one lives. */
  readonly isOnlyOne?: boolean;
  readonly onIdle: "pause" | "end";
}

/** What is put into a sandbox. */
export interface SessionWish {
  readonly parts: ProgramParts | null;
  readonly env: Readonly<Record<string, string>>;
  readonly files: AsyncIterable<InputEntry>;
  readonly network: NetworkPolicy;
  /** Is not to be read in what its programs say. */
  readonly confidential: readonly Secret[];
  readonly gatewayToken: Secret | null;
  /** Keeps its files and those of its workspace the same. */
  readonly keep?: ((session: Session) => FileKeeper) | undefined;
  /** Called when it has ended. */
  readonly release?: (() => void) | undefined;
}

/** Times that this server keeps of a sandbox it holds. */
interface Held {
  readonly live: LiveSandbox;
  readonly keeper: FileKeeper | null;
  row: store.SandboxRow;
  notedAt: number;
  ending: Ending | null;
}

/** Why a sandbox is ended from outside. */
type Ending = (typeof endings)[number];
const endings = ["deleted", "expired", "idle", "access_ended", "server_restarted"] as const;

/** Long-lived sandboxes: create, find, pause, end. Every call checks the actor's permission. */
export class LongLivedSandboxes implements Service {
  readonly name = "sandboxes";
  readonly #context: LongLivedContext;
  readonly #held = new Map<string, Held>();
  readonly #starts = new Map<string, Start<Ending>>();
  /** Ends that could not be written down yet. */
  readonly #unwritten = new Map<string, WrittenEnd>();
  #writing = false;
  readonly #ended = Promise.withResolvers<void>();
  readonly #clock: NodeJS.Timeout;
  #stopping = false;

  constructor(context: LongLivedContext) {
    this.#context = context;
    this.#clock = setInterval(() => this.#look(), lookMs);
    this.#clock.unref();
  }

  async create(actor: Actor, input: SandboxInput): Promise<Sandbox> {
    const { programId, version } = input;
    const parts = programId === undefined ? null : await this.#context.programs.parts(actor, programId, version);
    try {
      return await this.#create(actor, input, parts);
    } catch (error) {
      parts?.release();
      throw error;
    }
  }

  async #create(actor: Actor, input: SandboxInput, parts: ProgramParts | null): Promise<Sandbox> {
    const language = input.language ?? parts?.language ?? "python";
    const { network = "none" } = input;
    requireNetwork(actor, network, this.#context.sandboxes, 0);
    requireSpec(this.#context.runtimes.get(language));
    if (input.tier !== undefined) this.#context.sandboxes.requireTier(input.tier);
    const files = withProgram(parts, input.files, await this.#context.runs.inputFiles(actor, input.files));
    const { row } = await this.insert(actor, { ...input, leastTier: parts?.leastTier, network, language, program: null, onIdle: "pause" });
    const wish = { parts, env: input.env, files, network, confidential: [], gatewayToken: null, release: parts?.release };
    return await this.openNow(row, language, wish);
  }

  /** Opens one that is recorded; one that does not open has failed. */
  async openNow(row: store.SandboxRow, language: string, wish: SessionWish): Promise<Sandbox> {
    try {
      return await this.#open(row, language, wish);
    } catch (error) {
      await this.#writeEnd(row.id, { status: "failed", reason: "sandbox_failed", explained: null });
      await clearOnceMark(this.#context.database.queries);
      throw error instanceof SandboxError ? new AppError("sandbox_unavailable", { message: `${error.message}.`, cause: error }) : error;
    }
  }

  /** Records a sandbox that is about to start; `isNew` is false for the one of the same program that lives. @throws AppError `sandbox_limit` */
  async insert(actor: Actor, wish: NewWish): Promise<{ readonly row: store.SandboxRow; readonly isNew: boolean }> {
    if (this.#stopping) throw new AppError("shutting_down", { retryAfter: 5 });
    const { runtimes, sandboxes, database, workerId } = this.#context;
    const limit = this.#context.limit();
    const { definition } = requireSpec(runtimes.get(wish.language));
    const { workspace = null, isOnlyOne = false } = wish;
    const { queries } = database;
    const tier = await chooseTier({ sandboxes, queries }, { ownerId: actor.userId, asked: wish.tier, ofProgram: wish.leastTier });
    const id = newId("sbx");
    const now = Date.now();
    const row = await store.insertSandbox(
      database.queries,
      {
        id,
        ownerId: actor.userId,
        name: wish.name ?? `${definition.name}-${id.slice(-6)}`,
        language: definition.name,
        tier,
        network: writePolicy(wish.network),
        requestedLimits: withoutUndefined(wish.limits),
        idleTimeoutMs: wish.idleTimeoutMs,
        createdAt: new Date(now),
        expiresAt: new Date(now + longestFor(actor, wish.hardEndMs)),
        workerId,
        program: wish.program,
        workspace,
        isOnlyOne,
        onIdle: wish.onIdle,
      },
      limit,
    );
    if (row === undefined) throw new AppError("sandbox_limit", { details: { limit } });
    return { row, isNew: row.id === id };
  }

  /** Starts one that is recorded, beside the caller: how it goes stands in its record. What ends it ends its start. */
  startBeside(row: store.SandboxRow, language: string, make: (start: Start<Ending>) => Promise<SessionWish>): void {
    const start = new Start<Ending>();
    this.#starts.set(row.id, start);
    const perform = async () => {
      const wish = await make(start);
      try {
        await this.#open(row, language, wish, start);
      } catch (error) {
        wish.release?.();
        throw error;
      }
    };
    const settled = perform().catch(async (error: unknown) => {
      const end = start.reason === null ? failureOf(error) : stoppedFor(start.reason);
      if (end.status === "failed" && !(error instanceof AppError))
        this.#context.logger.warn({ err: error, sandboxId: row.id }, "a sandbox could not be started");
      await this.#writeEnd(row.id, end);
    });
    this.#inBackground(
      settled.finally(() => {
        this.#starts.delete(row.id);
        start.settle();
      }),
    );
  }

  /** Ends it if this server has it, whatever it does. */
  endBeside(id: string, reason: Ending): void {
    this.#inBackground(this.#endNow(id, reason));
  }

  present(row: store.SandboxRow): Sandbox {
    const { live, keeper, row: now } = this.#held.get(row.id) ?? {};
    return toSandbox(now ?? row, live, this.#starts.get(row.id)?.phase, keeper?.saved);
  }

  async #open(row: store.SandboxRow, language: string, wish: SessionWish, start?: Start<Ending>): Promise<Sandbox> {
    const { runtimes, sandboxes } = this.#context;
    const { parts, env, files, network, confidential, gatewayToken, release } = wish;
    const { spec } = requireSpec(runtimes.get(language));
    const mounts = runtimes.installed().flatMap((installed) => installed.spec?.mounts ?? []);
    start?.signal.throwIfAborted();
    const session = await sandboxes.open(row.tier, {
      tenant: row.owner_id,
      runtime: { ...spec, name: "any", mounts: [...new Map(mounts.map((mount) => [mount.target, mount])).values()] },
      env: { ...spec.env, ...parts?.env, ...env },
      path: parts?.path ?? [],
      layers: parts?.layers ?? [],
      ...(parts?.python == null ? {} : { python: parts.python }),
      files,
      limits: { ...defaultLimits, ...withoutUndefined(LimitsInput.parse(row.requested_limits)) },
      network,
      ...(gatewayToken === null ? {} : { gatewayToken: gatewayToken.reveal() }),
    });
    if (start?.signal.aborted === true) {
      await session.end();
      start.signal.throwIfAborted();
    }
    if (release !== undefined) void session.ended.finally(release);
    const keeper = wish.keep?.(session) ?? null;
    try {
      await keeper?.begin();
    } catch (error) {
      await session.end();
      throw error;
    }
    return await this.#keep(row, redactSession(session, confidential), keeper);
  }

  async list(actor: Actor, filter: SandboxFilter): Promise<{ items: Sandbox[]; nextCursor: string | null }> {
    if (filter.owner === "all") requirePermission(actor, "sandbox:list-all");
    const rows = await store.listSandboxes(this.#context.database.queries, filter, actor, decodeCursor(filter.cursor));
    const items = rows.slice(0, filter.limit);
    const last = rows.length > filter.limit ? items.at(-1) : undefined;
    return {
      items: items.map((row) => this.present(row)),
      nextCursor: last === undefined ? null : Buffer.from(last.id).toString("base64url"),
    };
  }

  async get(actor: Actor, id: string): Promise<Sandbox> {
    return this.present(await this.#find(actor, id, "sandbox:read"));
  }

  /** What sharing needs to know of a sandbox. Undefined when there is none. */
  async thing(id: string): Promise<Thing | undefined> {
    const row = await this.#row(id);
    return row === undefined ? undefined : toThing(row);
  }

  /** What a link shows of a sandbox; whoever asks for it has checked that it may. */
  async linked(id: string): Promise<LinkedSandbox | null> {
    const row = await this.#row(id);
    return row === undefined ? null : toLinked(row);
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
    return this.present(row);
  }

  async pause(actor: Actor, id: string): Promise<Sandbox> {
    const held = await this.#require(actor, id, "sandbox:use");
    return this.present(await this.#pause(held, "user"));
  }

  /** Saves what was changed in it into its workspace. What is paused was saved then. @throws AppError `conflict` for one that is in none */
  async save(actor: Actor, id: string): Promise<Sandbox> {
    const held = await this.#require(actor, id, "sandbox:use");
    if (held.keeper === null)
      throw new AppError("conflict", { message: "This sandbox is in no workspace.", hint: "Make one in a workspace, or fetch its files." });
    if (held.row.status === "running") await inSession(() => this.#save(held));
    return this.present(held.row);
  }

  async resume(actor: Actor, id: string): Promise<Sandbox> {
    const held = await this.#require(actor, id, "sandbox:use");
    held.live.lastActive = Date.now();
    return this.present(await this.#resume(held));
  }

  /** Ends it, whatever goes on in it. Nothing to one that has ended. */
  async delete(actor: Actor, id: string): Promise<void> {
    const row = await this.#find(actor, id, "sandbox:delete");
    const isHere = await this.#endNow(id, "deleted");
    if (isHere || row.ended_at !== null) return;
    if (row.worker_id !== this.#context.workerId) throw new AppError("sandbox_elsewhere");
    await this.#saveEnd(id, this.#unwritten.get(id) ?? stoppedFor("deleted"));
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
    await Promise.all([...this.#starts.keys(), ...this.#held.keys()].map((id) => this.#endNow(id, "server_restarted")));
    await this.#writeAgain();
    this.#ended.resolve();
  }

  async #keep(row: store.SandboxRow, session: Session, keeper: FileKeeper | null): Promise<Sandbox> {
    const live: LiveSandbox = new LiveSandbox(session, () => this.#wake(row.id));
    const held: Held = { live, keeper, row, notedAt: Date.now(), ending: null };
    this.#held.set(row.id, held);
    void session.ended.then((end) => this.#forget(held, end));
    const wallMs = row.expires_at.getTime() - row.created_at.getTime();
    const limits = { ...session.limits, wallMs: { value: wallMs, enforcedBy: "supervisor" } };
    const running = await store.markSandboxRunning(this.#context.database.queries, row.id, limits);
    if (running === undefined || this.#stopping) {
      await this.#end(held, "server_restarted");
      throw this.#stopping ? new AppError("shutting_down", { retryAfter: 5 }) : new AppError("sandbox_ended");
    }
    held.row = running;
    return this.present(running);
  }

  async #forget(held: Held, end: SessionEnd): Promise<void> {
    const { logger } = this.#context;
    const reasons = {
      closed: "deleted",
      timeout: "expired",
      memory: "out_of_memory",
      disk: "disk_limit",
      failed: "sandbox_failed",
    } as const;
    const reason = held.ending ?? reasons[end.reason];
    if (end.message !== null) logger.info({ sandboxId: held.row.id, reason: end.message }, "a sandbox ended by itself");
    const status = isEnding(reason) ? "stopped" : "failed";
    await this.#writeEnd(held.row.id, { status, reason, explained: null });
    this.#held.delete(held.row.id);
  }

  /** What cannot be written down now is tried again. */
  async #writeEnd(id: string, end: WrittenEnd): Promise<void> {
    try {
      await this.#saveEnd(id, end);
    } catch (error) {
      this.#unwritten.set(id, end);
      this.#context.logger.warn({ err: error, sandboxId: id }, "the end of a sandbox could not be written down");
    }
  }

  async #saveEnd(id: string, { status, reason, explained }: WrittenEnd): Promise<void> {
    await store.markSandboxEnded(this.#context.database.queries, id, status, reason, explained);
    this.#unwritten.delete(id);
  }

  async #writeAgain(): Promise<void> {
    if (this.#writing) return;
    this.#writing = true;
    try {
      for (const [id, end] of this.#unwritten) await this.#saveEnd(id, end);
    } catch {
      // at the next look
    } finally {
      this.#writing = false;
    }
  }

  /** Whether there was something to end here. */
  async #endNow(id: string, reason: Ending): Promise<boolean> {
    const start = this.#starts.get(id);
    await start?.giveUp(reason);
    const held = this.#held.get(id);
    if (held !== undefined) await this.#end(held, reason);
    return start !== undefined || held !== undefined;
  }

  async #end(held: Held, reason: Ending): Promise<void> {
    const isFirst = held.ending === null;
    held.ending ??= reason;
    if (isFirst && held.row.status === "running") await this.#saveLast(held);
    await held.live.session.end();
    await this.#forget(held, { reason: "closed", message: null });
  }

  async #save(held: Held): Promise<void> {
    if (held.keeper === null) return;
    const saved = await held.keeper.save();
    const row = await store.changeSandbox(this.#context.database.queries, held.row.id, { saved: JSON.stringify(saved) });
    if (row !== undefined) held.row = { ...held.row, saved: row.saved };
  }

  /** Before an end or a pause, which does not wait for long, and comes whatever becomes of the files. */
  async #saveLast(held: Held): Promise<void> {
    if (held.keeper === null) return;
    const late = sleep(lastSaveMs, "late", { ref: false });
    try {
      if ((await Promise.race([this.#save(held), late])) === "late") throw new Error("its files took too long");
    } catch (error) {
      this.#context.logger.warn({ err: error, sandboxId: held.row.id }, "the files of a sandbox could not be saved");
    }
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
    await this.#saveLast(held);
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
    if (this.#unwritten.size > 0) this.#inBackground(this.#writeAgain());
    const now = Date.now();
    for (const held of this.#held.values()) {
      const { live, row } = held;
      if (held.ending !== null) continue;
      const moved = live.noteTraffic();
      if (now >= row.expires_at.getTime()) this.#inBackground(this.#end(held, "expired"));
      else if (moved && row.status === "paused" && row.pause_reason === "idle") this.#inBackground(this.#resume(held));
      else if (row.status === "running" && !live.inUse && now >= live.lastActive + row.idle_timeout_ms)
        this.#inBackground(row.on_idle === "end" ? this.#end(held, "idle") : this.#pause(held, "idle"));
      else if (live.lastActive > held.notedAt + noteMs) {
        held.notedAt = now;
        this.#inBackground(this.#change(held, { last_active_at: new Date(live.lastActive) }));
        if (held.keeper !== null) this.#inBackground(held.keeper.noteUse());
      } else if (row.status === "running" && held.keeper?.isDue(now, live.lastActive) === true) this.#inBackground(this.#save(held));
    }
  }

  #inBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#context.logger.warn({ err: error }, "a sandbox's clock could not be kept"));
  }

  async #require(actor: Actor, id: string, action: SandboxAction): Promise<Held> {
    const row = await this.#find(actor, id, action);
    const held = this.#held.get(id);
    if (held !== undefined && held.ending === null) return held;
    if (this.#starts.has(id)) throw new AppError("sandbox_starting", { retryAfter: 1 });
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
}

type SandboxAction = "sandbox:read" | "sandbox:use" | "sandbox:delete";

function toThing(row: store.SandboxRow): Thing {
  return {
    type: "sandbox",
    id: row.id,
    ownerId: row.owner_id,
    visibility: "private",
    name: row.name,
    isPersonal: row.program !== null || row.workspace !== null,
  };
}

/** A program's files, and those that were sent along: one of the same path takes its place. */
async function* withProgram(
  program: ProgramParts | null,
  sent: SandboxInput["files"],
  files: AsyncIterable<InputEntry>,
): AsyncGenerator<InputEntry> {
  const taken = new Set(sent.map(({ path }) => path));
  if (program !== null) for await (const file of program.files) if (!taken.has(file.path)) yield file;
  yield* files;
}

function requireSpec(runtime: InstalledRuntime): InstalledRuntime & { readonly spec: RuntimeSpec } {
  const { definition, spec } = runtime;
  if (spec === null) throw new AppError("runtime_unavailable", { message: `${definition.title} is not installed on this server.` });
  return { ...runtime, spec };
}

function isEnding(reason: string): reason is Ending {
  return endings.some((known) => known === reason);
}

/** How an end is written down, also of a start that did not come off. */
interface WrittenEnd {
  readonly status: "stopped" | "failed";
  readonly reason: NonNullable<Sandbox["endReason"]>;
  readonly explained: SandboxStartError | null;
}

function stoppedFor(reason: Ending): WrittenEnd {
  return { status: "stopped", reason, explained: null };
}

function failureOf(error: unknown): WrittenEnd {
  const { code, message, hint, details } = toStartError(error);
  const isOfEnvironment = code.startsWith("environment_");
  const cause = z.object({ code: z.string(), explanation: z.string().nullable() }).safeParse(details);
  const explained = { code: cause.data?.code ?? code, message, hint, explanation: cause.data?.explanation ?? null };
  return { status: "failed", reason: isOfEnvironment ? "environment_failed" : "sandbox_failed", explained };
}

function toStartError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof SandboxError) return new AppError("sandbox_unavailable", { message: `${error.message}.`, cause: error });
  return new AppError("sandbox_unavailable", { cause: error });
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
