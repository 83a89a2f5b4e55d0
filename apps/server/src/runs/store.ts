import type { NetworkConnection } from "@syla/contracts/network";
import type { RequeueInput, RunError, RunFilter, RunKind, RunStatus } from "@syla/contracts/runs";
import { CompiledQuery, sql, type Selectable } from "kysely";
import { sharedWith, visibleTo, type Viewer } from "../access/service.ts";
import { notify, type Database, type PreparedStatement, type Queries, type Work } from "../platform/database.ts";
import type { Schema } from "../platform/schema.ts";
import { countedRunColumns, countRuns } from "../usage/service.ts";
import type { RunConfig } from "./config.ts";
import type { RunResult } from "./result.ts";
import { placeOfRow } from "./warmth.ts";
import type { Verdict } from "./verdict.ts";

export type RunRow = Selectable<Schema["runs"]>;

/** Channels of the runs domain: work was queued (payload: see {@link announceQueued}); a run (payload: its id) is to be cancelled. */
export const queuedChannel = "runs_queued";
export const cancelChannel = "runs_cancel";

/** A run to be inserted. `workerId` set: it is claimed from the start and never waits in the queue. */
export interface NewRun {
  readonly id: string;
  readonly kind: RunKind;
  readonly ownerId: string;
  readonly language: string;
  readonly entrypoint: string;
  readonly config: RunConfig;
  /** What it runs of the catalog. */
  readonly program: RunConfig["program"];
  readonly requestHash: string;
  readonly idempotencyKey: string | null;
  readonly retryOf: string | null;
  readonly scheduleId: string | null;
  /** The key whose quotas it counts against. */
  readonly apiKeyId: string | null;
  readonly priority: number;
  readonly createdAt: Date;
  /** Not to be claimed before; null: when it is inserted, by the clock of the database, which is the one that the queue goes by. */
  readonly availableAt: Date | null;
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
  /** As it is stored, bytes. */
  readonly logSize: number;
  readonly artifactCount: number;
}

/**
 * Inserts runs, in one statement. Answers the ids that are new; one with a used idempotency key, or that is there, is not among them, nor one whose workspace
 * has been ended. Runs that have ended already do not wait for the disk: a power cut within PostgreSQL's `wal_writer_delay` can take them, a killed process cannot. What they used
 * is counted with them.
 */
export async function insertRuns(database: Database, runs: readonly NewRun[]): Promise<string[]> {
  const statement = runs.every((run) => run.end !== null) ? insertEnded : insertBegun;
  // Workspaces are locked in the order of their ids, as by whoever locks several.
  const placed = runs.some(({ config }) => config.workspace !== null) ? runs.toSorted(byWorkspace) : runs;
  const inserted = await database.runPrepared<{ id: string }>(statement, [storableJson(placed.map(toRow))]);
  return inserted.map((row) => row.id);
}

function byWorkspace(one: NewRun, other: NewRun): number {
  const [a, b] = [one, other].map(({ config }) => config.workspace?.id ?? "") as [string, string];
  return a < b ? -1 : Number(a > b);
}

/**
 * Inserts one run of somebody who has limits. `admit`, in the same transaction, refuses it by throwing, or tells whether it may have started
 * already; else it waits in the queue, and is not inserted when that has no room. What it has brought is counted with it.
 */
export async function insertAdmitted(
  { queries }: Database,
  run: NewRun,
  admit: (work: Work) => Promise<{ readonly mayStart: boolean; readonly newBytes: number }>,
  queue: { readonly hasRoom: boolean; readonly mostEach: number },
): Promise<{ isNew: boolean; claimed: boolean }> {
  return await queries.transaction().execute(async (work) => {
    const { mayStart, newBytes } = await admit(work);
    const claimed = mayStart && run.workerId !== null;
    if (!claimed && (!queue.hasRoom || (await hasManyQueued(work, run.ownerId, queue.mostEach)))) return { isNew: false, claimed };
    const row = toRow(claimed ? run : { ...run, workerId: null, claimedAt: null, phase: null });
    const { rows } = await work.executeQuery(CompiledQuery.raw(insertText, [storableJson([row])]));
    const isNew = rows.length > 0;
    if (isNew && newBytes > 0) await countBrought(work, run, newBytes);
    return { isNew, claimed: isNew && claimed };
  });
}

