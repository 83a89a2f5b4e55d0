import type { EnvironmentError, EnvironmentPhase } from "@syla/contracts/environments";
import { AppError, errorCatalog } from "@syla/contracts/errors";
import type { SandboxLimits } from "@syla/sandbox/spec";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Credentials } from "../credentials/service.ts";
import { diskError } from "../platform/blob-files.ts";
import type { Blobs } from "../platform/blobs.ts";
import { databaseError, notify, type Database } from "../platform/database.ts";
import type { Logger } from "../platform/logger.ts";
import type { LiveRuns } from "../runs/live-runs.ts";
import type { LiveRun } from "../runs/live-run.ts";
import { encodeRecord, writeLog } from "../runs/service.ts";
import { withVersion, type Runtimes } from "../runtimes/service.ts";
import type { Sandboxes } from "../sandboxes/service.ts";
import { buildLayer, diskFull, type Built } from "./build.ts";
import { PackageGateway, type IndexProblem } from "./indexes/package-gateway.ts";
import type { Indexes } from "./indexes/service.ts";
import { BuildTurns } from "./build-turns.ts";
import type { LayerStore } from "./layer-store.ts";
import type { PackageIndexes } from "./package-index.ts";
import type { Manager } from "./request.ts";
import * as store from "./store.ts";
import { findTool, type ToolFolders } from "./tools.ts";

/** How often whoever waits for a build of another server looks. */
const pollMs = 300;
/** How often those who follow a build at another server are told. */
const tellMs = 250;
const lockNames: Readonly<Record<Manager, string>> = { uv: "lock.txt", npm: "package-lock.json", go: "go.sum" };
const RequestFiles = z.record(z.string(), z.string());

type OnPhase = (phase: EnvironmentPhase) => void;

/** What building takes. */
export interface BuildsContext {
  readonly database: Database;
  readonly blobs: Blobs;
  readonly sandboxes: Sandboxes;
  readonly runtimes: Runtimes;
  readonly logger: Logger;
  readonly layers: LayerStore;
  readonly indexes: PackageIndexes;
  /** Those of people and teams. */
  readonly privateIndexes: Pick<Indexes, "ofScope" | "scopeOf">;
  readonly credentials: Pick<Credentials, "reveal">;
  readonly tools: ToolFolders;
  /** Logs of builds while they go on, under the environment's id. */
  readonly live: LiveRuns;
  readonly limits: SandboxLimits;
  readonly workerId: string;
  /** The Python that the builder runs on. */
  readonly python: string;
}

/** Brings environments into existence: each once, however many wait for it. */
export class Builds {
  readonly #context: BuildsContext;
  readonly #turns = new BuildTurns();
  #stopped = false;

  constructor(context: BuildsContext) {
    this.#context = context;
  }

  /** No build is begun any more. */
  stop(): void {
    this.#stopped = true;
    this.#turns.release();
  }

  /** Somebody more waits for a build: it may be its turn now. */
  reconsider(): void {
    this.#turns.reconsider();
  }

  /**
   * Builds an environment for `people`, or waits until another server has. Resolves when it has ended, well or not. `again`: also when it is there.
   *
   * @throws AppError, SandboxError, the signal's reason
   */
  async build(id: string, again: boolean, people: ReadonlySet<string>, signal: AbortSignal, onPhase: OnPhase): Promise<void> {
    for (let waited = false; ; waited = true) {
      const leave = await this.#turns.enter(people, signal);
      try {
        if (this.#stopped) throw new AppError("shutting_down", { retryAfter: 5 });
        const found = await this.#claim(id, again, waited);
        if (found === "done") return;
        if (found !== "taken") return await this.#make(found, signal, onPhase);
      } finally {
        leave(); // what another server builds keeps no turn of this one
      }
      await this.#otherServer(id, signal, onPhase);
    }
  }

  /** `done`: another server has ended it meanwhile, and what came of it stands in the row. `taken`: one is at it. */
  async #claim(id: string, again: boolean, waited: boolean): Promise<store.ClaimedEnvironment | "done" | "taken"> {
    const { database, workerId, layers } = this.#context;
    const [here] = await store.findLayers(database.queries, layers.id, [id]);
    if (here !== undefined && layers.has(here.name) && !again) return "done";
    const row = await store.findEnvironment(database.queries, id);
    if (row === undefined) throw new AppError("not_found");
    if (waited && row.state === "failed") return "done";
    if (row.state === "building") return "taken";
    return (await store.claimEnvironment(database.queries, id, workerId)) ?? "taken";
  }

