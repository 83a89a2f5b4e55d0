import type { NetworkConnection } from "@syla/contracts/network";
import type { RunError, RunFilter, RunStatus } from "@syla/contracts/runs";
import { CompiledQuery, sql, type Insertable, type Selectable } from "kysely";
import { sharedWith, visibleTo, type Viewer } from "../access/service.ts";
import { notify, type Database, type Queries, type Work } from "../platform/database.ts";
import type { Schema } from "../platform/schema.ts";
import type { RunConfig } from "./config.ts";
import type { RunResult } from "./result.ts";
import type { Verdict } from "./verdict.ts";

export type RunRow = Selectable<Schema["runs"]>;
export type ArtifactRow = Selectable<Schema["artifacts"]>;

/** Channels of the runs domain: work was queued; a run (payload: its id) is to be cancelled. */
export const queuedChannel = "runs_queued";
export const cancelChannel = "runs_cancel";

/** A run to be inserted. `workerId` set: it is claimed from the start and never waits in the queue. */
export interface NewRun {
  readonly id: string;
  readonly ownerId: string;
  readonly language: string;
  readonly entrypoint: string;
  readonly config: RunConfig;
  readonly requestHash: string;
  readonly idempotencyKey: string | null;
  readonly retryOf: string | null;
  readonly priority: number;
  readonly createdAt: Date;
  /** Null together with `workerId`. */
  readonly claimedAt: Date | null;
  readonly workerId: string | null;
  /** What is done before the program of a claimed run starts; null when it may be running. */
  readonly phase: string | null;
  /** The run has ended before its row was written. */
  readonly end: RunEnd | null;
}

/** The end of a run, written by the worker that has it. */
export interface RunEnd {
  readonly id: string;
  readonly attempt: number;
  readonly startedAt: Date | null;
  readonly finishedAt: Date;
  readonly verdict: Verdict;
  readonly result: RunResult;
  readonly logSha256: string | null;
  readonly artifactCount: number;
}

/**
 * Inserts runs, in one statement. Answers the ids that are new; one with a used idempotency key, or that is there, is not among them. Runs that have ended
 * already do not wait for the disk: a power cut within PostgreSQL's `wal_writer_delay` can take them, a killed process cannot.
 */
export async function insertRuns(database: Database, runs: readonly NewRun[]): Promise<string[]> {
  const rows = runs.map(toRow);
  const relaxed = runs.every((run) => run.end !== null);
  const text = (insertTexts[`${rows.length} ${relaxed}`] ??= insertQuery(database.queries, rows, relaxed).compile().sql);
  const values = rows.flatMap((row) => Object.values(row));
  const inserted =
    rows.length > mostPrepared
      ? (await database.queries.executeQuery<{ id: string }>(CompiledQuery.raw(text, values))).rows
      : await database.runPrepared<{ id: string }>({ name: `insert_runs_${rows.length}${relaxed ? "_relaxed" : ""}`, text }, values);
  return inserted.map((row) => row.id);
}

/** Statements for so many runs at once are prepared; more at once come seldom, and each would be kept by each connection. */
const mostPrepared = 8;

/** Texts of `insertQuery` by their shape: building one takes longer than the database needs for it. Batches are small numbers. */
const insertTexts: Record<string, string> = {};

function insertQuery(queries: Queries, rows: readonly NewRow[], relaxed: boolean) {
  return queries
    .insertInto("runs")
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .returning(relaxed ? ["id", commitWithoutWaiting] : ["id"]);
}

type NewRow = Insertable<Schema["runs"]>;

/** Every column that an insertion sets, always in the same order. */
function toRow(run: NewRun): NewRow {
  return {
    id: run.id,
    kind: "execution",
    status: run.end?.verdict.status ?? statusOf(run),
    phase: run.end === null ? run.phase : null,
    owner_id: run.ownerId,
    language: run.language,
    entrypoint: run.entrypoint,
    config: JSON.stringify(run.config),
    request_hash: run.requestHash,
    idempotency_key: run.idempotencyKey,
    retry_of: run.retryOf,
    priority: run.priority,
    created_at: run.createdAt,
    available_at: run.createdAt,
    worker_id: run.workerId,
    claimed_at: run.claimedAt,
    ...(run.end === null ? notEnded : endColumns(run.end)),
  };
}

/** Of a run that has not ended. */
export function statusOf({ workerId, phase }: Pick<NewRun, "workerId" | "phase">): RunStatus {
  if (workerId === null) return "queued";
  return phase === null ? "running" : "starting";
}