/** Counts content that came with a run, for its owner and then for the key whose quotas it counts against: see {@link usageText} for the order. */
async function countBrought(work: Work, { ownerId, apiKeyId }: NewRun, bytes: number): Promise<void> {
  await sql`
    with of_key as (insert into key_usage_days (api_key_id, day, stored_bytes)
      select ${apiKeyId}, (now() at time zone 'UTC')::date, ${bytes} where ${apiKeyId}::text is not null
      on conflict (api_key_id, day) do update set stored_bytes = key_usage_days.stored_bytes + excluded.stored_bytes)
    insert into usage_days (user_id, day, stored_bytes) values (${ownerId}, (now() at time zone 'UTC')::date, ${bytes})
    on conflict (user_id, day) do update set stored_bytes = usage_days.stored_bytes + excluded.stored_bytes`.execute(work);
}

/** What usage is counted from. */
const usageColumns = [...countedRunColumns, "kind", "log_size", "artifact_count", "api_key_id"] as const;

const storedText = `sum(log_size + case when artifact_count > 0
    then coalesce((select sum(a.size) from artifacts a where a.run_id = ended.id), 0) else 0 end)`;

/**
 * Counts the runs of `ended` (rows with `id` and the columns above) for their owners, and for the keys whose quotas they count against. Two that do so at
 * once never wait for each other in a circle: groups are locked first, then days, then keys, each in the order of their rows' key. So does everything that
 * counts; what modifies beside a statement is done after it, the last first.
 */
const usageText = `
  insert into key_usage_days (api_key_id, day, cpu_ms, stored_bytes)
  select api_key_id, (finished_at at time zone 'UTC')::date, coalesce(round(sum((result #>> '{usage,cpuMs}')::numeric)), 0), ${storedText}
  from ended where api_key_id is not null group by 1, 2 order by 1, 2
  on conflict (api_key_id, day) do update set cpu_ms = key_usage_days.cpu_ms + excluded.cpu_ms,
    stored_bytes = key_usage_days.stored_bytes + excluded.stored_bytes),
  counted_days as (insert into usage_days (user_id, day, runs, executions, failed, cpu_ms, run_ms, network_bytes, stored_bytes)
  select owner_id, (finished_at at time zone 'UTC')::date, count(*), count(*) filter (where kind = 'execution'),
    count(*) filter (where status in ('failed', 'timed_out')),
    coalesce(round(sum((result #>> '{usage,cpuMs}')::numeric)), 0), coalesce(round(sum((result ->> 'runMs')::numeric)), 0),
    coalesce(sum((result #>> '{usage,network,sentBytes}')::bigint), 0) + coalesce(sum((result #>> '{usage,network,receivedBytes}')::bigint), 0),
    ${storedText}
  from ended group by 1, 2 order by 1, 2
  on conflict (user_id, day) do update set runs = usage_days.runs + excluded.runs, executions = usage_days.executions + excluded.executions,
    failed = usage_days.failed + excluded.failed, cpu_ms = usage_days.cpu_ms + excluded.cpu_ms, run_ms = usage_days.run_ms + excluded.run_ms,
    network_bytes = usage_days.network_bytes + excluded.network_bytes, stored_bytes = usage_days.stored_bytes + excluded.stored_bytes),
  counted_groups as (${countRuns("ended")}`;

/** One step of priority is worth so much waiting: whatever waits gets its turn. */
const priorityStepMs = 60_000;

/** Every column that an insertion sets; {@link toRow} has each of them, but whose turn it is. */
const newColumns = `
  id, kind, status, phase, owner_id, language, entrypoint, config, request_hash, idempotency_key, retry_of, schedule_id, api_key_id, asset_id, asset_version, team_id,
  tree_sha256, workspace_id, shown_in_workspace, dataset_ids, priority, created_at, available_at, turn_at, worker_id, claimed_at, started_at, finished_at, exit_code, signal, error, result, log_sha256,
  log_size, artifact_count`;

