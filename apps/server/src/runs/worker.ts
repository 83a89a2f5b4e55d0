import { AppError } from "@syla/contracts/errors";
import { setTimeout as sleep } from "node:timers/promises";
import type { ResultCache } from "../cache/service.ts";
import type { ModelAccess } from "../gateway/run-access.ts";
import type { Blobs, WrittenBlob } from "../platform/blobs.ts";
import { databaseError, type Database, type Work } from "../platform/database.ts";
import type { Logger } from "../platform/logger.ts";
import type { Notifications } from "../platform/notifications.ts";
import type { Service } from "../platform/service.ts";
import type { Quotas } from "../quotas/service.ts";
import { withVersion, type InstalledRuntime, type Runtimes } from "../runtimes/service.ts";
import type { Sandboxes } from "../sandboxes/service.ts";
import { insertArtifacts } from "./artifacts/store.ts";
import { Batch } from "./batch.ts";
import type { Compilations } from "./compilations/service.ts";
import { runConfigs } from "./config.ts";
import { Execution, type Outcome } from "./execution.ts";
import { FreshRecords } from "./fresh-records.ts";
import { JudgedExecution } from "./judging/judged-execution.ts";
import type { LiveRun } from "./live-run.ts";
import type { LiveRuns } from "./live-runs.ts";
import { attachFound } from "./found-log.ts";
import { readLog, writeLog } from "./log-records.ts";
import type { Preparation } from "./prepare-program.ts";
import type { Heads } from "./presenter.ts";
import type { QueueBell } from "./queue-bell.ts";
import { nobody } from "./rehearsal.ts";
import { emptyResult } from "./result.ts";
import { isReusable } from "./reuse.ts";
import { type RunRecord, writtenRecord } from "./run-record.ts";
import { Slots } from "./slots.ts";
import { tellOwner } from "./tell-owner.ts";
import {
  announceQueued,
  cancelChannel,
  claimRuns,
  findCancelRequests,
  finishRuns,
  hasQueued,
  insertConnections,
  markRunning,
  queuedChannel,
  readQueuedPayload,
  requeueRun,
  requeueUnheld,
  resumeDecided,
  setPhase,
  suspendRun,
  triesOf,
  type RunEnd,
  type RunRow,
} from "./store.ts";
import type { LiveFacts } from "./tracing/spans.ts";
import { runError, type Verdict } from "./verdict.ts";
import { placeOfRow, type Warmth } from "./warmth.ts";

/** What the hooks of a composition end it with where somebody has to decide. */
const askingExitCode = 75;
/** How often a run is tried that never got to its program. */
export const maxTries = 3;
/** How often the queue is looked at when nobody says that there is something in it. */
const pollMs = 1000;
const retryDelayMs = 500;
/** When a worker is to take nothing more, what is about to begin has so long to do so; then it is handed back. */
const handBackMs = 1000;
/** A claim looks at so many people at least: one that brings as many runs may have left some of others. */
const lookedAtPeople = 64;

/** What a worker needs. */
export interface WorkerContext {
  readonly database: Database;
  readonly notifications: Notifications;
  readonly blobs: Blobs;
  readonly sandboxes: Sandboxes;
  readonly compilations: Compilations;
  readonly environments: Preparation["environments"];
  readonly trees: Preparation["trees"];
  readonly treeFolders: Preparation["treeFolders"];
  readonly workspaces: Preparation["workspaces"];
  readonly openSecrets: Preparation["openSecrets"];
  /** How the nodes of compositions stand. */
  readonly nodes: {
    /** Whether an attempt came to where somebody decides. */
    asked(run: Pick<RunRow, "id" | "attempt">): Promise<boolean>;
    /** The path of the node that failed first. */
    failed(runId: string): Promise<string | null>;
    /** Tells those who may decide. */
    tellWaiting(work: Work, run: RunRow): Promise<void>;
  };
  /** Notes how the newest run of a program stands. */
  readonly noteProgramRun: (
    assetId: string,
    run: { readonly id: string; readonly status: RunRow["status"]; readonly at: Date },
  ) => Promise<void>;
  /** Counts a run that has ended. */
  readonly onEnded: (row: RunRow) => void;
  readonly runtimes: Runtimes;
  readonly liveRuns: LiveRuns;
  readonly cache: ResultCache;
  readonly quotas: Pick<Quotas, "concurrency" | "mayHaveWaiting" | "areShared">;
  readonly modelAccess: ModelAccess;
  readonly logger: Logger;
  readonly workerId: string;
  readonly slots: number;
  readonly warmth: Warmth;
  /** What tells of the queue besides PostgreSQL. */
  readonly bell: Pick<QueueBell, "listen">;
}

