import { sql } from "kysely";
import type { BulkAction, BulkRunsInput } from "@syla/contracts/run-controls";
import type { Viewer } from "../../access/service.ts";
import { addKeyStored } from "../../quotas/service.ts";
import { firstIdAt } from "../../platform/ids.ts";
import type { Queries, Work } from "../../platform/database.ts";
import { countRuns } from "../../usage/service.ts";
import { matchingRuns, type RunRow } from "../store.ts";

const liveStatuses = ["queued", "starting", "running", "waiting"] as const;
const finalStatuses = ["succeeded", "failed", "cancelled", "timed_out"] as const;
/** In words that an index can be chosen by. */
const hasEnded = sql.raw(`status in (${finalStatuses.map((status) => `'${status}'`).join(", ")})`);
const mostCounted = 10_000;

/** A run whose log and artifacts are going. */
export interface GoneRun {
  readonly id: string;
  readonly owner_id: string;
  readonly api_key_id: string | null;
  /** What counts against the key. */
  readonly bytes: number;
}

/** Pins a run, or lets go of it. */
export async function setPinned(queries: Queries, id: string, pinned: boolean): Promise<RunRow | undefined> {
  return await queries
    .updateTable("runs")
    .set({ pinned_at: pinned ? sql<Date>`coalesce(pinned_at, now())` : null })
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirst();
}

/**
 * Deletes runs that have ended, with what refers to them and what was written down of their calls of models. They go on
 * counting for the day on which they were made. Answers those that were there.
 */
export async function deleteRuns(work: Work, ids: readonly string[], countedSince: Date): Promise<GoneRun[]> {
  const { rows } = await sql<GoneRun>`
    with gone as (
      delete from runs where id = any(${[...ids]}) and ${hasEnded}
      returning *
    ), uncounted as (${sql.raw(countRuns("gone", { sign: -1 }))}
    ), recounted as (${sql.raw(countRuns("gone", { isDeleted: true }))}
    ), noted as (
      insert into deleted_runs (id, owner_id, kind, api_key_id)
      select id, owner_id, kind, api_key_id from gone where id >= ${firstIdAt("run", countedSince.getTime())} on conflict do nothing
    ), links as (
      delete from grants g using gone where g.resource_type = 'run' and g.resource_id = gone.id
      returning g.subject_type, g.subject_id
    ), dead_links as (
      delete from share_links s using links where links.subject_type = 'link' and s.id = links.subject_id
    ), unsaid as (
      update llm_calls c set request_text = null, response_text = null from gone
      where c.run_id = gone.id and (c.request_text is not null or c.response_text is not null)
    ), requeued as (
      update runs r set requeued_at = now() from gone
      where r.id = gone.retry_of and r.id <> all(${[...ids]}) and r.status = 'failed' and r.requeued_at is null
    )
    select id, owner_id, api_key_id, ${storedWithKey("gone")} from gone`.execute(work);
  return rows;
}

/** What a run stored that counts against a key: its log and artifacts as they were before the statement. */
function storedWithKey(source: string) {
  return sql.raw(`case when ${source}.api_key_id is null then 0 else ${source}.log_size + case when ${source}.artifact_count > 0
    then coalesce((select sum(a.size) from artifacts a where a.run_id = ${source}.id), 0) else 0 end end::bigint as bytes`);
}

/** Gives back to keys what runs stored. In their order: two that do so at once never wait for each other in a circle. */
export async function giveBackToKeys(work: Work, rows: readonly GoneRun[]): Promise<void> {
  const sums = new Map<string, number>();
  for (const { api_key_id: key, bytes } of rows) if (key !== null) sums.set(key, (sums.get(key) ?? 0) + bytes);
  for (const [key, bytes] of [...sums].toSorted(([a], [b]) => (a < b ? -1 : 1))) await addKeyStored(work, key, -bytes);
}

/** Forgets deleted runs of days that nothing is counted for any more. */
export async function forgetDeleted(queries: Queries, before: Date): Promise<void> {
  await queries.deleteFrom("deleted_runs").where("id", "<", firstIdAt("run", before.getTime())).execute();
}

/**
 * Removes the logs and artifacts of some runs that ended before then and are not pinned; they come in the order of their ids, after `after`.
 * Answers those that it was.
 */
export async function expireRuns(work: Work, before: Date, after: string, most: number): Promise<GoneRun[]> {
  const { rows: due } = await sql<GoneRun>`
      select id, owner_id, api_key_id, ${storedWithKey("runs")} from runs
      where id > ${after} and id < ${firstIdAt("run", before.getTime())} and finished_at < ${before}
        and pinned_at is null and expired_at is null and ${hasEnded}
      order by id limit ${most} for update skip locked`.execute(work);
  const ids = due.map(({ id }) => id);
  if (ids.length === 0) return due;
  await giveBackToKeys(work, due);
  await work.deleteFrom("artifacts").where("run_id", "in", ids).execute();
  const nothing = { inputs: null, inputs_sha256: null, inputs_bytes: null, output: null, output_sha256: null, output_bytes: null };
  await work
    .updateTable("node_runs")
    .set({ ...nothing, result_key: null })
    .where("run_id", "in", ids)
    .execute();
  await work
    .updateTable("runs")
    .set({ log_sha256: null, log_size: 0, artifact_count: 0, expired_at: sql<Date>`now()` })
    .where("id", "in", ids)
    .execute();
  return due;
}

/** Runs that an action may be about: one page of ids, newest first, and how many there are from there on. */
export async function findForBulk(
  queries: Queries,
  { action, filter, ids }: Pick<BulkRunsInput, "action" | "filter" | "ids">,
  viewer: Viewer,
  { before, limit, prefix }: { before: string | null; limit: number; prefix: string | null },
): Promise<{ ids: string[]; total: number }> {
  const page = () => {
    let query =
      ids === undefined
        ? matchingRuns(queries, { ...filter, owner: filter?.owner ?? "me", deadLetters: filter?.deadLetters ?? false }, viewer).where(
            "status",
            "in",
            [...statusesFor(action)],
          )
        : queries.selectFrom("runs").where("id", "in", ids);
    if (before !== null) query = query.where("id", "<", before);
    if (prefix !== null && action === "retry")
      query = query.where(
        sql<boolean>`not (owner_id = ${viewer.userId} and idempotency_key is not null and starts_with(idempotency_key, ${prefix}))`,
      );
    return query;
  };
  const rows = await page().select("id").orderBy("id", "desc").limit(limit).execute();
  const counted = await queries
    .selectFrom(page().select("id").limit(mostCounted).as("matching"))
    .select((select) => select.fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  return { ids: rows.map(({ id }) => id), total: counted.count };
}

function statusesFor(action: BulkAction): typeof liveStatuses | typeof finalStatuses {
  return action === "cancel" ? liveStatuses : finalStatuses;
}