/** A run may be deleted while it is run again: the new one then is of none. Held until the end, it cannot go after it was looked for. */
const newValues = newColumns
  .replace("retry_of", "(select repeated.id from runs repeated where repeated.id = wish.retry_of for key share)")
  .replace("available_at", "coalesce(wish.available_at, now())")
  .replace(
    "turn_at",
    `case when wish.available_at > now() then 'infinity'
      else coalesce(wish.available_at, now()) - wish.priority * interval '${priorityStepMs} milliseconds' end`,
  )
  .replace("team_id", "team_of(null, asset_id)");

/** A workspace may be ended while a run is let into it: whoever ends it locks it, and then either finds the run or keeps it from being inserted. */
const isPlaceOpen = `wish.workspace_id is null or exists (select from workspaces w
    where w.id = wish.workspace_id and w.deleted_at is null and w.state <> 'archived' for share)`;

/** One text for any number of rows, a document: each connection parses and plans it once. */
const insertText = `
  insert into runs (${newColumns}) select ${newValues} from jsonb_populate_recordset(null::runs, $1::jsonb) as wish where ${isPlaceOpen}
  on conflict do nothing returning id`;

/** A column to be returned that turns the wait for the write-ahead log off, for this statement's transaction. */
const commitWithoutWaiting = "(select set_config('synchronous_commit', 'off', true)) as synchronous_commit";

const insertBegun: PreparedStatement = { name: "insert_begun_runs", text: insertText };
const insertEnded: PreparedStatement = {
  name: "insert_ended_runs",
  text: `with ended as (${insertText}, ${usageColumns.join(", ")}), counted as (${usageText}) select id, ${commitWithoutWaiting} from ended`,
};

function toRow(run: NewRun): Partial<Record<keyof RunRow, unknown>> {
  return {
    id: run.id,
    kind: run.kind,
    status: run.end?.verdict.status ?? statusOf(run),
    phase: run.end === null ? run.phase : null,
    owner_id: run.ownerId,
    language: run.language,
    entrypoint: run.entrypoint,
    config: run.config,
    request_hash: run.requestHash,
    idempotency_key: run.idempotencyKey,
    retry_of: run.retryOf,
    schedule_id: run.scheduleId,
    api_key_id: run.apiKeyId,
    asset_id: assetOf(run)?.id ?? null,
    asset_version: assetOf(run)?.version ?? null,
    tree_sha256: run.program?.tree ?? run.config.workspace?.tree ?? null,
    workspace_id: run.config.workspace?.id ?? null,
    shown_in_workspace: run.config.workspace?.shown ?? false,
    dataset_ids: datasetIdsOf(run.config),
    priority: run.priority,
    created_at: run.createdAt,
    available_at: run.availableAt,
    worker_id: run.workerId,
    claimed_at: run.claimedAt,
    ...(run.end === null ? notEnded : endColumns(run.end)),
  };
}

/** What of the catalog a run is of. */
export function assetOf({
  program,
  config,
}: Pick<NewRun, "program" | "config">): { readonly id: string; readonly version: string | null } | null {
  return program ?? config.composition;
}

/** The datasets of a run; null when it has none, as nearly all. */
export function datasetIdsOf({ datasets }: RunConfig): string[] | null {
  return datasets.length === 0 ? null : [...new Set(datasets.map(({ id }) => id))];
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
  log_size: 0,
  artifact_count: 0,
} satisfies Partial<RunRow>;

function endColumns(end: RunEnd): Record<keyof typeof notEnded, unknown> {
  return {
    started_at: end.startedAt,
    finished_at: end.finishedAt,
    exit_code: end.verdict.exitCode,
    signal: end.verdict.signal,
    error: end.verdict.error,
    result: end.result,
    log_sha256: end.logSha256,
    log_size: end.logSize,
    artifact_count: end.artifactCount,
  };
}

/** PostgreSQL takes 8,000 bytes. */
const mostPlaceBytes = 7000;

