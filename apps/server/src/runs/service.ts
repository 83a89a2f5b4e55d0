import { setTimeout as sleep } from "node:timers/promises";
import { AppError, type FieldProblem } from "@syla/contracts/errors";
import { NetworkConnection, type RunNetwork } from "@syla/contracts/network";
import {
  isFinal,
  runStatuses,
  type Artifact,
  type FileInput,
  type Run,
  type RunEvent,
  type RunFilter,
  type RunInput,
  type RunSummary,
} from "@syla/contracts/runs";
import type { InputFile } from "@syla/sandbox/spec";
import { TestReport } from "@syla/contracts/tests";
import type { Actor } from "../access/actor.ts";
import { during, requirePermission, type Access, type Thing } from "../access/service.ts";
import type { ResultCache } from "../cache/service.ts";
import type { Blobs } from "../platform/blobs.ts";
import type { Database } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import { withVersion, type Runtimes } from "../runtimes/service.ts";
import type { Sandboxes } from "../sandboxes/service.ts";
import { Batch } from "./batch.ts";
import { cacheKeyOf } from "./cache-key.ts";
import { defaultLimits, runConfigs } from "./config.ts";
import { readInputFiles } from "./read-input-files.ts";
import type { LiveRuns } from "./live-runs.ts";
import { toEvent } from "./log-records.ts";
import { toRun, toSummary } from "./presenter.ts";
import { requireNetwork, toRunNetwork } from "./network.ts";
import { QueueGauge } from "./queue-gauge.ts";
import { Reuse } from "./reuse.ts";
import { runResults } from "./result.ts";
import { RunLogs } from "./run-logs.ts";
import { RunRecord, writtenRecord } from "./run-record.ts";
import { checkSubmission, storeSubmission, type Submission } from "./submission.ts";
import * as store from "./store.ts";
import type { FinishedRun, Worker } from "./worker.ts";

/** Where somebody follows a run that is not here (queued, or on another server), the database is asked this often. */
const followPollMs = 500;

export { requireNetwork, toConnection } from "./network.ts";

/** What the runs domain is made of. */
export interface RunsContext {
  readonly access: Access;
  readonly database: Database;
  readonly blobs: Blobs;
  readonly runtimes: Runtimes;
  readonly sandboxes: Sandboxes;
  readonly liveRuns: LiveRuns;
  readonly worker: Worker;
  readonly cache: ResultCache;
  readonly queueLimit: number;
}

/** How long whoever looks for a run waits until it is in the database. */
const recordingMs = 2000;

/** A run that is recorded while it starts: it stands there as what it is at that moment. */
type StartedRun = { -readonly [K in keyof store.NewRun]: store.NewRun[K] };

/** How a submission is wanted. */
export interface SubmitOptions {
  readonly idempotencyKey: string | null;
  /** Resolve when the run has ended. */
  readonly wait: boolean;
  readonly signal: AbortSignal;
}

/** Runs: submit, read, follow, cancel. Every call checks the actor's permission. */
export class Runs {
  readonly #context: RunsContext;
  readonly #inserts: Batch<store.NewRun, boolean>;
  /** Of runs that have ended. One connection: two that lock the row of the same owner cost PostgreSQL more than they gain. */
  readonly #records: Batch<store.NewRun, boolean>;
  readonly #queue: QueueGauge;
  readonly #reuse: Reuse;
  readonly #logs: RunLogs;
  /** Runs that may be answered before they are in the database, by id. */
  readonly #recording = new Map<string, Promise<void>>();