/** The end of a run that has none yet. */
export const notEnded = {
  started_at: null,
  finished_at: null,
  exit_code: null,
  signal: null,
  error: null,
  result: null,
  log_sha256: null,
  artifact_count: 0,
} satisfies EndColumns;

/** A column to be returned that turns the wait for the write-ahead log off, for this statement's transaction. */
const commitWithoutWaiting = sql<string>`(select set_config('synchronous_commit', 'off', true))`.as("synchronous_commit");

type EndColumns = Pick<
  NewRow,
  "started_at" | "finished_at" | "exit_code" | "signal" | "error" | "result" | "log_sha256" | "artifact_count"
>;

function endColumns(end: RunEnd): EndColumns {
  return {
    started_at: end.startedAt,
    finished_at: end.finishedAt,
    exit_code: end.verdict.exitCode,
    signal: end.verdict.signal,
    error: end.verdict.error === null ? null : storableJson(end.verdict.error),
    result: storableJson(end.result),
    log_sha256: end.logSha256,
    artifact_count: end.artifactCount,
  };
}

/** Tells the workers that there is something in the queue. */
export async function announceQueued(queries: Queries): Promise<void> {
  await notify(queries, queuedChannel, "");
}

export async function findByIdempotencyKey(queries: Queries, ownerId: string, key: string): Promise<RunRow | undefined> {
  return await queries.selectFrom("runs").selectAll().where("owner_id", "=", ownerId).where("idempotency_key", "=", key).executeTakeFirst();
}

export async function findRun(queries: Queries, id: string): Promise<RunRow | undefined> {
  return await queries.selectFrom("runs").selectAll().where("id", "=", id).executeTakeFirst();
}