/** Tells the workers that there is something in the queue, and what for, a line each (see {@link placeOf}); none: it may be anything. */
export async function announceQueued(queries: Queries, places: readonly string[] = []): Promise<void> {
  await notify(queries, queuedChannel, queuedPayload(places));
}

/** What workers are told, for {@link readQueuedPayload}. */
export function queuedPayload(places: readonly string[]): string {
  const payload = [...new Set(places)].join("\n");
  return Buffer.byteLength(payload) > mostPlaceBytes ? "" : payload;
}

/** The places; none when they are not known. */
export function readQueuedPayload(payload: string): string[] {
  return payload === "" ? [] : payload.split("\n");
}

/** The same where the runs are in the queue again, by their ids. */
async function announceAgain(queries: Queries, rows: readonly Pick<RunRow, "owner_id" | "language" | "config">[]): Promise<void> {
  if (rows.length > 0) await announceQueued(queries, rows.map(placeOfRow));
}

export async function findByIdempotencyKey(queries: Queries, ownerId: string, key: string): Promise<RunRow | undefined> {
  return await queries.selectFrom("runs").selectAll().where("owner_id", "=", ownerId).where("idempotency_key", "=", key).executeTakeFirst();
}

export async function findRun(queries: Queries, id: string): Promise<RunRow | undefined> {
  return await queries.selectFrom("runs").selectAll().where("id", "=", id).executeTakeFirst();
}

/** Several runs, in the order that they are asked for; undefined where there is none. */
export async function findRuns(queries: Queries, ids: readonly string[]): Promise<(RunRow | undefined)[]> {
  const rows = await queries
    .selectFrom("runs")
    .selectAll()
    .where((where) => where("id", "=", where.fn.any(where.val([...new Set(ids)]))))
    .execute();
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => found.get(id));
}

/** A run in a list, with the name of whoever has run it. */
export type ListedRun = RunRow & { readonly owner_name: string | null };

/** One page, newest first; `before` is the id after which the page starts. One row more than `filter.limit` tells that there is a next page. */
export async function listRuns(queries: Queries, filter: RunFilter, viewer: Viewer, before: string | null): Promise<ListedRun[]> {
  const nameOf = sql<string | null>`(select name from users where users.id = runs.owner_id)`;
  let query = matchingRuns(queries, filter, viewer).selectAll().select(nameOf.as("owner_name"));
  if (before !== null) query = query.where("id", "<", before);
  return await query
    .orderBy("id", "desc")
    .limit(filter.limit + 1)
    .execute();
}