/** A run that has ended, as it stands in the database, with the beginning of its output. */
export interface FinishedRun {
  readonly row: RunRow;
  readonly heads: Heads;
}

/** Takes runs from the queue, or straight from a submission while a slot is free and nothing waits, and runs them. */
export class Worker implements Service {
  readonly name = "worker";
  readonly #context: WorkerContext;
  readonly #active = new Map<string, Execution | JudgedExecution>();
  /** Runs that have a slot each, with whose they are; they may be in the database before they are in {@link #active}. */
  readonly #reserved = new Map<string, Reservation>();
  readonly #records = new Set<RunRecord>();
  readonly #fresh: FreshRecords;
  readonly #ends: Batch<RunEnd, boolean>;
  readonly #ended = Promise.withResolvers<void>();
  /** End its hearing of the queue, and of what is to be cancelled. */
  readonly #leaveQueue: (() => void)[] = [];
  #leaveCancels = (): void => {};
  readonly #slots: Slots;
  #wake = Promise.withResolvers<void>();
  /** When the queue is looked at for what was left to others. */
  #later: { readonly timer: NodeJS.Timeout; readonly at: number } | null = null;
  #handBack: NodeJS.Timeout | null = null;
  #draining = false;
  #stopping = false;
  #stopped = false;
  /** A claim failed: it may have been written all the same. */
  #claimUnsure = false;
  #besidesAt = 0;