/** One page, newest first; `before` is the id after which the page starts. One row more than `filter.limit` tells that there is a next page. */
export async function listRuns(queries: Queries, filter: RunFilter, viewer: Viewer, before: string | null): Promise<RunRow[]> {
  let query = queries.selectFrom("runs").selectAll();
  if (filter.owner === "me") query = query.where("owner_id", "=", viewer.userId);
  if (filter.owner === "shared") query = query.where(sharedWith(viewer, "run"));
  if (filter.owner === "visible") query = query.where(visibleTo(viewer, "run"));
  if (before !== null) query = query.where("id", "<", before);
  if (filter.status !== undefined) query = query.where("status", "in", filter.status.split(",") as RunStatus[]);
  if (filter.language !== undefined) query = query.where("language", "in", filter.language.split(","));
  if (filter.kind !== undefined) query = query.where("kind", "=", filter.kind);
  if (filter.since !== undefined) query = query.where("created_at", ">=", new Date(filter.since));
  if (filter.until !== undefined) query = query.where("created_at", "<", new Date(filter.until));
  if (filter.q !== undefined) {
    const pattern = `%${filter.q.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
    query = query.where((where) => where.or([where("id", "ilike", pattern), where("entrypoint", "ilike", pattern)]));
  }
  return await query
    .orderBy("id", "desc")
    .limit(filter.limit + 1)
    .execute();
}

/** Shows a run to everybody, or only to those it is shared with. */
export async function setVisibility(queries: Queries, id: string, visibility: "private" | "public"): Promise<RunRow | undefined> {
  return await queries.updateTable("runs").set({ visibility }).where("id", "=", id).returningAll().executeTakeFirst();
}

export async function countQueued(queries: Queries): Promise<number> {
  const row = await queries
    .selectFrom("runs")
    .select((select) => select.fn.countAll<number>().as("count"))
    .where("status", "=", "queued")
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Gives up to `count` queued runs to a worker: highest priority first, then the longest waiting. */
export async function claimRuns(queries: Queries, workerId: string, count: number): Promise<RunRow[]> {
  return await queries
    .updateTable("runs")
    .set({ status: "starting", phase: "waiting_for_sandbox", worker_id: workerId, claimed_at: sql<Date>`now()` })
    .where("id", "in", (nested) =>
      nested
        .selectFrom("runs")
        .select("id")
        .where("status", "=", "queued")
        .where("available_at", "<=", sql<Date>`now()`)
        .orderBy("priority", "desc")
        .orderBy("available_at")
        .orderBy("id")
        .limit(count)
        .forUpdate()
        .skipLocked(),
    )
    .returningAll()
    .execute();
}

/** Marks a claimed run as running, before the program gets to run. Undefined when the run is no longer this worker's. */
export async function markRunning(
  queries: Queries,
  id: string,
  workerId: string,
  attempt: number,
): Promise<Pick<RunRow, "cancel_requested_at"> | undefined> {
  return await queries
    .updateTable("runs")
    .set({ status: "running", phase: null, started_at: sql<Date>`now()` })
    .where("id", "=", id)
    .where("worker_id", "=", workerId)
    .where("attempt", "=", attempt)
    .where("status", "=", "starting")
    .returning("cancel_requested_at")
    .executeTakeFirst();
}

/** Says what is done for a run that is starting. */
export async function setPhase(queries: Queries, id: string, workerId: string, phase: string): Promise<void> {
  await queries
    .updateTable("runs")
    .set({ phase })
    .where("id", "=", id)
    .where("worker_id", "=", workerId)
    .where("status", "=", "starting")
    .execute();
}

/** Puts a run back whose program never got to run, for another attempt after `delayMs`. */
export async function requeueRun(queries: Queries, id: string, workerId: string, delayMs: number): Promise<void> {
  await queries
    .updateTable("runs")
    .set((set) => ({
      status: "queued",
      phase: null,
      worker_id: null,
      claimed_at: null,
      started_at: null,
      attempt: set("attempt", "+", 1),
      available_at: sql<Date>`now() + ${delayMs} * interval '1 millisecond'`,
    }))
    .where("id", "=", id)
    .where("worker_id", "=", workerId)
    .where("status", "in", ["starting", "running"])
    .execute();
}

/** Puts back what a worker claimed without hearing so, because the connection broke before the answer came. `held`: what it does have. */
export async function requeueUnheld(queries: Queries, workerId: string, held: readonly string[]): Promise<void> {
  await queries
    .updateTable("runs")
    .set((set) => ({ status: "queued", phase: null, worker_id: null, claimed_at: null, attempt: set("attempt", "+", 1) }))
    .where("worker_id", "=", workerId)
    .where("status", "=", "starting")
    .where((where) => where.not(where("id", "=", where.fn.any(where.val([...held])))))
    .execute();
}

/** Writes ends in one statement. A run that is no longer the worker's stays as it is; answers the ids that were written. */
export async function finishRuns(queries: Queries, workerId: string, ends: readonly RunEnd[]): Promise<string[]> {
  const rows = ends.map((end) => ({
    id: end.id,
    attempt: end.attempt,
    started_at: end.startedAt,
    finished_at: end.finishedAt,
    status: end.verdict.status,
    exit_code: end.verdict.exitCode,
    signal: end.verdict.signal,
    error: end.verdict.error,
    result: end.result,
    log_sha256: end.logSha256,
    artifact_count: end.artifactCount,
  }));
  const { rows: written } = await sql<{ id: string }>`
    UPDATE runs SET status = e.status, phase = NULL, started_at = coalesce(e.started_at, runs.started_at), finished_at = e.finished_at,
      exit_code = e.exit_code, signal = e.signal, error = e.error, result = e.result, log_sha256 = e.log_sha256, artifact_count = e.artifact_count
    FROM jsonb_to_recordset(${storableJson(rows)}::jsonb) AS e(id text, attempt smallint, started_at timestamptz, finished_at timestamptz,
      status text, exit_code integer, signal text, error jsonb, result jsonb, log_sha256 text, artifact_count integer)
    WHERE runs.id = e.id AND runs.worker_id = ${workerId} AND runs.attempt = e.attempt AND runs.status IN ('starting', 'running', 'waiting')
    RETURNING runs.id`.execute(queries);
  return written.map((row) => row.id);
}

/** JSON as PostgreSQL takes it: programs and agents may put NUL and halves of surrogate pairs into messages and names. */
function storableJson(value: unknown): string {
  const text = JSON.stringify(value);
  if (!/\\u(?:0000|d[89a-f])/.test(text)) return text;
  return JSON.stringify(value, (_key, entry: unknown) =>
    typeof entry === "string" ? entry.replaceAll("\0", "\u{fffd}").toWellFormed() : entry,
  );
}

/** Cancels a queued run at once, or asks the worker that has it. Answers the row as it is then. */
export async function requestCancel(queries: Queries, id: string): Promise<RunRow | undefined> {
  const row = await queries
    .updateTable("runs")
    .set((set) => ({
      cancel_requested_at: sql<Date>`coalesce(cancel_requested_at, now())`,
      status: set
        .case()
        .when("status", "=", "queued")
        .then(sql<RunStatus>`'cancelled'`)
        .else(set.ref("status"))
        .end(),
      finished_at: set
        .case()
        .when("status", "=", "queued")
        .then(sql<Date>`now()`)
        .else(set.ref("finished_at"))
        .end(),
    }))
    .where("id", "=", id)
    .where("status", "in", ["queued", "starting", "running", "waiting"])
    .returningAll()
    .executeTakeFirst();
  if (row !== undefined && row.status !== "cancelled") await notify(queries, cancelChannel, id);
  return row;
}

/** Which of a worker's runs are to be cancelled; for the moment after a lost connection. */
export async function findCancelRequests(queries: Queries, workerId: string): Promise<string[]> {
  const rows = await queries
    .selectFrom("runs")
    .select("id")
    .where("worker_id", "=", workerId)
    .where("status", "in", ["starting", "running", "waiting"])
    .where("cancel_requested_at", "is not", null)
    .execute();
  return rows.map((row) => row.id);
}

export async function insertArtifacts(queries: Queries, artifacts: readonly Insertable<Schema["artifacts"]>[]): Promise<void> {
  if (artifacts.length > 0)
    await queries
      .insertInto("artifacts")
      .values([...artifacts])
      .onConflict((conflict) => conflict.columns(["run_id", "path"]).doNothing())
      .execute();
}

export async function listArtifacts(queries: Queries, runId: string): Promise<ArtifactRow[]> {
  return await queries.selectFrom("artifacts").selectAll().where("run_id", "=", runId).orderBy("path").execute();
}

/** Writes the connections of a run once; nothing for a run that made none. */
export async function insertConnections(queries: Queries, runId: string, connections: readonly NetworkConnection[]): Promise<void> {
  if (connections.length > 0)
    await queries
      .insertInto("run_network")
      .values({ run_id: runId, connections: storableJson(connections) })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
}

/** The connections of a run as they are stored; null when it made none, or has not ended. */
export async function findConnections(queries: Queries, runId: string): Promise<unknown> {
  const row = await queries.selectFrom("run_network").select("connections").where("run_id", "=", runId).executeTakeFirst();
  return row?.connections ?? null;
}

export async function findArtifact(queries: Queries, runId: string, id: string): Promise<ArtifactRow | undefined> {
  return await queries.selectFrom("artifacts").selectAll().where("run_id", "=", runId).where("id", "=", id).executeTakeFirst();
}

/** Remembers that somebody brought this content, so that only they can refer to it. */
export async function recordUpload(queries: Queries, ownerId: string, sha256: string, size: number): Promise<void> {
  await queries
    .insertInto("uploads")
    .values({ owner_id: ownerId, sha256, size })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** The sizes of those hashes that this person has uploaded. */
export async function findUploads(queries: Queries, ownerId: string, hashes: readonly string[]): Promise<Map<string, number>> {
  const rows = await queries
    .selectFrom("uploads")
    .select(["sha256", "size"])
    .where("owner_id", "=", ownerId)
    .where("sha256", "in", [...hashes])
    .execute();
  return new Map(rows.map((row) => [row.sha256, row.size]));
}

/** Puts back what a lost worker had claimed but not begun. Never what may have run already. */
export async function requeueUnstarted(work: Work, workerId: string, maxAttempts: number): Promise<string[]> {
  const rows = await work
    .updateTable("runs")
    .set((set) => ({
      status: "queued",
      phase: null,
      worker_id: null,
      claimed_at: null,
      attempt: set("attempt", "+", 1),
      available_at: sql<Date>`now()`,
    }))
    .where("worker_id", "=", workerId)
    .where("status", "=", "starting")
    .where("attempt", "<", maxAttempts)
    .where("cancel_requested_at", "is", null)
    .returning("id")
    .execute();
  return rows.map((row) => row.id);
}

/** Ends what a lost worker was running: cancelled where that was asked for, else failed. */
export async function failUnfinished(work: Work, workerId: string, error: RunError): Promise<string[]> {
  const rows = await work
    .updateTable("runs")
    .set((set) => ({
      status: set
        .case()
        .when("cancel_requested_at", "is not", null)
        .then(sql<RunStatus>`'cancelled'`)
        .else(sql<RunStatus>`'failed'`)
        .end(),
      error: sql<string | null>`case when cancel_requested_at is null then ${JSON.stringify(error)}::jsonb end`,
      phase: null,
      finished_at: sql<Date>`now()`,
    }))
    .where("worker_id", "=", workerId)
    .where("status", "in", ["starting", "running", "waiting"])
    .returning("id")
    .execute();
  return rows.map((row) => row.id);
}

/** Gives a run that ended without its log the log that was found later. */
export async function attachLog(queries: Queries, runId: string, sha256: string): Promise<void> {
  await queries
    .updateTable("runs")
    .set({ log_sha256: sha256 })
    .where("id", "=", runId)
    .where("log_sha256", "is", null)
    .where("status", "in", ["succeeded", "failed", "cancelled", "timed_out"])
    .execute();
}