/** The runs that a filter lets through, of those that the viewer may see. */
export function matchingRuns(queries: Queries, filter: Omit<RunFilter, "limit" | "cursor">, viewer: Viewer) {
  let query = queries.selectFrom("runs");
  if (filter.owner === "me") query = query.where("owner_id", "=", viewer.userId);
  if (filter.owner === "shared") query = query.where(sharedWith(viewer, "run"));
  if (filter.owner === "visible") query = query.where(visibleTo(viewer, "run"));
  if (filter.status !== undefined) query = query.where("status", "in", filter.status.split(",") as RunStatus[]);
  if (filter.language !== undefined) query = query.where("language", "in", filter.language.split(","));
  if (filter.program !== undefined) query = query.where("asset_id", "=", filter.program);
  if (filter.dataset !== undefined) query = query.where(sql<boolean>`dataset_ids @> array[${filter.dataset}]::text[]`);
  if (filter.schedule !== undefined) query = query.where("schedule_id", "=", filter.schedule);
  if (filter.workspace !== undefined) query = query.where("workspace_id", "=", filter.workspace);
  if (filter.kind !== undefined) query = query.where("kind", "=", filter.kind);
  if (filter.since !== undefined) query = query.where("created_at", ">=", new Date(filter.since));
  if (filter.until !== undefined) query = query.where("created_at", "<", new Date(filter.until));
  if (filter.deadLetters) query = query.where(isDeadLetter);
  if (filter.q !== undefined) {
    const pattern = `%${filter.q.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
    query = query.where((where) => where.or([where("id", "ilike", pattern), where("entrypoint", "ilike", pattern)]));
  }
  return query;
}

/** The installation failed it, after all attempts, and nobody has run it again. */
export const isDeadLetter = sql<boolean>`status = 'failed' and error ->> 'class' = 'infrastructure'
  and requeued_at is null and not exists (select from runs again where again.retry_of = runs.id)`;

/** Runs that were given up, the first first. `ownerId` null: everybody's. */
export async function findDeadLetters(
  queries: Queries,
  ownerId: string | null,
  { ids, code, language, program, since, until }: RequeueInput,
  limit: number,
): Promise<RunRow[]> {
  let query = queries.selectFrom("runs").selectAll().where(isDeadLetter);
  if (ownerId !== null) query = query.where("owner_id", "=", ownerId);
  if (ids !== undefined) query = query.where("id", "in", ids);
  if (code !== undefined) query = query.where(sql<boolean>`error ->> 'code' = ${code}`);
  if (language !== undefined) query = query.where("language", "=", language);
  if (program !== undefined) query = query.where("asset_id", "=", program);
  if (since !== undefined) query = query.where("created_at", ">=", new Date(since));
  if (until !== undefined) query = query.where("created_at", "<", new Date(until));
  return await query.orderBy("id").limit(limit).execute();
}

/** Shows a run to everybody, or only to those it is shared with. */
export async function setVisibility(queries: Queries, id: string, visibility: "private" | "public"): Promise<RunRow | undefined> {
  return await queries.updateTable("runs").set({ visibility }).where("id", "=", id).returningAll().executeTakeFirst();
}

/** Not of what is for later: that is in an index of its own. */
const hasTurn = sql<boolean>`turn_at < 'infinity'`;

/** How many runs wait that might begin now. */
export async function countQueued(queries: Queries): Promise<number> {
  const row = await queries
    .selectFrom("runs")
    .select((select) => select.fn.countAll<number>().as("count"))
    .where("status", "=", "queued")
    .where(hasTurn)
    .where("available_at", "<=", sql<Date>`now()`)
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Whether so many of somebody's runs wait, for their turn or for their time. */
export async function hasManyQueued(queries: Queries, ownerId: string, most: number): Promise<boolean> {
  const waiting = queuedOf(queries, ownerId)
    .limit(1)
    .offset(most - 1);
  return (await waiting.executeTakeFirst()) !== undefined;
}

function queuedOf(queries: Queries, ownerId: string) {
  return queries
    .selectFrom("runs")
    .select("id")
    .where("status", "=", "queued")
    .where("owner_id", "=", ownerId)
    .where(sql<boolean>`hashtext(owner_id) = hashtext(${ownerId})`);
}

/**
 * Gives up to `count` queued runs to a worker: who has fewest at once comes first, and nobody gets more than they may have. `concurrency`:
 * what each role may have at once, and the whole installation; -1: any number. `except`: whose runs stay where they are.
 */
export async function claimRuns(
  queries: Queries,
  workerId: string,
  count: number,
  concurrency: { readonly roles: Readonly<Record<string, number>>; readonly installation: number },
  except: string | null = null,
): Promise<RunRow[]> {
  const { roles, installation } = concurrency;
  // By itself: a claim that had locked runs before their owners could wait in a circle with whoever locks the owner first.
  await sql`select give_turns()`.execute(queries);
  const { rows } = await sql<RunRow>`
    select * from claim_runs(${workerId}, ${count}, ${JSON.stringify(roles)}::jsonb, ${installation}, ${except})`.execute(queries);
  return rows;
}

/** Whether somebody has runs that wait for their turn; `ownerId` null: whether anybody has. */
export async function hasQueued(queries: Queries, ownerId: string | null): Promise<boolean> {
  const queued = ownerId === null ? queries.selectFrom("runs").select("id").where("status", "=", "queued") : queuedOf(queries, ownerId);
  return (await queued.where(hasTurn).limit(1).executeTakeFirst()) !== undefined;
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

/** One attempt at a run: the same worker may have the next one already. */
type RunAttempt = Pick<RunRow, "id" | "attempt">;

/** Says what is done for a run that is starting. */
export async function setPhase(queries: Queries, { id, attempt }: RunAttempt, workerId: string, phase: string): Promise<void> {
  await queries
    .updateTable("runs")
    .set({ phase })
    .where("id", "=", id)
    .where("worker_id", "=", workerId)
    .where("attempt", "=", attempt)
    .where("status", "=", "starting")
    .execute();
}

/** What is no fault of the run and nothing that another try may mend: such an attempt is none of its tries. */
const sparedCauses: ReadonlySet<string> = new Set(["worker_stopped", "worker_drained", "database_unavailable"]);

/** How many tries a run has had, with the one at hand. */
export function triesOf({ attempt, spared }: Pick<RunRow, "attempt" | "spared">): number {
  return attempt - spared;
}

/**
 * Puts a run back whose program never got to run, for another attempt after `delayMs`; does nothing the second time. `cause`: an error code, or one of
 * `RunTransition`.
 */
export async function requeueRun(
  queries: Queries,
  { id, attempt }: RunAttempt,
  workerId: string,
  cause: string,
  delayMs = 0,
): Promise<void> {
  const rows = await queries
    .updateTable("runs")
    .set((set) => ({
      status: "queued",
      cause,
      phase: null,
      worker_id: null,
      claimed_at: null,
      started_at: null,
      attempt: set("attempt", "+", 1),
      spared: set("spared", "+", sparedCauses.has(cause) ? 1 : 0),
      available_at: sql<Date>`now() + ${delayMs} * interval '1 millisecond'`,
    }))
    .where("id", "=", id)
    .where("worker_id", "=", workerId)
    .where("attempt", "=", attempt)
    .where("status", "in", ["starting", "running"])
    .returning(["owner_id", "language", "config"])
    .execute();
  if (delayMs === 0) await announceAgain(queries, rows).catch(() => {}); // the queue is looked at every now and then anyway
}

/** Lets go of a run that waits for somebody, with its log so far. False when it is no longer the worker's, or is to be cancelled. */
export async function suspendRun(
  queries: Queries,
  { id, attempt }: RunAttempt,
  workerId: string,
  { startedAt, logSha256 }: { readonly startedAt: Date | null; readonly logSha256: string },
): Promise<boolean> {
  const row = await queries
    .updateTable("runs")
    .set({
      status: "waiting",
      cause: "approval",
      phase: "approval",
      log_sha256: logSha256,
      ...(startedAt !== null && { started_at: startedAt }),
    })
    .where("id", "=", id)
    .where("worker_id", "=", workerId)
    .where("attempt", "=", attempt)
    .where("status", "in", ["starting", "running"])
    .where("cancel_requested_at", "is", null)
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

/** Queues a run again for which nobody has to decide anything any more. */
export async function resumeDecided(work: Work, id: string): Promise<void> {
  const rows = await work
    .updateTable("runs")
    .set((set) => ({
      status: "queued",
      cause: "decided",
      phase: null,
      worker_id: null,
      claimed_at: null,
      started_at: null,
      attempt: set("attempt", "+", 1),
      spared: set("spared", "+", 1),
      available_at: sql<Date>`now()`,
    }))
    .where("id", "=", id)
    .where("status", "=", "waiting")
    .where((where) =>
      where.not(where.exists(where.selectFrom("node_runs").select("path").where("run_id", "=", id).where("state", "=", "waiting"))),
    )
    .returning(["owner_id", "language", "config"])
    .execute();
  await announceAgain(work, rows);
}

/** Puts back what a worker claimed without hearing so, because the connection broke before the answer came. `held`: what it does have. */
export async function requeueUnheld(queries: Queries, workerId: string, held: readonly string[]): Promise<void> {
  await queries
    .updateTable("runs")
    .set((set) => ({
      status: "queued",
      cause: "database_unavailable",
      phase: null,
      worker_id: null,
      claimed_at: null,
      attempt: set("attempt", "+", 1),
      spared: set("spared", "+", 1),
    }))
    .where("worker_id", "=", workerId)
    .where("status", "=", "starting")
    .where((where) => where.not(where("id", "=", where.fn.any(where.val([...held])))))
    .execute();
}

/** Writes ends in one statement, and counts what was used. A run that is no longer the worker's stays as it is; answers the ids that were written. */
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
    log_size: end.logSize,
    artifact_count: end.artifactCount,
  }));
  const { rows: written } = await sql<{ id: string }>`
    WITH ended AS (UPDATE runs SET status = e.status, phase = NULL, started_at = coalesce(e.started_at, runs.started_at), finished_at = e.finished_at,
      exit_code = e.exit_code, signal = e.signal, error = e.error, result = e.result, log_sha256 = e.log_sha256, log_size = e.log_size,
      artifact_count = e.artifact_count
    FROM jsonb_to_recordset(${storableJson(rows)}::jsonb) AS e(id text, attempt smallint, started_at timestamptz, finished_at timestamptz,
      status text, exit_code integer, signal text, error jsonb, result jsonb, log_sha256 text, log_size bigint,
      artifact_count integer)
    WHERE runs.id = e.id AND runs.worker_id = ${workerId} AND runs.attempt = e.attempt AND runs.status IN ('starting', 'running', 'waiting')
    RETURNING runs.id, ${sql.raw(usageColumns.map((column) => `runs.${column}`).join(", "))}), counted AS (${sql.raw(usageText)})
    SELECT id FROM ended`.execute(queries);
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

/** Cancels a queued run at once, and counts it, or asks the worker that has it. Answers the row as it is then. */
export async function requestCancel(queries: Queries, id: string): Promise<RunRow | undefined> {
  const { rows } = await sql<RunRow>`
    WITH asked AS (${askToCancel(id)}), ended AS (SELECT * FROM asked WHERE status = 'cancelled'), counted AS (${sql.raw(usageText)})
    SELECT * FROM asked`.execute(queries);
  const [row] = rows;
  if (row !== undefined && row.status !== "cancelled") await notify(queries, cancelChannel, id);
  return row;
}

function askToCancel(id: string) {
  return sql<RunRow>`UPDATE runs SET cancel_requested_at = coalesce(cancel_requested_at, now()),
    status = CASE WHEN status IN ('queued', 'waiting') THEN 'cancelled' ELSE status END,
    finished_at = CASE WHEN status IN ('queued', 'waiting') THEN now() ELSE finished_at END
    WHERE id = ${id} AND status IN ('queued', 'starting', 'running', 'waiting') RETURNING *`;
}

/** Cancels every run of somebody that has not ended: what waits at once, the others by the workers that have them. @returns those that waited */
export async function requestCancelOfAll(work: Work, ownerId: string): Promise<string[]> {
  const unended = await work
    .selectFrom("runs")
    .select("id")
    .where("owner_id", "=", ownerId)
    .where("status", "in", ["queued", "starting", "running", "waiting"])
    .orderBy("id")
    .execute();
  const ended: string[] = [];
  for (const { id } of unended) {
    const { rows } = await askToCancel(id).execute(work);
    if (rows[0]?.status === "cancelled") ended.push(id);
    else if (rows[0] !== undefined) await notify(work, cancelChannel, id);
  }
  // At once and last: counts are locked in an order.
  await sql`WITH ended AS (SELECT * FROM runs WHERE id = any(${ended})), counted AS (${sql.raw(usageText)}) SELECT FROM ended`.execute(
    work,
  );
  return ended;
}

/** Which of a worker's runs are to be cancelled; for the moment after a lost connection. */
export async function findCancelRequests(queries: Queries, workerId: string): Promise<string[]> {
  const rows = await queries
    .selectFrom("runs")
    .select("id")
    .where("worker_id", "=", workerId)
    .where("status", "in", ["starting", "running"])
    .where("cancel_requested_at", "is not", null)
    .execute();
  return rows.map((row) => row.id);
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

/** Notes that somebody has uploaded something, and counts it. What they have uploaded before changes nothing. */
export async function recordUpload(queries: Queries, ownerId: string, sha256: string, size: number): Promise<void> {
  await sql`
    with added as (insert into uploads (owner_id, sha256, size) values (${ownerId}, ${sha256}, ${size}) on conflict do nothing
      returning owner_id, size)
    insert into usage_days (user_id, day, stored_bytes) select owner_id, (now() at time zone 'UTC')::date, size from added
    on conflict (user_id, day) do update set stored_bytes = usage_days.stored_bytes + excluded.stored_bytes`.execute(queries);
}

/** Forgets uploads of theirs: all but those whose content is in files of what they own. @returns how many bytes */
export async function forgetUploads(queries: Queries, ownerId: string, hashes: readonly string[]): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    with removed as (
      delete from uploads u where u.owner_id = ${ownerId} and u.sha256 = any(${[...hashes]})
        and not exists (select from tree_blobs b join assets a using (tree_sha256) where b.sha256 = u.sha256 and a.owner_id = u.owner_id)
        and not exists (select from tree_blobs b join asset_versions v using (tree_sha256) join assets a on a.id = v.asset_id
          where b.sha256 = u.sha256 and a.owner_id = u.owner_id)
        and not exists (select from tree_blobs b join workspaces w using (tree_sha256) where b.sha256 = u.sha256 and w.owner_id = u.owner_id)
        and not exists (select from tree_blobs b join workspace_versions v using (tree_sha256) join workspaces w on w.id = v.workspace_id
          where b.sha256 = u.sha256 and w.owner_id = u.owner_id)
        and not exists (select from tree_blobs b join workspace_heads h using (tree_sha256) join workspaces w on w.id = h.workspace_id
          where b.sha256 = u.sha256 and w.owner_id = u.owner_id)
      returning size)
    select coalesce(sum(size), 0)::bigint as bytes from removed`.execute(queries);
  return rows[0]?.bytes ?? 0;
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

/** Puts back what a worker that is gone had claimed but not begun. Never what may have run already. `isLost`: it did not leave in order. */
export async function requeueUnstarted(work: Work, workerId: string, isLost: boolean, maxTries: number): Promise<string[]> {
  const rows = await work
    .updateTable("runs")
    .set((set) => ({
      status: "queued",
      cause: isLost ? "worker_lost" : "worker_stopped",
      phase: null,
      worker_id: null,
      claimed_at: null,
      attempt: set("attempt", "+", 1),
      spared: set("spared", "+", isLost ? 0 : 1),
      available_at: sql<Date>`now()`,
    }))
    .where("worker_id", "=", workerId)
    .where("status", "=", "starting")
    .where((where) => where.or([where.val(!isLost), where(sql<number>`attempt - spared`, "<", maxTries)]))
    .where("cancel_requested_at", "is", null)
    .returning(["id", "owner_id", "language", "config"])
    .execute();
  await announceAgain(work, rows);
  return rows.map((row) => row.id);
}

/** Ends what a lost worker was running: cancelled where that was asked for, else failed. */
export async function failUnfinished(work: Work, workerId: string, error: RunError): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    WITH ended AS (UPDATE runs SET status = CASE WHEN cancel_requested_at IS NOT NULL THEN 'cancelled' ELSE 'failed' END,
      error = CASE WHEN cancel_requested_at IS NULL THEN ${JSON.stringify(error)}::jsonb END, phase = NULL, finished_at = now()
    WHERE worker_id = ${workerId} AND status IN ('starting', 'running')
    RETURNING id, ${sql.raw(usageColumns.join(", "))}), counted AS (${sql.raw(usageText)})
    SELECT id FROM ended`.execute(work);
  return rows.map((row) => row.id);
}

/**
 * Gives a run the log that was found of it when its server was gone, in place of the one that it had until then. It need not have ended yet: what is
 * gone may not have been noticed.
 */
export async function attachLog(queries: Queries, runId: string, sha256: string, before: string | null = null): Promise<void> {
  await queries
    .updateTable("runs")
    .set({ log_sha256: sha256 })
    .where("id", "=", runId)
    .where("log_sha256", before === null ? "is" : "=", before)
    .where("status", "not in", ["queued", "starting"])
    .execute();
}
