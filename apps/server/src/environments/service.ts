import type {
  Environment,
  EnvironmentError,
  EnvironmentEvent,
  EnvironmentFilter,
  EnvironmentStorage,
  EnvironmentSummary,
  ProgramEnvironment,
} from "@syla/contracts/environments";
import {
  Environment as EnvironmentSchema,
  EnvironmentError as EnvironmentErrorSchema,
  EnvironmentPhase as Phase,
} from "@syla/contracts/environments";
import { AppError } from "@syla/contracts/errors";
import type { Runtime } from "@syla/contracts/runtimes";
import type { Check } from "@syla/contracts/system";
import type { ProgramConfig } from "@syla/contracts/program-config";
import { LRUCache } from "lru-cache";
import type { Actor } from "../access/actor.ts";
import { requirePermission } from "../access/service.ts";
import type { Catalog } from "../catalog/service.ts";
import { newId } from "../platform/ids.ts";
import { readCursor, toPage } from "../platform/page-cursor.ts";
import type { Service } from "../platform/service.ts";
import type { Trees } from "../platform/trees.ts";
import type { LiveRun } from "../runs/live-run.ts";
import { bytesOf, decodeRecord, readLog, type LogRecord } from "../runs/service.ts";
import type { InstalledRuntime } from "../runtimes/service.ts";
import { Builds, type BuildsContext } from "./builds.ts";
import { Eviction } from "./eviction.ts";
import { Flights, type Waiter } from "./flights.ts";
import { routeOf } from "./indexes/routing.ts";
import { toEnvironment, toSummary, type Standing } from "./presenter.ts";
import { environmentKeyOf, platform, requestKeyOf, scopedKeyOf, type EnvironmentRequest } from "./request.ts";
import { readRequest } from "./request-from-tree.ts";
import { StartedBuilds } from "./started-builds.ts";
import * as store from "./store.ts";
import { findUv, packagesOf } from "./tools.ts";
import { useOfLayer, type LayerUse } from "./layer-use.ts";
import { Warmth } from "./warmth.ts";

export { giveUpBuilds as recoverEnvironments } from "./store.ts";
export type { LayerUse } from "./layer-use.ts";
export { problemOf } from "./python-requirements.ts";
export type { EnvironmentRequest } from "./request.ts";

const followMs = 500;
/** Use is written down this often. */
const noteMs = 60_000;
/** A layer is gone at once after it was found: somebody removed it by hand, again and again. */
const mostTries = 3;
/** What one person may want warm. */
const mostWarm = 10;

/** What environments are made of. */
export interface EnvironmentsContext extends BuildsContext {
  readonly catalog: Pick<Catalog, "resolve">;
  readonly trees: Trees;
  /** All layers of this server together, bytes. */
  readonly quotaBytes: number;
  /** Programs are run here: what people want warm is warm here. */
  readonly runsPrograms: boolean;
}

/** A program as far as its environment depends on it. `version` null: the working tree. */
export interface ProgramRef {
  readonly assetId: string;
  readonly version: string | null;
  /** Whose package indexes it is built with. */
  readonly ownerId: string;
  readonly treeSha256: string | null;
  readonly config: Pick<ProgramConfig, "dependencies" | "entrypoint">;
  readonly runtime: InstalledRuntime;
  /** What it needs, where that is not to be read from its configuration and its files. */
  readonly request?: EnvironmentRequest;
}

/** An environment that is on the disk, and stays there until `release` is called. */
export interface ReadyEnvironment extends LayerUse {
  readonly id: string;
  /** It did not have to be built. */
  readonly wasThere: boolean;
  readonly release: () => void;
}

/** What a program asks for, with its key. */
interface Asked {
  readonly request: EnvironmentRequest;
  readonly key: string;
  /** Without whose indexes it is built with. */
  readonly baseKey: string;
  readonly scope: string | null;
}

/** An environment could not be built. */
export class EnvironmentFailedError extends Error {
  override readonly name = "EnvironmentFailedError";
  readonly failure: EnvironmentError;