  constructor(context: WorkerContext) {
    this.#context = context;
    this.#slots = new Slots(context.slots, () => this.#wake.resolve());
    this.#fresh = new FreshRecords(() => context.notifications.isConnected);
    this.#ends = new Batch(async (ends) => {
      const written = new Set(await finishRuns(context.database.queries, context.workerId, ends));
      return ends.map((end) => written.has(end.id));
    });
  }

  get id(): string {
    return this.#context.workerId;
  }

  /** How many runs there are whose records have not been begun: what those may wait for that have ended. */
  get unrecorded(): number {
    let count = 0;
    for (const record of this.#records) if (!record.begun) count += 1;
    return count;
  }

  /** A slot for a run that was just submitted, now or, when `soon`, within a moment. False: the run has to queue. */
  async reserve({ id, ownerId }: { readonly id: string; readonly ownerId: string }, soon: boolean, priority: number): Promise<boolean> {
    const reserved = soon ? await this.#slots.takeSoon(ownerId, priority) : this.#slots.take(ownerId);
    if (reserved) this.#reserved.set(id, { ownerId });
    else this.#slots.noteQueued();
    return reserved;
  }

  /** Gives back a reserved slot that was not needed. `reservation`: not the one that another attempt has meanwhile. */
  unreserve(id: string, reservation = this.#reserved.get(id)): void {
    if (reservation === undefined || this.#reserved.get(id) !== reservation) return;
    this.#reserved.delete(id);
    this.#slots.giveBack(reservation.ownerId);
  }

  wake(): void {
    this.#slots.noteQueued();
    this.#wake.resolve();
  }

  /** Something was queued that others may have more ready for, or more room. */
  #consider(places: readonly string[]): void {
    const delayMs = this.#context.warmth.delayMs(places, this.#slots.load);
    if (delayMs === 0) return this.wake();
    const at = performance.now() + delayMs;
    if (this.#later !== null && this.#later.at <= at) return;
    clearTimeout(this.#later?.timer);
    const look = () => {
      this.#later = null;
      this.wake();
    };
    this.#later = { at, timer: setTimeout(look, delayMs).unref() };
  }

  /** Takes nothing more, and hands back what does not begin by itself within a moment. What runs goes on. */
  pause(): void {
    this.#slots.close();
    this.#handBack ??= setTimeout(() => {
      for (const execution of this.#active.values()) execution.handBack();
    }, handBackMs).unref();
  }

  /** Takes runs again, unless the server is about to end. */
  resume(): void {
    if (this.#draining || !this.#slots.isClosed) return;
    clearTimeout(this.#handBack ?? undefined);
    this.#handBack = null;
    this.#slots.open();
  }

  /**
   * Runs what was submitted with a reserved slot, until it is recorded. `onEnded`, when nobody knew of the run before: it has ended, and
   * its record is on its way to the database, where a killed server cannot stop it.
   */
  async performReserved(
    row: RunRow,
    runtime: InstalledRuntime,
    begin: () => Promise<void>,
    record: RunRecord,
    onEnded: (finished: FinishedRun) => void,
  ): Promise<FinishedRun> {
    return await this.#perform(row, () => runtime, begin, record, onEnded);
  }

  /** What is known here of a run that goes on, ahead of its row. */
  liveFacts(id: string): LiveFacts | null {
    return this.#active.get(id) ?? null;
  }

  /** Ends a run at once that could not be recorded. */
  abandon(id: string): void {
    this.#active.get(id)?.cancel(0);
  }

  /** Gives back a reserved slot whose run could not be recorded; if it was recorded all the same, the run goes to the queue. */
  async giveBack(id: string): Promise<void> {
    const reservation = this.#reserved.get(id);
    try {
      await this.#persist(() => requeueRun(this.#context.database.queries, { id, attempt: 1 }, this.id, "database_unavailable"));
    } finally {
      if (reservation !== undefined) this.unreserve(id, reservation);
    }
  }

  async run(): Promise<void> {
    const { notifications, database, workerId, logger } = this.#context;
    this.#leaveQueue.push(
      await notifications.listen(
        queuedChannel,
        (payload) => this.#consider(readQueuedPayload(payload)),
        () => {
          this.#fresh.repeatAll();
          this.wake();
        },
      ),
    );
    // A server that runs nothing does not stand for one that hears of the queue.
    if (this.#context.slots > 0)
      this.#leaveQueue.push(await this.#context.bell.listen((payload) => this.#consider(readQueuedPayload(payload))));
    const resync = () =>
      void findCancelRequests(database.queries, workerId).then(
        (ids) => ids.forEach((id) => this.cancel(id)),
        () => {},
      );
    this.#leaveCancels = await notifications.listen(cancelChannel, (id) => this.cancel(id), resync);
    while (!this.#draining) {
      this.#wake = Promise.withResolvers<void>();
      try {
        await this.#claim();
      } catch (error) {
        logger.warn({ err: error }, "the queue could not be read");
      }
      await Promise.race([this.#wake.promise, sleep(pollMs, undefined, { ref: false })]);
    }
    await this.#ended.promise;
  }

  /** Notes, ahead of the program, that it runs. Throws when the run is no longer this worker's. */
  async begin(id: string, attempt: number): Promise<void> {
    const marked = await markRunning(this.#context.database.queries, id, this.id, attempt);
    if (marked === undefined) throw new LostRunError();
    if (marked.cancel_requested_at !== null) this.cancel(id);
  }

  cancel(id: string): void {
    this.#active.get(id)?.cancel();
  }

  /** What runs goes on, and can be cancelled still. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.pause();
    this.#wake.resolve();
    for (const leave of this.#leaveQueue) leave();
    while (this.#slots.used > 0 && !this.#stopped) await sleep(20);
  }

  /** Ends what still runs: the sandboxes go, the runs are recorded as lost. */
  async stop(): Promise<void> {
    this.#draining = true;
    this.#stopping = true;
    this.#slots.close();
    this.#leaveCancels();
    await this.#context.sandboxes.stop();
    const deadline = Date.now() + 5000;
    while (this.#slots.used > 0 && Date.now() < deadline) await sleep(10);
    this.#stopped = true;
    this.#ended.resolve();
  }

  async #claim(): Promise<void> {
    const free = this.#slots.takeAll();
    if (free === 0) return await this.#claimBesides();
    let rows: RunRow[] | null = null;
    try {
      rows = await this.#claimRuns(free, null);
    } finally {
      this.#slots.settleClaim(free, rows?.map((row) => row.owner_id) ?? null);
    }
    this.#startClaimed(rows);
    if (rows.length >= lookedAtPeople && rows.length < free) this.wake();
  }

  /** All slots are one person's: a run of somebody else's does not wait for their end. Looked for no more often than the queue is anyway. */
  async #claimBesides(): Promise<void> {
    if (performance.now() - this.#besidesAt < pollMs / 2) return;
    const besides = this.#slots.takeBesides();
    if (besides === null) return;
    this.#besidesAt = performance.now();
    let rows: RunRow[] = [];
    try {
      rows = await this.#claimRuns(1, besides.soleHolder);
    } finally {
      this.#slots.settleBesides(rows.map((row) => row.owner_id));
    }
    this.#startClaimed(rows);
  }

  #startClaimed(rows: readonly RunRow[]): void {
    for (const row of rows) {
      this.unreserve(row.id); // an attempt that has just been put back may not have ended here yet
      this.#reserved.set(row.id, { ownerId: row.owner_id });
      void this.#performClaimed(row);
    }
    // They were on their way when it was to take nothing more.
    if (this.#slots.isClosed) for (const { id } of rows) this.#active.get(id)?.handBack();
  }

  /** `except`: whose runs stay in the queue. */
  async #claimRuns(count: number, except: string | null): Promise<RunRow[]> {
    const { database, quotas } = this.#context;
    const { queries } = database;
    if (this.#claimUnsure) await requeueUnheld(queries, this.id, [...this.#active.keys(), ...this.#reserved.keys()]);
    this.#claimUnsure = true;
    const rows = await claimRuns(queries, this.id, count, quotas.concurrency, except);
    this.#claimUnsure = false;
    return rows;
  }

  async #performClaimed(row: RunRow): Promise<void> {
    const runtime = () => this.#context.runtimes.get(withVersion(row.language, runConfigs.parse(row.config).version));
    await this.#perform(row, runtime, () => this.begin(row.id, row.attempt), writtenRecord()).catch(() => {}); // said there
  }

  /**
   * One attempt, from an opened log to a recorded end. The slot is given back whatever happens.
   */
  async #perform(
    row: RunRow,
    runtime: () => InstalledRuntime,
    begin: () => Promise<void>,
    record: RunRecord,
    onEnded: (finished: FinishedRun) => void = () => {},
  ): Promise<FinishedRun> {
    const reservation = this.#reserved.get(row.id);
    const live = this.#context.liveRuns.open(row.id);
    let execution: Execution | JudgedExecution | undefined;
    let isEnding = false;
    this.#records.add(record);
    try {
      if (row.log_sha256 !== null) for await (const logged of readLog(this.#context.blobs, row.log_sha256)) live.restore(logged);
      live.status("queued", null, row.attempt, row.log_sha256 === null ? row.created_at.getTime() : Date.now());
      live.status("starting", "waiting_for_sandbox", row.attempt);
      execution = this.#prepare(row, runtime(), live, begin);
      this.#active.set(row.id, execution);
      if (row.cancel_requested_at !== null) execution.cancel();
      const outcome = await execution.perform();
      const taken = this.#takenFor(outcome);
      if (taken !== null || (outcome.retryable && triesOf(row) < maxTries)) {
        await record.ensure();
        return await this.#retry(row, live, taken ?? outcome.verdict.error?.code ?? "internal", taken === null);
      }
      if (row.kind === "composition" && (await this.#isAsking(row, outcome))) {
        const suspended = await this.#suspend(row, live, outcome);
        if (suspended !== null) return suspended;
      }
      isEnding = true;
      return await this.#finish(row, live, await this.#nameNode(row, outcome), record, onEnded);
    } catch (error) {
      if (!(error instanceof LostRunError) && endCodeOf(error) === "internal")
        this.#context.logger.error({ err: error, runId: row.id }, "a run could not be brought to its end");
      await live.discard();
      await this.#giveUp(row, { begun: execution?.begun === true, isEnding }, error);
      throw error;
    } finally {
      if (this.#active.get(row.id) === execution) this.#active.delete(row.id);
      this.#records.delete(record);
      this.#context.liveRuns.close(row.id, live);
      if (reservation !== undefined) this.unreserve(row.id, reservation);
      if (row.api_key_id !== null || this.#context.quotas.mayHaveWaiting(row.owner_id)) void this.#callNext(row.owner_id);
    }
  }

  /** A run of somebody who may have only so many at once has ended: the next of theirs may start, here or elsewhere. */
  async #callNext(ownerId: string): Promise<void> {
    const { queries } = this.#context.database;
    const whose = this.#context.quotas.areShared(ownerId) ? null : ownerId;
    const call = async () => ((await hasQueued(queries, whose)) ? await announceQueued(queries) : undefined);
    await call().catch(() => {}); // the queue is looked at every now and then anyway
  }

  #prepare(row: RunRow, runtime: InstalledRuntime, live: LiveRun, begin: () => Promise<void>): Execution | JudgedExecution {
    const attempt = {
      runId: row.id,
      ownerId: row.owner_id,
      keyId: row.api_key_id,
      number: row.attempt,
      runtime,
      entrypoint: row.entrypoint,
      config: runConfigs.parse(row.config),
      live,
      claimedAt: row.claimed_at?.getTime() ?? Date.now(),
      begin,
      onPhase: (phase: string) => void this.#notePhase(row, phase),
    };
    if (attempt.config.tests !== null) return new JudgedExecution(attempt, this.#context);
    const { blobs, sandboxes, modelAccess } = this.#context;
    return new Execution(attempt, blobs, sandboxes, this.#context, modelAccess);
  }

  /** What a reader sees meanwhile; nothing depends on it. */
  async #notePhase(row: RunRow, phase: string): Promise<void> {
    await setPhase(this.#context.database.queries, row, this.id, phase).catch(() => {});
  }

  /**
   * No run stays behind: what has not begun, because the database was out of reach, goes back to the queue; what else fails, ends. `isEnding`: its end is
   * on its way to the database, however long that takes.
   */
  async #giveUp(row: RunRow, { begun, isEnding }: { begun: boolean; isEnding: boolean }, error: unknown): Promise<void> {
    if (error instanceof LostRunError) return;
    const { queries } = this.#context.database;
    const isOutage = databaseError(error) !== undefined;
    if (isOutage && isEnding) return;
    if (isOutage && !begun) {
      // Whoever waits for the run is told now, not when the database is back.
      this.#persist(() => requeueRun(queries, row, this.id, "database_unavailable")).catch(() => {}); // the next start sees to it
      return;
    }
    const code = endCodeOf(error);
    const verdict = { status: "failed", exitCode: null, signal: null, error: runError("infrastructure", code) } as const;
    const nothing = { startedAt: null, result: emptyResult, logSha256: null, logSize: 0, artifactCount: 0 };
    const end: RunEnd = { id: row.id, attempt: row.attempt, finishedAt: new Date(), verdict, ...nothing };
    const write = async () => {
      const ids = await this.#persist(() => finishRuns(queries, this.id, [end]));
      if (ids.length > 0) this.#noteEnded(endedRow(row, end));
    };
    const written = write();
    if (isOutage) written.catch(() => {}); // as above
    else await written;
  }

  /** Why the run is to be another worker's; null: it is not. */
  #takenFor({ handedBack, retryable }: Outcome): string | null {
    if (!handedBack && !(retryable && this.#stopping)) return null;
    return this.#draining ? "worker_stopped" : "worker_drained";
  }

  async #retry(row: RunRow, live: LiveRun, cause: string, later: boolean): Promise<FinishedRun> {
    const delayMs = later ? retryDelayMs * 4 ** (triesOf(row) - 1) : 0;
    await live.discard(); // the next attempt, which may be here, writes the same file
    await this.#persist(() => requeueRun(this.#context.database.queries, row, this.id, cause, delayMs));
    return { row: { ...row, status: "queued" }, heads: { stdout: "", stderr: "" } };
  }

  async #finish(
    row: RunRow,
    live: LiveRun,
    outcome: Outcome,
    record: RunRecord,
    onEnded: (finished: FinishedRun) => void,
  ): Promise<FinishedRun> {
    const { verdict, log } = await this.#seal(live, outcome);
    const { database, liveRuns } = this.#context;
    const watched = liveRuns.isWatched(row.id);
    const artifacts = outcome.artifacts.map(({ mimeType, ...artifact }) => ({ ...artifact, run_id: row.id, mime_type: mimeType }));
    const end: RunEnd = {
      id: row.id,
      attempt: row.attempt,
      startedAt: outcome.startedAt,
      finishedAt: new Date(),
      verdict,
      result: outcome.result,
      logSha256: log?.sha256 ?? null,
      logSize: log?.size ?? 0,
      artifactCount: artifacts.length,
    };
    const { connections } = outcome;
    if (artifacts.length > 0 || connections.length > 0) {
      await record.ensure().catch((error: unknown) => this.#settleLater(end, error));
      await this.#persist(() => insertArtifacts(database.queries, artifacts));
      await this.#persist(() => insertConnections(database.queries, row.id, connections));
    }
    const finished = { row: endedRow(row, end), heads: { stdout: live.stdoutHead, stderr: live.stderrHead } };
    const written = await this.#recordEnd(end, record, log, () => onEnded(finished));
    if (!written) {
      if (log !== null) await this.#persist(() => attachFound(database.queries, this.#context.blobs, row.id, log.sha256));
      throw new LostRunError();
    }
    if (outcome.startedAt !== null) this.#context.warmth.note(placeOfRow(row));
    this.#noteEnded(finished.row);
    await live.discard(log !== null);
    await this.#settleCache(finished.row);
    this.#noteProgram(finished.row);
    tellOwner(database.queries, finished.row, watched).catch((error: unknown) => {
      this.#context.logger.warn({ err: error, runId: row.id }, "the owner of a run could not be told of its end");
    });
    return finished;
  }

  /** It has ended by itself because somebody has to decide something. */
  async #isAsking(row: RunRow, { verdict }: Outcome): Promise<boolean> {
    return (
      verdict.exitCode === askingExitCode &&
      verdict.error?.class === "user_code" &&
      (await this.#persist(() => this.#context.nodes.asked(row)))
    );
  }

  /** Lets go of a run until somebody has decided; they may have by now. Null when it was cancelled meanwhile. */
  async #suspend(row: RunRow, live: LiveRun, { startedAt }: Outcome): Promise<FinishedRun | null> {
    const { queries } = this.#context.database;
    live.status("waiting", "approval", row.attempt);
    await live.close();
    const log = await this.#persist(() => writeLog(this.#context.blobs, live.content()));
    await log.sync();
    const suspend = async (work: Work) => {
      if (!(await suspendRun(work, row, this.id, { startedAt, logSha256: log.sha256 }))) return false;
      await this.#context.nodes.tellWaiting(work, row);
      return true;
    };
    if (!(await this.#persist(() => queries.transaction().execute(suspend)))) return null;
    await live.discard(true);
    await this.#persist(() => queries.transaction().execute((work) => resumeDecided(work, row.id)));
    const heads = { stdout: live.stdoutHead, stderr: live.stderrHead };
    return { row: { ...row, status: "waiting" }, heads };
  }

  /** Says which node of a composition was at fault. */
  async #nameNode(row: RunRow, outcome: Outcome): Promise<Outcome> {
    const { error } = outcome.verdict;
    if (row.kind !== "composition" || error?.class !== "user_code") return outcome;
    const node = await this.#persist(() => this.#context.nodes.failed(row.id));
    return node === null ? outcome : { ...outcome, verdict: { ...outcome.verdict, error: { ...error, node } } };
  }

  #noteEnded(row: RunRow): void {
    if (row.owner_id !== nobody) this.#context.onEnded(row);
  }

  /** What the catalog shows of it; nothing depends on it. */
  #noteProgram({ asset_id: assetId, id, status, finished_at: at }: RunRow): void {
    if (assetId !== null) this.#context.noteProgramRun(assetId, { id, status, at: at ?? new Date() }).catch(() => {});
  }

  /** A result that is not kept is only produced again. */
  async #settleCache(row: RunRow): Promise<void> {
    const key = runConfigs.parse(row.config).cache;
    if (key === null) return;
    await this.#context.cache.settle({ ...key, ownerId: row.owner_id }, row.id, isReusable(row)).catch((error: unknown) => {
      this.#context.logger.warn({ err: error, runId: row.id }, "a result could not be kept");
    });
  }

  /** False when the run is no longer this worker's. A run that nobody knew of yet is not worth waiting for the disk (decision 0006). */
  async #recordEnd(end: RunEnd, record: RunRecord, log: WrittenBlob | null, onSent: () => void): Promise<boolean> {
    let sent = false;
    const noteSent = () => {
      sent = true;
      onSent();
    };
    const inserted = await record.insertEnded(end, noteSent).catch(async (error: unknown) => {
      if (!sent || databaseError(error) === undefined) return this.#settleLater(end, error);
      await this.#persist(() => record.insertAgain(end));
      return true;
    });
    if (inserted) {
      this.#fresh.add(() => this.#persist(() => record.insertAgain(end)));
      return true;
    }
    const [written] = await Promise.all([this.#persist(() => this.#ends.add(end)), log?.sync()]);
    return written;
  }

  /** A row whose insertion failed may be there all the same, when the connection broke before the answer came: it gets its end later. */
  #settleLater(end: RunEnd, error: unknown): never {
    if (databaseError(error) !== undefined) this.#persist(() => this.#ends.add(end)).catch(() => {}); // the next start sees to it
    throw error;
  }

  /** Stores the log. A disk that is full does not lose the run, but the run says so. */
  async #seal(live: LiveRun, outcome: Outcome): Promise<{ verdict: Verdict; log: WrittenBlob | null }> {
    const ended = outcome.verdict.error?.code === "sandbox_failed" && this.#stopping;
    const verdict = ended ? { ...outcome.verdict, error: runError("infrastructure", "worker_lost") } : outcome.verdict;
    try {
      await live.close();
      return { verdict, log: await this.#persist(() => writeLog(this.#context.blobs, live.content())) };
    } catch (error) {
      this.#context.logger.error({ err: error, runId: live.id }, "a log could not be stored");
      const code = (error as NodeJS.ErrnoException).code === "ENOSPC" ? "storage_full" : endCodeOf(error);
      return {
        verdict: { ...outcome.verdict, status: "failed", error: runError("infrastructure", code) },
        log: null,
      };
    }
  }

  /** Repeats a write until the database is back. */
  async #persist<T>(write: () => Promise<T>): Promise<T> {
    for (let delay = 50; ; delay = Math.min(delay * 2, 2000)) {
      try {
        return await write();
      } catch (error) {
        if (this.#stopped || databaseError(error) === undefined) throw error;
        await sleep(delay);
      }
    }
  }
}

/** A slot that an attempt at a run has. */
interface Reservation {
  readonly ownerId: string;
}

/** What ends a run that could not be brought to its end, by the code of the error. Whatever else it was is said in the log. */
const endCodes: ReadonlyMap<string, "runtime_unavailable" | "storage_full" | "storage_unavailable" | "database_unavailable"> = new Map([
  ["unknown_language", "runtime_unavailable"],
  ["unknown_version", "runtime_unavailable"],
  ["storage_full", "storage_full"],
  ["storage_unavailable", "storage_unavailable"],
  ["database_unavailable", "database_unavailable"],
]);

function endCodeOf(error: unknown) {
  const known = error instanceof AppError ? error : databaseError(error);
  return endCodes.get(known?.code ?? "") ?? "internal";
}

/** The run was given to somebody else, or has been ended, while this process did not answer. */
class LostRunError extends Error {
  override readonly name = "LostRunError";
}

function endedRow(row: RunRow, end: RunEnd): RunRow {
  const { verdict } = end;
  return {
    ...row,
    status: verdict.status,
    phase: null,
    started_at: end.startedAt,
    finished_at: end.finishedAt,
    exit_code: verdict.exitCode,
    signal: verdict.signal,
    error: verdict.error,
    result: end.result,
    log_sha256: end.logSha256,
    log_size: end.logSize,
    artifact_count: end.artifactCount,
  };
}