  constructor(context: RunsContext) {
    this.#context = context;
    this.#logs = new RunLogs(context);
    this.#reuse = new Reuse({
      cache: context.cache,
      liveRuns: context.liveRuns,
      find: async (id) => {
        const recording = this.#recording.get(id);
        if (recording !== undefined) await this.#recorded([recording]);
        return await store.findRun(context.database.queries, id);
      },
      present: (row) => this.#present(row),
    });
    this.#queue = new QueueGauge(() => store.countQueued(context.database.queries), context.queueLimit);
    this.#inserts = new Batch(async (runs) => await this.#insert(runs));
    this.#records = new Batch(async (runs) => await this.#insert(runs), { lanes: 1 });
  }

  /** Records a run and starts it, at once when a slot is free. The answer is the run as it is then, or as it ended with `wait`. */
  async submit(actor: Actor, input: RunInput, options: SubmitOptions): Promise<Run> {
    requireNetwork(actor, input.network, this.#context.sandboxes);
    const checked = await checkSubmission({ ...this.#context, queries: this.#context.database.queries }, actor.userId, input);
    const key = cacheKeyOf(actor.userId, input, checked);
    // A key that has made a run stands for that run.
    const spent = options.idempotencyKey !== null && key !== null && (await this.#isSpent(actor.userId, options.idempotencyKey));
    const known = key === null || spent ? null : await this.#reuse.find(key, wallMsOf(input), options);
    if (known?.run !== undefined) return known.run;
    const submission = await storeSubmission(this.#context, checked, input, key);
    return await this.#enqueue(actor, submission, null, options, known?.id);
  }

  /** The same configuration again, as a new run. */
  async rerun(actor: Actor, id: string, options: SubmitOptions): Promise<Run> {
    const row = await this.#find(actor, id, "run:rerun");
    const config = runConfigs.parse(row.config);
    requireNetwork(actor, config.network, this.#context.sandboxes);
    const runtime = this.#context.runtimes.get(withVersion(row.language, config.version));
    const submission: Submission = {
      runtime,
      entrypoint: row.entrypoint,
      config: { ...config, cache: null },
      priority: row.priority,
      requestHash: `rerun ${id}`,
      written: Promise.resolve(),
      synced: () => Promise.resolve(),
    };
    return await this.#enqueue(actor, submission, id, options);
  }

  /** Files of a request as a sandbox takes them. @throws AppError `invalid_path`, `blob_unknown` */
  async inputFiles(actor: Actor, files: readonly FileInput[]): Promise<AsyncIterable<InputFile>> {
    return await readInputFiles(this.#context.database.queries, this.#context.blobs, actor.userId, files);
  }

  async get(actor: Actor, id: string): Promise<Run> {
    return await this.#present(await this.#find(actor, id, "run:read"));
  }

  async list(actor: Actor, filter: RunFilter): Promise<{ items: RunSummary[]; nextCursor: string | null }> {
    if (filter.owner === "all") requirePermission(actor, "run:list-all");
    checkStatuses(filter.status);
    if (filter.q?.includes("\0") === true || filter.language?.includes("\0") === true) return { items: [], nextCursor: null };
    await this.allRecorded();
    const rows = await store.listRuns(this.#context.database.queries, filter, actor, decodeCursor(filter.cursor));
    const items = rows.slice(0, filter.limit);
    const last = rows.length > filter.limit ? items.at(-1) : undefined;
    return { items: items.map(toSummary), nextCursor: last === undefined ? null : encodeCursor(last.id) };
  }

  /** Resolves when the runs that were answered are in the database, and their results kept; after a while in any case. */
  async allRecorded(): Promise<void> {
    await this.#recorded(this.#recording.values());
  }

  /** What sharing needs to know of a run. Undefined when there is none. */
  async thing(id: string): Promise<Thing | undefined> {
    const row = await this.#row(id);
    return row === undefined ? undefined : toThing(row);
  }

  /** Shows a run to everybody who is signed in, or only to those it is shared with. */
  async setVisibility(actor: Actor, id: string, visibility: Thing["visibility"]): Promise<Run> {
    await this.#find(actor, id, "run:share");
    const row = await store.setVisibility(this.#context.database.queries, id, visibility);
    if (row === undefined) throw new AppError("not_found");
    return await this.#present(row);
  }

  async cancel(actor: Actor, id: string): Promise<Run> {
    await this.#find(actor, id, "run:cancel");
    const row = await store.requestCancel(this.#context.database.queries, id);
    if (row === undefined) throw new AppError("run_finished");
    this.#context.worker.cancel(id);
    return await this.#present(row);
  }

  /** The run's events after `lastSeq`, live, up to and with `end`, or to the end of the actor's access. */
  async *follow(actor: Actor, id: string, lastSeq: number, gone: AbortSignal): AsyncGenerator<RunEvent> {
    const row = await this.#find(actor, id, "run:read");
    const hold = this.#context.access.hold(actor, "run:read", toThing(row), () => this.thing(id), gone);
    yield* during(hold, this.#events(row, lastSeq, hold.signal));
  }

  async *#events(found: store.RunRow, lastSeq: number, signal: AbortSignal): AsyncGenerator<RunEvent> {
    const { id } = found;
    let row = found;
    let seq = lastSeq;
    while (!signal.aborted) {
      const live = this.#context.liveRuns.get(id);
      for await (const record of live?.follow(seq, signal) ?? this.#logs.stored(row, seq)) {
        seq = record.seq;
        yield toEvent(record);
      }
      row = (await store.findRun(this.#context.database.queries, id)) ?? row;
      if (isFinal(row.status) && this.#context.liveRuns.get(id) === undefined) {
        for await (const record of this.#logs.stored(row, seq)) {
          seq = record.seq;
          yield toEvent(record);
        }
        return yield { type: "end", seq: seq + 1, time: (row.finished_at ?? new Date()).toISOString(), run: await this.#present(row) };
      }
      await this.#context.liveRuns.changed(id, followPollMs, signal);
    }
  }

  /** What the program wrote, byte for byte, or every event as a JSON line. */
  async *log(actor: Actor, id: string, stream: "stdout" | "stderr" | "all", format: "raw" | "jsonl"): AsyncGenerator<Buffer> {
    const row = await this.#find(actor, id, "run:read");
    yield* this.#logs.bytes(row, stream, format);
  }

  async artifacts(actor: Actor, id: string): Promise<Artifact[]> {
    await this.#find(actor, id, "run:read");
    const rows = await store.listArtifacts(this.#context.database.queries, id);
    return rows.map(({ id: artifactId, path, size, sha256, mime_type }) => ({ id: artifactId, path, size, sha256, mimeType: mime_type }));
  }

  async artifact(actor: Actor, id: string, artifactId: string): Promise<store.ArtifactRow> {
    await this.#find(actor, id, "run:read");
    const row = artifactId.includes("\0") ? undefined : await store.findArtifact(this.#context.database.queries, id, artifactId);
    if (row === undefined) throw new AppError("not_found");
    return row;
  }

  /** The connections that the run made. */
  async network(actor: Actor, id: string): Promise<RunNetwork> {
    const row = await this.#find(actor, id, "run:read");
    const stored = await store.findConnections(this.#context.database.queries, id);
    const result = row.result === null ? null : runResults.parse(row.result);
    return toRunNetwork(runConfigs.parse(row.config), result, stored === null ? [] : NetworkConnection.array().parse(stored));
  }

  /** The hash of an input file, or of what was on stdin (`path` null). */
  async input(actor: Actor, id: string, path: string | null): Promise<string | null> {
    const config = runConfigs.parse((await this.#find(actor, id, "run:read")).config);
    if (path === null) return config.stdin?.sha256 ?? null;
    const file = config.files.find((candidate) => candidate.path === path);
    if (file === undefined) throw new AppError("not_found");
    return file.sha256;
  }

  /** What came of the run's test cases. */
  async testReport(actor: Actor, id: string): Promise<TestReport> {
    const row = await this.#find(actor, id, "run:read");
    const report = row.result === null ? undefined : runResults.parse(row.result).tests?.report;
    if (report === undefined || !(await this.#context.blobs.has(report))) throw new AppError("not_found");
    return TestReport.parse(JSON.parse((await this.#context.blobs.get(report)).toString()));
  }

  async recordUpload(actor: Actor, sha256: string, size: number): Promise<void> {
    await store.recordUpload(this.#context.database.queries, actor.userId, sha256, size);
  }

  async #enqueue(
    actor: Actor,
    submission: Submission,
    retryOf: string | null,
    options: SubmitOptions,
    id: string = newId("run"),
  ): Promise<Run> {
    const { worker } = this.#context;
    const createdAt = new Date();
    const reserved = await worker.reserve(options.wait, submission.priority);
    const compiles = submission.runtime.definition.compile !== null;
    const run: StartedRun = {
      id,
      ownerId: actor.userId,
      language: submission.runtime.definition.name,
      entrypoint: submission.entrypoint,
      config: submission.config,
      requestHash: submission.requestHash,
      idempotencyKey: options.idempotencyKey,
      retryOf,
      priority: submission.priority,
      createdAt,
      claimedAt: reserved ? new Date() : null,
      workerId: reserved ? worker.id : null,
      phase: reserved && compiles ? "compiling" : null,
      end: null,
    };
    if (reserved) return await this.#startNow(run, submission, options);
    const isNew = await this.#queue.admit(() => this.#insertWith(submission, run));
    const row = isNew === true ? rowOf(run) : await this.#repeated(run);
    if (row === undefined) throw new AppError("queue_full", { retryAfter: 5 });
    return options.wait ? await this.#waitRow(row.id, options.signal) : await this.#present(row);
  }

  /** Runs in a slot that is free. With an idempotency key the row comes first: the same request may be on its way twice. */
  async #startNow(run: StartedRun, submission: Submission, options: SubmitOptions): Promise<Run> {
    const { worker } = this.#context;
    if (options.idempotencyKey !== null) {
      const isNew = await this.#insertWith(submission, run).catch((error: unknown) => {
        void worker.giveBack(run.id).catch(() => {}); // the run's own error is what counts
        throw error;
      });
      if (!isNew) {
        worker.unreserve();
        const first = await this.#repeated(run);
        if (first === undefined) throw new AppError("conflict");
        return options.wait ? await this.#waitRow(first.id, options.signal) : await this.#present(first);
      }
    }
    const record = options.idempotencyKey === null ? this.#newRecord(run, submission) : writtenRecord();
    const ended = Promise.withResolvers<FinishedRun>();
    const begin = async () => {
      if (run.phase === null) return;
      run.phase = null;
      if (!record.begun) return;
      await record.ensure();
      await store.markRunning(this.#context.database.queries, run.id, worker.id, 1);
    };
    const done = worker.performReserved(rowOf(run), submission.runtime, begin, record, (finished) => {
      this.#keepTrack(run.id, done);
      ended.resolve(finished);
    });
    done.catch(() => {}); // seen by whoever waits; otherwise the row itself tells
    if (!options.wait) {
      await record.ensure();
      return await this.#present(rowOf(run));
    }
    record.defer(() => worker.abandon(run.id));
    const finished = await Promise.race([ended.promise, done]).catch((error: unknown) => {
      if (!record.written) throw error;
      return null; // whatever became of it is in the database
    });
    if (finished === null || !isFinal(finished.row.status)) return await this.#waitRow(run.id, options.signal);
    return toRun(finished.row, finished.heads);
  }

  async #isSpent(ownerId: string, idempotencyKey: string): Promise<boolean> {
    return (await store.findByIdempotencyKey(this.#context.database.queries, ownerId, idempotencyKey)) !== undefined;
  }

  /** Whoever looks for the run from now on waits until it can be found. */
  #keepTrack(id: string, done: Promise<unknown>): void {
    const recorded = done.then(
      () => void this.#recording.delete(id),
      () => void this.#recording.delete(id),
    );
    this.#recording.set(id, recorded);
  }

  async #recorded(records: Iterable<Promise<void>>): Promise<void> {
    if (this.#recording.size > 0) await Promise.race([Promise.all(records), sleep(recordingMs, undefined, { ref: false })]);
  }

  #newRecord(run: store.NewRun, submission: Submission): RunRecord {
    return new RunRecord(async (end, onSent) => {
      if (end === null) return void (await this.#insertWith(submission, run));
      await submission.written;
      await this.#records.add({ ...run, end }, onSent);
    });
  }

  async #insert(runs: readonly store.NewRun[]): Promise<boolean[]> {
    const { database } = this.#context;
    const inserted = new Set(await store.insertRuns(database, runs));
    if (runs.some((run) => run.workerId === null && inserted.has(run.id))) await store.announceQueued(database.queries);
    return runs.map((run) => inserted.has(run.id));
  }

  /** Inserts a run once its content is on the disk. False: its idempotency key was used before. */
  async #insertWith(submission: Submission, run: store.NewRun): Promise<boolean> {
    await submission.synced();
    return await this.#inserts.add(run);
  }

  /** The run that the same key made before, if any. @throws AppError `idempotency_conflict` when the request was another one */
  async #repeated(run: store.NewRun): Promise<store.RunRow | undefined> {
    const row =
      run.idempotencyKey === null
        ? undefined
        : await store.findByIdempotencyKey(this.#context.database.queries, run.ownerId, run.idempotencyKey);
    if (row !== undefined && row.request_hash !== run.requestHash) throw new AppError("idempotency_conflict");
    return row;
  }

  async #waitRow(id: string, signal: AbortSignal): Promise<Run> {
    for (;;) {
      const row = await store.findRun(this.#context.database.queries, id);
      if (row === undefined) throw new AppError("not_found");
      if (isFinal(row.status) || signal.aborted) return await this.#present(row);
      await this.#context.liveRuns.changed(id, followPollMs, signal);
    }
  }

  async #row(id: string): Promise<store.RunRow | undefined> {
    const recording = this.#recording.get(id);
    if (recording !== undefined) await this.#recorded([recording]);
    return id.includes("\0") ? undefined : await store.findRun(this.#context.database.queries, id);
  }

  async #find(actor: Actor, id: string, action: "run:read" | "run:cancel" | "run:rerun" | "run:share"): Promise<store.RunRow> {
    const row = await this.#row(id);
    if (row === undefined) throw new AppError("not_found");
    await this.#context.access.require(actor, action, toThing(row));
    return row;
  }

  async #present(row: store.RunRow): Promise<Run> {
    return toRun(row, await this.#logs.heads(row));
  }
}

function toThing(row: store.RunRow): Thing {
  return {
    type: "run",
    id: row.id,
    ownerId: row.owner_id,
    visibility: row.visibility === "public" ? "public" : "private",
    name: row.entrypoint,
  };
}

function wallMsOf(input: RunInput): number {
  return input.limits.wallMs ?? defaultLimits.wallMs;
}

/** The row of a new run, as the database has it or will have it. */
function rowOf(run: store.NewRun): store.RunRow {
  return {
    id: run.id,
    kind: "execution",
    status: store.statusOf(run),
    phase: run.phase,
    owner_id: run.ownerId,
    visibility: "private",
    language: run.language,
    entrypoint: run.entrypoint,
    config: run.config,
    request_hash: run.requestHash,
    idempotency_key: run.idempotencyKey,
    retry_of: run.retryOf,
    parent_run_id: null,
    priority: run.priority,
    attempt: 1,
    available_at: run.createdAt,
    worker_id: run.workerId,
    cancel_requested_at: null,
    created_at: run.createdAt,
    claimed_at: run.claimedAt,
    ...store.notEnded,
  };
}

function encodeCursor(id: string): string {
  return Buffer.from(id).toString("base64url");
}

function decodeCursor(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const id = Buffer.from(cursor, "base64url").toString();
  if (!/^run_[0-9a-z]{26}$/.test(id)) throw new AppError("invalid_cursor");
  return id;
}

function checkStatuses(text: string | undefined): void {
  const unknown = (text?.split(",") ?? []).filter((status) => !runStatuses.some((known) => known === status));
  const fields: FieldProblem[] = unknown.map((status) => ({ path: "status", message: `${JSON.stringify(status)} is not a status` }));
  if (fields.length > 0) throw new AppError("invalid_request", { message: `Unknown status. Known: ${runStatuses.join(", ")}.`, fields });
}