  constructor(failure: EnvironmentError) {
    super(failure.message);
    this.failure = failure;
  }
}

/** The built dependencies of programs: found by what was asked for, built once, kept as long as there is room. */
export class Environments implements Service {
  readonly name = "environments";
  readonly #context: EnvironmentsContext;
  readonly #builds: Builds;
  readonly #flights = new Flights();
  readonly #started = new StartedBuilds();
  readonly #eviction: Eviction;
  readonly #warmth: Warmth;
  readonly #ended = Promise.withResolvers<void>();
  readonly #requests = new LRUCache<string, { readonly request: EnvironmentRequest | null; readonly baseKey: string }>({ max: 2000 });
  readonly #noted = new LRUCache<string, true>({ max: 20_000, ttl: noteMs });
  /** Asked for again after a while, which writes down that they are used. */
  readonly #uses = new LRUCache<string, LayerUse>({ max: 2000, ttl: noteMs });

  constructor(context: EnvironmentsContext) {
    this.#context = context;
    this.#builds = new Builds(context);
    this.#eviction = new Eviction(context);
    this.#warmth = new Warmth({ ...context, build: async (id, personId) => await this.#buildAhead(id, personId) });
  }

  /** Clears away what a killed server left. Before any sandbox is up. */
  static async open(context: EnvironmentsContext): Promise<Environments> {
    const rows = await store.listLayers(context.database.queries, context.layers.id);
    for (const row of rows) if (!context.layers.has(row.name)) await store.forgetLayer(context.database.queries, row.name);
    context.layers.keepOnly(new Set(rows.map((row) => row.name)));
    return new Environments(context);
  }