  /** Resolves when no other server is at it any more. */
  async #otherServer(id: string, signal: AbortSignal, onPhase: OnPhase): Promise<void> {
    for (let phase: EnvironmentPhase | null = null; ; await sleep(pollMs, undefined, { signal })) {
      const row = await store.findEnvironment(this.#context.database.queries, id);
      if (row?.state !== "building" || this.#stopped) return;
      if (row.phase !== null && row.phase !== phase) onPhase((phase = row.phase));
    }
  }

  async #make(row: store.ClaimedEnvironment, signal: AbortSignal, onPhase: (phase: EnvironmentPhase) => void): Promise<void> {
    const { live: lives, database, workerId, logger } = this.#context;
    const live = lives.open(row.id, row.last_record);
    const over = new AbortController();
    const telling = this.#tellOthers(row.id, live, over.signal);
    const told = () => {
      over.abort();
      return telling;
    };
    const began = performance.now();
    let written = Promise.resolve();
    let phase: EnvironmentPhase = "resolve";
    const enter = (next: EnvironmentPhase) => {
      phase = next;
      live.status("starting", phase, row.build_count + 1);
      onPhase(phase);
      // In order: the last one is what a reader sees. Nothing else depends on it.
      written = written
        .then(() => store.setBuildPhase(database.queries, row.id, workerId, phase))
        .then(() => this.#announce(row.id))
        .catch(() => {});
    };
    enter("resolve");
    try {
      const built = await this.#run(row, signal, enter, (data) => live.output("stdout", data));
      await live.close();
      await told();
      const log = (await writeLog(this.#context.blobs, live.content())).sha256;
      if (built.error === null) await this.#keep(row, built, log, performance.now() - began);
      else await this.#persist(() => store.failBuild(database.queries, row.id, workerId, built.error, log));
    } catch (error) {
      logger.info({ err: error, environmentId: row.id }, "an environment was not built");
      await told();
      // Its files, its log or its lock found no room.
      const isFull = diskError(error) !== undefined || (error instanceof AppError && error.code === "storage_full");
      const failure = isFull ? diskFull(phase) : null;
      await this.#persist(() => store.failBuild(database.queries, row.id, workerId, failure, isFull ? null : row.log_sha256));
      if (!isFull) throw error;
    } finally {
      await live.discard();
      lives.close(row.id);
      await this.#announce(row.id);
    }
  }

  async #run(
    row: store.EnvironmentRow,
    signal: AbortSignal,
    onPhase: (phase: EnvironmentPhase) => void,
    onOutput: (data: Buffer) => void,
  ): Promise<Built> {
    const { runtimes, tools, indexes, blobs, limits, python, sandboxes, layers } = this.#context;
    const runtime = runtimes.get(withVersion(row.language, row.runtime_version));
    const tool = findTool(row.manager, runtime, tools);
    const base = await indexes.of(row.manager);
    const gateway = row.scope === null ? null : await this.#openGateway(row.scope, row.manager, base.url);
    const index = gateway?.adapt(base) ?? base;
    // Without indexes of somebody's own it is nobody's: what is built is shared, and holds nothing of whoever asked for it.
    const place = { tenant: row.scope === null ? "environments" : `environments ${row.scope}`, hosts: gateway?.hosts ?? {} };
    const files = RequestFiles.parse(JSON.parse((await blobs.get(row.request_sha256)).toString()));
    const lock = row.lock_sha256 === null ? {} : { [lockNames[row.manager]]: (await blobs.get(row.lock_sha256)).toString() };
    const job = { manager: row.manager, files: { ...files, ...lock }, tool, index, ...place, python, limits, signal, onPhase, onOutput };
    const built = await buildLayer({ ...job, links: linksOf(row, tool.interpreter) }, sandboxes, layers);
    return built.error === null || gateway?.problem == null ? built : { error: blame(gateway.problem, built.error) };
  }

  async #openGateway(scope: string, manager: Manager, fallback: string): Promise<PackageGateway> {
    const { privateIndexes, credentials } = this.#context;
    const routed = await privateIndexes.ofScope(scope, manager);
    return new PackageGateway({ manager, indexes: routed, fallback, reveal: (id) => credentials.reveal(id, "index") });
  }

  /** The layer is used from the moment that the row says so, and not before. */
  async #keep(row: store.EnvironmentRow, built: Extract<Built, { error: null }>, logSha256: string, buildMs: number): Promise<void> {
    const { database, blobs, layers, workerId } = this.#context;
    const { name, size, fileCount, digest } = built.layer;
    try {
      const lock = row.lock_sha256 ?? (await blobs.put(built.lock)).sha256;
      const end = {
        layer: { name, size, file_count: fileCount, digest },
        storeId: layers.id,
        lockSha256: lock,
        logSha256,
        packages: built.packages,
        buildMs,
      };
      const before = await this.#persist(() => store.finishBuild(database.queries, row.id, workerId, end));
      if (before === undefined) await layers.remove(name); // somebody thought that we were gone
      else if (before !== null && layers.condemn(before)) await layers.remove(before);
    } catch (error) {
      await layers.remove(name);
      throw error;
    }
  }

  /** Writes down what it says, for who follows it at another server. Best effort: all of it is stored when it has ended. */
  async #tellOthers(id: string, live: LiveRun, over: AbortSignal): Promise<void> {
    const { database, workerId } = this.#context;
    for (let seq = live.lastSeq; !over.aborted;) {
      await sleep(tellMs, undefined, { signal: over }).catch(() => {});
      const records: store.BuildRecord[] = [];
      try {
        for await (const record of live.snapshot(seq)) records.push({ seq: record.seq, record: encodeRecord(record) });
        if (records.length > 0) await store.addBuildRecords(database.queries, id, workerId, records);
        seq = records.at(-1)?.seq ?? seq;
      } catch {
        // once more with what comes next
      }
    }
  }

  async #announce(id: string): Promise<void> {
    await notify(this.#context.database.queries, store.changedChannel, id).catch(() => {});
  }

  /** Repeats a write until the database is back, for a while: then the build counts as lost with this server. */
  async #persist<T>(write: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await write();
      } catch (error) {
        if (this.#stopped || tries === 30 || databaseError(error) === undefined) throw error;
        await sleep(1000);
      }
    }
  }
}

/** What went wrong with an index of somebody's own is said in its words: the package manager only saw that nothing came. */
function blame({ index, code, detail }: IndexProblem, error: EnvironmentError): EnvironmentError {
  const { hint } = errorCatalog[code];
  return { ...error, class: "infrastructure", code, message: `The package index ${index} could not be used: ${detail}.`, hint };
}

/** What a Python environment has besides packages: the way to its interpreter. */
function linksOf({ manager, runtime_version: version }: store.EnvironmentRow, interpreter: string): Record<string, string> {
  if (manager !== "uv") return {};
  const minor = version.split(".").slice(0, 2).join(".");
  return { "bin/python": interpreter, "bin/python3": "python", [`bin/python${minor}`]: "python" };
}
