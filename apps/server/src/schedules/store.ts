import type { RunStatus } from "@syla/contracts/runs";
import type { Schedule, ScheduledRun, ScheduleFilter } from "@syla/contracts/schedules";
import { sql, type Selectable } from "kysely";
import type { Queries, Work } from "../platform/database.ts";
import type { Schema } from "../platform/schema.ts";

export type ScheduleRow = Selectable<Schema["schedules"]>;

/** A schedule with what is shown of others. */
export interface ShownRow extends ScheduleRow {
  readonly owner_name: string | null;
  readonly program_name: string | null;
  readonly last_status: RunStatus | null;
}

/** What can be changed of a schedule. */
export interface ScheduleValues {
  readonly name: string;
  readonly run: ScheduledRun;
  readonly cron: string;
  readonly timeZone: string;
  readonly overlap: Schedule["overlap"];
  readonly missed: Schedule["missed"];
  readonly enabled: boolean;
}

function selectShown(queries: Queries) {
  return queries
    .selectFrom("schedules as s")
    .selectAll("s")
    .select([
      sql<string | null>`(select name from users where id = s.owner_id)`.as("owner_name"),
      sql<string | null>`(select name from assets where id = s.program_id and deleted_at is null)`.as("program_name"),
      sql<RunStatus | null>`(select status from runs where id = s.last_run_id)`.as("last_status"),
    ]);
}

/** Newest first; one row more than `limit` tells that there is a next page. `ownerId` null: everybody's. */
export async function listSchedules(
  queries: Queries,
  ownerId: string | null,
  { program, limit }: Pick<ScheduleFilter, "program" | "limit">,
  before: string | null,
): Promise<ShownRow[]> {
  let query = selectShown(queries);
  if (ownerId !== null) query = query.where("s.owner_id", "=", ownerId);
  if (program !== undefined) query = query.where("s.program_id", "=", program);
  if (before !== null) query = query.where("s.id", "<", before);
  return await query
    .orderBy("s.id", "desc")
    .limit(limit + 1)
    .execute();
}

export async function findSchedule(queries: Queries, id: string): Promise<ShownRow | undefined> {
  return await selectShown(queries).where("s.id", "=", id).executeTakeFirst();
}

/** Inserts one more of a person. False: they have as many as one may have. */
export async function insertSchedule(
  work: Work,
  schedule: ScheduleValues & { readonly id: string; readonly ownerId: string; readonly programId: string; readonly nextAt: Date },
  most: number,
): Promise<boolean> {
  const { id, ownerId, programId, nextAt, ...values } = schedule;
  await work.selectFrom("users").select("id").where("id", "=", ownerId).forNoKeyUpdate().execute();
  const { count } = await work
    .selectFrom("schedules")
    .select((select) => select.fn.countAll<number>().as("count"))
    .where("owner_id", "=", ownerId)
    .executeTakeFirstOrThrow();
  if (count >= most) return false;
  const columns = toColumns(values);
  await work
    .insertInto("schedules")
    .values({ ...columns, id, owner_id: ownerId, program_id: programId, next_at: nextAt })
    .execute();
  return true;
}

/** Changes a schedule; it is enabled and disabled by people here, so that nothing is left of what the server had against it. */
export async function changeSchedule(queries: Queries, id: string, values: ScheduleValues, nextAt: Date): Promise<void> {
  await queries
    .updateTable("schedules")
    .set({ ...toColumns(values), next_at: nextAt, pending_at: null, retry_at: null, disabled_reason: null, updated_at: sql<Date>`now()` })
    .where("id", "=", id)
    .execute();
}

function toColumns({ name, run, cron, timeZone, overlap, missed, enabled }: ScheduleValues) {
  return { name, run: JSON.stringify(run), cron, time_zone: timeZone, overlap, missed, enabled };
}

export async function deleteSchedule(queries: Queries, id: string): Promise<void> {
  await queries.deleteFrom("schedules").where("id", "=", id).execute();
}

/**
 * A schedule whose time has come, or that waits for the end of its last run, which is over. Locked until the end of the transaction: no other server has it
 * meanwhile. `taken_at`: what the clock of the database says, by which its time has come.
 */
export async function takeDue(work: Work): Promise<(ScheduleRow & { readonly taken_at: Date }) | undefined> {
  const { rows } = await sql<ScheduleRow & { taken_at: Date }>`
    select s.*, now() as taken_at from schedules s where enabled and (next_at <= now()
      or pending_at is not null and (retry_at is null or retry_at <= now()) and not exists (select from runs r where r.schedule_id = s.id and r.finished_at is null))
    order by next_at limit 1 for update skip locked`.execute(work);
  return rows[0];
}

/** What has become of a time of a schedule. */
export interface Tick {
  readonly nextAt: Date;
  readonly pendingAt: Date | null;
  /** What is pending is not tried before. */
  readonly retryAt: Date | null;
  readonly last: { readonly at: Date; readonly outcome: string; readonly runId: string | null } | null;
  /** An error code; null: it goes on. */
  readonly disabledReason: string | null;
}

export async function recordTick(work: Work, id: string, { nextAt, pendingAt, retryAt, last, disabledReason }: Tick): Promise<void> {
  await work
    .updateTable("schedules")
    .set({
      next_at: nextAt,
      pending_at: pendingAt,
      retry_at: retryAt,
      ...(last === null ? {} : { last_at: last.at, last_outcome: last.outcome, ...(last.runId !== null && { last_run_id: last.runId }) }),
      ...(disabledReason === null ? {} : { enabled: false, disabled_reason: disabledReason }),
    })
    .where("id", "=", id)
    .execute();
}

/** The runs of a schedule that go on, and the one that a time of it has made already. */
export async function findRunsOf(
  queries: Queries,
  { id, owner_id: ownerId }: Pick<ScheduleRow, "id" | "owner_id">,
  idempotencyKey: string,
): Promise<{ live: string[]; made: string | null }> {
  const runs = queries.selectFrom("runs").select("id");
  const made = await runs.where("owner_id", "=", ownerId).where("idempotency_key", "=", idempotencyKey).executeTakeFirst();
  if (made !== undefined) return { live: [], made: made.id };
  const live = await runs.where("schedule_id", "=", id).where("finished_at", "is", null).execute();
  return { live: live.map((run) => run.id), made: null };
}