  run(): Promise<void> {
    this.#eviction.start();
    if (this.#context.runsPrograms) this.#warmth.start();
    return this.#ended.promise;
  }

  async drain(): Promise<void> {}

  async stop(): Promise<void> {
    this.#builds.stop();
    await Promise.all([this.#flights.abort(), this.#eviction.stop(), this.#warmth.stop()]);
    this.#ended.resolve();
  }

  /** What a program asks for by itself; null: nothing. @throws AppError `dependencies_unsupported` */
  async needsOf(program: ProgramRef): Promise<EnvironmentRequest | null> {
    return (await this.#request(program))?.request ?? null;
  }

  /** The environment of a version of a program, noted for good. Null: it needs none. @throws AppError `dependencies_unsupported` */
  async ofProgram(program: ProgramRef, userId: string, options: { readonly upgrade?: boolean } = {}): Promise<string | null> {
    const { database } = this.#context;
    const asked = await this.#request(program);
    if (asked === null) return null;
    const version = program.version ?? "";
    const pinned = options.upgrade === true ? undefined : await store.findPin(database.queries, program.assetId, version);
    let id = pinned !== undefined && isStillMeant(pinned, asked, program) ? pinned.environment_id : undefined;
    if (id === undefined) {
      const kept = pinned === undefined ? null : await this.#lockOf(pinned.environment_id, asked, program);
      const row = await this.#rowFor(kept?.asked ?? asked, options.upgrade === true, kept?.lock ?? null);
      id = await store.pin(database.queries, {
        assetId: program.assetId,
        version,
        requestKey: kept?.asked.key ?? asked.key,
        environmentId: row.id,
      });
    }
    await this.#noteUser(id, userId);
    return id;
  }

  /**
   * Has an environment on the disk, building it if need be, in the turn of whoever waits; `onPhase` is told while it waits. Once nobody waits any more the build is ended.
   *
   * @throws EnvironmentFailedError, AppError, SandboxError, the signal's reason
   */
  async prepare(id: string, waiter: Omit<Waiter, "onPhase"> & Partial<Waiter>): Promise<ReadyEnvironment> {
    for (let tries = 1; ; tries += 1) {
      const ready = await this.#take(id, tries === 1);
      if (ready !== null) return ready;
      if (tries > mostTries)
        throw new AppError("environment_unavailable", { message: "The environment is gone as soon as it has been built." });
      await this.#build(id, false, { onPhase: () => {}, ...waiter });
    }
  }

  packagesOf(runtime: Pick<Runtime, "name" | "available">): Runtime["packages"] {
    return packagesOf(runtime, this.#context.tools);
  }

  /** For `syla doctor`. */
  check(): Check {
    const uv = findUv(this.#context.tools);
    const name = "packages of Python";
    if (uv !== undefined) return { name, status: "ok", detail: `installed with ${uv}`, fix: null };
    return { name, status: "warning", detail: "uv, which installs them, is missing", fix: "syla runtimes install uv" };
  }

  /** Whether it is on the disk now. */
  async isReady(id: string): Promise<boolean> {
    const { database, layers } = this.#context;
    const [layer] = await store.findLayers(database.queries, layers.id, [id]);
    return layer !== undefined && layers.has(layer.name);
  }

  async list(actor: Actor, filter: EnvironmentFilter): Promise<{ items: EnvironmentSummary[]; nextCursor: string | null }> {
    if (filter.owner === "all") requirePermission(actor, "environment:list-all");
    if (filter.q?.includes("\0") === true || filter.language?.includes("\0") === true) return { items: [], nextCursor: null };
    const { queries } = this.#context.database;
    const before = readCursor(filter.cursor, /^env_[0-9a-z]{26}$/);
    const rows = await store.listEnvironments(queries, filter, filter.owner === "all" ? null : actor.userId, before);
    const standing = await this.#standings(actor, rows);
    return toPage(
      rows,
      filter.limit,
      (row) => row.id,
      (row) => toSummary(row, standing(row)),
    );
  }

  async get(actor: Actor, id: string): Promise<Environment> {
    return await this.#present(actor, await this.#find(actor, id));
  }

  /** Whether the actor wants it warm at any time. @throws AppError `quota_exceeded` */
  async keepWarm(actor: Actor, id: string, keep: boolean): Promise<Environment> {
    const { queries } = this.#context.database;
    const row = await this.#find(actor, id);
    if (!keep) await store.letCool(queries, row.id, actor.userId);
    else if (!(await store.keepWarm(queries, row.id, actor.userId, mostWarm)))
      throw new AppError("quota_exceeded", {
        message: `You want ${mostWarm} environments warm already.`,
        hint: "Let one of them cool first.",
        details: { limit: mostWarm },
      });
    this.#warmth.look();
    return await this.#present(actor, row);
  }

  /** Builds it, beside the caller. @throws AppError `forbidden` for `again`, unless an administrator asks; `queue_full` */
  async build(actor: Actor, id: string, again: boolean): Promise<Environment> {
    const row = await this.#find(actor, id);
    if (again) requirePermission(actor, "environment:manage");
    await this.#start(actor, row.id, again);
    return await this.#present(actor, await this.#begun(row));
  }

  /** Takes it from the disk. @throws AppError `environment_in_use` */
  async delete(actor: Actor, id: string): Promise<void> {
    requirePermission(actor, "environment:manage");
    const row = await this.#find(actor, id);
    const { database, layers } = this.#context;
    const [layer] = await store.findLayers(database.queries, layers.id, [row.id]);
    if (row.state === "building") throw new AppError("environment_in_use", { message: "It is being built." });
    if (layer === undefined) return;
    if (!(await this.#eviction.remove(layer.name))) throw new AppError("environment_in_use");
  }

  async storage(actor: Actor): Promise<EnvironmentStorage> {
    requirePermission(actor, "environment:list-all");
    const { database, layers, quotaBytes } = this.#context;
    const rows = await store.listLayers(database.queries, layers.id);
    const { held } = layers;
    return {
      layers: rows.length,
      usedBytes: rows.reduce((sum, row) => sum + row.size, 0),
      quotaBytes,
      inUse: rows.filter((row) => held.has(row.name)).length,
    };
  }

  async forProgram(actor: Actor, assetId: string, version: string | undefined): Promise<ProgramEnvironment> {
    const program = await this.#resolve(actor, "asset:read", assetId, version);
    return await this.#presentProgram(actor, program, async () => await this.#known(program));
  }

  /** Builds what a program needs, beside the caller. @throws AppError `dependencies_unsupported`, `queue_full` */
  async buildForProgram(
    actor: Actor,
    assetId: string,
    input: { version?: string | undefined; upgrade: boolean },
  ): Promise<ProgramEnvironment> {
    const program = await this.#resolve(actor, input.upgrade ? "asset:edit" : "asset:run", assetId, input.version);
    if (input.upgrade && input.version !== undefined)
      throw new AppError("invalid_request", {
        message: "A published version keeps the packages that it has.",
        fields: [{ path: "upgrade", message: "is for the working tree" }],
      });
    if (input.upgrade) this.#started.requireRoom(actor.userId); // before it is noted that the program has newer ones
    const id = await this.ofProgram(program, actor.userId, { upgrade: input.upgrade });
    if (id !== null) await this.#start(actor, id, false);
    return await this.#presentProgram(actor, program, async () => {
      const row = id === null ? undefined : await store.findEnvironment(this.#context.database.queries, id);
      return row === undefined ? null : await this.#begun(row);
    });
  }

  /** The log of the last build, as text. */
  async *log(actor: Actor, id: string): AsyncGenerator<Buffer> {
    const row = await this.#find(actor, id);
    for await (const record of this.#records(row)) yield bytesOf(record);
  }

  /** The hash of the lock. @throws AppError `not_found` before it has been built once */
  async lock(actor: Actor, id: string): Promise<string> {
    const { lock_sha256: lock } = await this.#find(actor, id);
    if (lock === null) throw new AppError("not_found", { message: "It has not been built yet." });
    return lock;
  }

  /** What happens in a build after `lastSeq`, up to and with `end`. */
  async *follow(actor: Actor, id: string, lastSeq: number, gone: AbortSignal): AsyncGenerator<EnvironmentEvent> {
    let row = await this.#find(actor, id);
    let seq = lastSeq;
    const { live: lives, database } = this.#context;
    while (!gone.aborted) {
      const live = lives.get(id);
      // One that was asked for and waits for its turn has not ended, whatever the row says of the one before.
      const isOver = () => lives.get(id) === undefined && row.state !== "building" && !this.#flights.has(id);
      for await (const record of live === undefined && isOver() ? this.#records(row) : this.#news(id, live, seq, gone)) {
        if (record.seq <= seq) continue;
        seq = record.seq;
        yield toEvent(record);
      }
      const before = row;
      row = (await store.findEnvironment(database.queries, id)) ?? row;
      // What another server said of it last went into its log when it ended.
      if (isOver() && live === undefined && row.log_sha256 !== before.log_sha256)
        for await (const record of this.#records(row)) {
          if (record.seq <= seq) continue;
          seq = record.seq;
          yield toEvent(record);
        }
      if (isOver())
        return yield { type: "end", seq: seq + 1, time: new Date().toISOString(), environment: await this.#present(actor, row) };
      await lives.changed(id, followMs, gone);
    }
  }

  async *#records(row: store.EnvironmentRow): AsyncGenerator<LogRecord> {
    const live = this.#context.live.get(row.id);
    if (live !== undefined) yield* live.snapshot();
    else if (row.state === "building") yield* this.#toldElsewhere(row.id, 0);
    else if (row.log_sha256 !== null && (await this.#context.blobs.has(row.log_sha256)))
      yield* readLog(this.#context.blobs, row.log_sha256);
  }

  /** What a build says that has not ended: first what a server has said that was lost with it, or is at it now. */
  async *#news(id: string, live: LiveRun | undefined, seq: number, gone: AbortSignal): AsyncGenerator<LogRecord> {
    if (live === undefined || seq < live.startSeq) yield* this.#toldElsewhere(id, seq);
    if (live !== undefined) yield* live.follow(seq, gone);
  }

  async *#toldElsewhere(id: string, seq: number): AsyncGenerator<LogRecord> {
    for (let last = seq; ;) {
      const told = await store.listBuildRecords(this.#context.database.queries, id, last);
      for (const { record } of told) yield* [decodeRecord(record)].filter((known) => known !== null);
      last = told.at(-1)?.seq ?? last;
      if (told.length < store.buildRecordPage) return;
    }
  }

  async #resolve(
    actor: Actor,
    action: "asset:read" | "asset:run" | "asset:edit",
    assetId: string,
    version: string | undefined,
  ): Promise<ProgramRef> {
    const { catalog, runtimes } = this.#context;
    const found = await catalog.resolve(actor, action, assetId, version, "program");
    const { runtime, runtimeVersion } = found.config;
    const installed = runtimes.get(runtimeVersion === null ? runtime : `${runtime}@${runtimeVersion}`);
    return {
      assetId,
      version: found.version,
      ownerId: found.asset.ownerId,
      treeSha256: found.tree?.sha256 ?? null,
      config: found.config,
      runtime: installed,
    };
  }

  /** What a program asks for. It is asked at each of its runs, and seldom something new. */
  async #request(program: ProgramRef): Promise<Asked | null> {
    const { treeSha256, config, runtime, request: given } = program;
    const key = JSON.stringify([treeSha256, config.dependencies, config.entrypoint, runtime.definition.name, runtime.version, given]);
    let known = this.#requests.get(key);
    if (known === undefined) {
      const request = given ?? (await this.#readRequest(program));
      known = { request, baseKey: request === null ? "" : requestKeyOf(request) };
      this.#requests.set(key, known);
    }
    const { request, baseKey } = known;
    if (request === null) return null;
    const scope = await this.#context.privateIndexes.scopeOf(program.ownerId, request.manager);
    return { request, baseKey, scope, key: scope === null ? baseKey : scopedKeyOf(baseKey, scope) };
  }

  /** What a program had before other indexes came to be asked: it keeps its versions, until somebody asks for newer ones. */
  async #lockOf(
    environmentId: string,
    asked: Asked,
    { version, ownerId }: ProgramRef,
  ): Promise<{ readonly lock: string; readonly asked: Asked } | null> {
    const row = await store.findEnvironment(this.#context.database.queries, environmentId);
    if (row === undefined || row.lock_sha256 === null || (row.base_key ?? row.request_key) !== asked.baseKey) return null;
    if (version === null && (await this.#hasMoved(row, asked))) return null;
    // What somebody's own indexes chose is never what others get for an equal request.
    const isPrivate = row.scope !== null && row.scope !== "system" && asked.scope !== ownerId;
    return { lock: row.lock_sha256, asked: isPrivate ? { ...asked, scope: ownerId, key: scopedKeyOf(asked.baseKey, ownerId) } : asked };
  }

  /** Whether one of its packages comes from another index now: its version may not be there. A pattern for everything is a mirror. */
  async #hasMoved(row: store.EnvironmentRow, { scope, request: { manager } }: Asked): Promise<boolean> {
    const indexesOf = async (of: string | null) =>
      (of === null ? [] : await this.#context.privateIndexes.ofScope(of, manager)).map((index) => ({
        ...index,
        packages: index.packages.filter((pattern) => pattern !== "*"),
      }));
    const [before, now] = await Promise.all([indexesOf(row.scope), indexesOf(scope)]);
    const names = EnvironmentSchema.shape.packages.parse(row.packages).map(({ name }) => name);
    return names.some((name) => routeOf(manager, before, name)?.id !== routeOf(manager, now, name)?.id);
  }

  async #readRequest({ treeSha256, config, runtime }: ProgramRef): Promise<EnvironmentRequest | null> {
    const entries = treeSha256 === null ? [] : await this.#context.trees.read(treeSha256);
    return await readRequest(this.#context.blobs, runtime, config, entries);
  }

  /** That they use it, written down now and then. */
  async #noteUser(id: string, userId: string): Promise<void> {
    const key = `${id} ${userId}`;
    if (this.#noted.has(key)) return;
    await store.noteUser(this.#context.database.queries, id, userId);
    this.#noted.set(key, true);
  }

  /** The environment for a request: one that is there, or, with `fresh`, one of today. */
  async #rowFor({ request, key: requestKey, baseKey, scope }: Asked, fresh: boolean, lock: string | null): Promise<store.EnvironmentRow> {
    const { database, blobs } = this.#context;
    const known = fresh || lock !== null ? undefined : await store.findForRequest(database.queries, requestKey);
    if (known !== undefined) return known;
    const { sha256 } = await blobs.put(Buffer.from(JSON.stringify(request.files)));
    const key = environmentKeyOf(requestKey, request, lock ?? new Date().toISOString().slice(0, 10));
    if (lock !== null) await blobs.keep([lock]);
    const { manager, language, runtimeVersion, source, dependencies } = request;
    const facts = { manager, language, runtimeVersion, source, dependencies, platform };
    return await store.insertEnvironment(database.queries, {
      id: newId("env"),
      key,
      requestKey,
      baseKey,
      scope,
      lockSha256: lock,
      requestSha256: sha256,
      ...facts,
    });
  }

  /** What a program has by now, without changing anything. */
  async #known(program: ProgramRef): Promise<store.EnvironmentRow | null> {
    const { queries } = this.#context.database;
    const asked = await this.#request(program);
    if (asked === null) return null;
    const pinned = await store.findPin(queries, program.assetId, program.version ?? "");
    const row =
      pinned !== undefined && isStillMeant(pinned, asked, program)
        ? await store.findEnvironment(queries, pinned.environment_id)
        : await store.findForRequest(queries, asked.key);
    return row ?? this.#imagined(asked);
  }

  /** What would be inserted when somebody needs it. */
  #imagined({ request, key: requestKey, baseKey, scope }: Asked): store.EnvironmentRow {
    const { manager, language, runtimeVersion, source, dependencies } = request;
    const now = new Date();
    const none = {
      phase: null,
      worker_id: null,
      error: null,
      lock_sha256: null,
      log_sha256: null,
      size: null,
      build_ms: null,
      building_since: null,
      built_at: null,
    };
    const facts = {
      id: "",
      key: "",
      request_key: requestKey,
      base_key: baseKey,
      scope,
      request_sha256: "",
      manager,
      language,
      runtime_version: runtimeVersion,
      platform,
      source,
    };
    return {
      ...facts,
      ...none,
      dependencies: [...dependencies],
      state: "none",
      packages: [],
      build_count: 0,
      created_at: now,
      used_at: now,
    };
  }

  async #presentProgram(actor: Actor, program: ProgramRef, find: () => Promise<store.EnvironmentRow | null>): Promise<ProgramEnvironment> {
    const facts = { programId: program.assetId, version: program.version };
    try {
      const row = await find();
      return { ...facts, environment: row === null ? null : await this.#present(actor, row), problem: null };
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "dependencies_unsupported") throw error;
      return {
        ...facts,
        environment: null,
        problem: { code: error.code, message: error.message, hint: error.hint, fields: [...error.fields] },
      };
    }
  }

  /** The layer on this disk, held; null when there is none. */
  async #take(id: string, wasThere: boolean): Promise<ReadyEnvironment | null> {
    const { database, layers } = this.#context;
    const known = this.#uses.get(id);
    const held = known === undefined ? null : layers.hold(known.layer);
    if (known !== undefined && held !== null) return { id, wasThere, release: held, ...known };
    const layer = await store.useLayer(database.queries, id, layers.id);
    const row = layer === undefined ? undefined : await store.findEnvironment(database.queries, id);
    if (layer === undefined || row === undefined) return null;
    const release = layers.hold(layer.name);
    if (release === null) {
      await store.forgetLayer(database.queries, layer.name);
      return null;
    }
    const use = useOfLayer(row.manager, layer.name);
    this.#uses.set(id, use);
    return { id, wasThere, release, ...use };
  }

  async #build(id: string, again: boolean, waiter: Waiter): Promise<void> {
    const build = async (...[ended, tell, people]: Parameters<Parameters<Flights["join"]>[2]>) => {
      await this.#builds.build(id, again, people, ended, tell);
      await this.#eviction.makeRoom();
    };
    await this.#flights.join(id, waiter, build, () => this.#builds.reconsider());
    const row = await store.findEnvironment(this.#context.database.queries, id);
    if (row?.state === "failed") throw new EnvironmentFailedError(EnvironmentErrorSchema.parse(row.error));
  }

  /** Beside everything else; what comes of it stands in the row. @throws AppError `queue_full` */
  async #start(actor: Actor, id: string, again: boolean): Promise<void> {
    if (!again && (await this.isReady(id))) return;
    const started = this.#started.begin(actor.userId, id);
    if (started === null) return;
    this.#build(id, again, { personId: actor.userId, signal: new AbortController().signal, onPhase: () => {} })
      .catch((error: unknown) => {
        if (!(error instanceof EnvironmentFailedError))
          this.#context.logger.warn({ err: error, environmentId: id }, "an environment could not be built");
      })
      .finally(started.end);
  }

  /** The row as it is when the build that was just asked for has been begun. */
  async #begun(row: store.EnvironmentRow): Promise<store.EnvironmentRow> {
    await this.#context.live.changed(row.id, 50, new AbortController().signal);
    return (await store.findEnvironment(this.#context.database.queries, row.id)) ?? row;
  }

  async #find(actor: Actor, id: string): Promise<store.EnvironmentRow> {
    const { queries } = this.#context.database;
    const row = id.includes("\0") ? undefined : await store.findEnvironment(queries, id);
    if (row === undefined) throw new AppError("not_found");
    const level = (await store.isUser(queries, row.id, actor.userId)) ? "view" : null;
    requirePermission(actor, "environment:read", { type: "environment", id, ownerId: null, visibility: "private", level });
    return row;
  }

  async #present(actor: Actor, row: store.EnvironmentRow): Promise<Environment> {
    const standing = await this.#standings(actor, [row]);
    const programs = row.id === "" ? 0 : await store.countPrograms(this.#context.database.queries, row.id);
    return toEnvironment(row, standing(row), programs);
  }

  /** What is known of some of them besides their rows. */
  async #standings(actor: Actor, rows: readonly store.EnvironmentRow[]): Promise<(row: store.EnvironmentRow) => Standing> {
    const { database, layers } = this.#context;
    const ids = rows.map((row) => row.id);
    const [found, keepers] = await Promise.all([
      store.findLayers(database.queries, layers.id, ids),
      store.findKeepers(database.queries, ids),
    ]);
    const here = new Set(found.map((layer) => layer.environment_id));
    return (row) => {
      const isHere = here.has(row.id);
      const keeping = keepers.filter((keeper) => keeper.environment_id === row.id);
      const warmth = {
        isWarm: isHere && this.#warmth.isBooted(row.language, row.runtime_version),
        isKept: keeping.length > 0,
        byYou: keeping.some((keeper) => keeper.user_id === actor.userId),
      };
      return { isHere, isCurrent: this.#hasRuntime(row), isWaiting: this.#flights.has(row.id), warmth };
    };
  }

  async #buildAhead(id: string, personId: string): Promise<void> {
    const ready = await this.prepare(id, { personId, signal: new AbortController().signal });
    ready.release();
  }

  #hasRuntime({ language, runtime_version: version }: store.EnvironmentRow): boolean {
    try {
      return this.#context.runtimes.get(`${language}@${version}`).version === version;
    } catch {
      return false;
    }
  }
}

/** What was built with indexes of the owner's stays when these are gone. */
function isStillMeant(
  { request_key: key }: { readonly request_key: string },
  { key: asked, baseKey }: Asked,
  program: ProgramRef,
): boolean {
  return key === asked || key === scopedKeyOf(baseKey, program.ownerId);
}

function toEvent(record: LogRecord): EnvironmentEvent {
  const time = new Date(record.time).toISOString();
  if (record.type === "log") return { type: "log", seq: record.seq, time, text: record.text ?? bytesOf(record).toString() };
  const phase = Phase.safeParse(record.type === "status" ? record.phase : null);
  return { type: "phase", seq: record.seq, time, phase: phase.success ? phase.data : null };
}
