import type { Role } from "@syla/contracts/accounts";
import type { QuotaName } from "@syla/contracts/quotas";
import { sql } from "kysely";
import { notify, type Queries } from "../platform/database.ts";
import { firstIdAt } from "../platform/ids.ts";
import { noOverrides, type QuotaOverrides } from "./limits.ts";

/** Channel: the quotas of a person (payload: their id) have changed. */
export const quotasChannel = "quotas_changed";

const columns = {
  concurrentRuns: "concurrent_runs",
  runsPerDay: "runs_per_day",
  cpuSecondsPerMonth: "cpu_seconds_per_month",
  storageMb: "storage_mb",
  executionsPerMinute: "executions_per_minute",
} as const satisfies Record<QuotaName, string>;

/** A person's role and the limits that were set for them. Undefined: there is no such person. */
export async function findOverrides(queries: Queries, userId: string): Promise<{ role: Role; overrides: QuotaOverrides } | undefined> {
  const row = await queries
    .selectFrom("users")
    .leftJoin("quotas", "quotas.user_id", "users.id")
    .select(["users.role", ...Object.values(columns).map((column) => `quotas.${column}` as const)])
    .where("users.id", "=", userId)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const entries = Object.entries(columns).map(([name, column]) => [name, row[column]]);
  return { role: row.role, overrides: { ...noOverrides, ...(Object.fromEntries(entries) as QuotaOverrides) } };
}

/** Sets some of a person's limits, and lets every server know. */
export async function saveOverrides(
  queries: Queries,
  userId: string,
  changes: Readonly<Partial<Record<QuotaName, number | null | undefined>>>,
  updatedBy: string,
): Promise<void> {
  const values = Object.fromEntries(
    Object.entries(changes).flatMap(([name, value]) => (value === undefined ? [] : [[columns[name as QuotaName], value]])),
  );
  const row = { ...values, updated_by: updatedBy, updated_at: new Date() };
  await queries
    .insertInto("quotas")
    .values({ user_id: userId, ...row })
    .onConflict((conflict) => conflict.column("user_id").doUpdateSet(row))
    .execute();
  await notify(queries, quotasChannel, userId);
}

/** What of somebody's is counted, and since when. */
export interface CountedUse {
  readonly userId: string;
  readonly dayStart: Date;
  readonly monthStart: Date;
  /** What counts by day: nothing, programs and compositions, or every run. */
  readonly daily: "none" | "programs" | "all";
  /** Counting by day stops here: more need not be known. */
  readonly dailyMost: number;
}

/** What somebody has used. */
export interface Used {
  readonly dayRuns: number;
  readonly cpuMs: number;
  readonly storedBytes: number;
}

export async function readUsed(queries: Queries, { userId, dayStart, monthStart, daily, dailyMost }: CountedUse): Promise<Used> {
  const kinds = daily === "programs" ? sql`and kind in ('program', 'composition')` : sql``;
  const runs = sql`(select count(*) from (select 1 from runs
    where owner_id = ${userId} and id >= ${firstIdAt("run", dayStart.getTime())} ${kinds} limit ${dailyMost}) of_today)`;
  const { rows } = await sql<Used>`
    select ${daily === "none" ? sql`0` : runs} as "dayRuns",
      coalesce(sum(cpu_ms) filter (where day >= ${monthStart.toISOString().slice(0, 10)}::date), 0)::bigint as "cpuMs",
      coalesce(sum(stored_bytes), 0)::bigint as "storedBytes"
    from usage_days where user_id = ${userId}`.execute(queries);
  return rows[0] ?? { dayRuns: 0, cpuMs: 0, storedBytes: 0 };
}

/** What somebody has stored, counted from what is there rather than from the days. */
export async function countStored(queries: Queries, userId: string): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    select (coalesce((select sum(size) from uploads where owner_id = ${userId}), 0)
      + coalesce((select sum(a.size) from artifacts a join runs r on r.id = a.run_id where r.owner_id = ${userId}), 0)
      + coalesce((select sum(log_size) from runs where owner_id = ${userId}), 0))::bigint as bytes`.execute(queries);
  return rows[0]?.bytes ?? 0;
}

export async function countLive(queries: Queries, userId: string): Promise<number> {
  const row = await queries
    .selectFrom("runs")
    .select((select) => select.fn.countAll<number>().as("count"))
    .where("owner_id", "=", userId)
    .where("status", "in", ["starting", "running", "waiting"])
    .executeTakeFirstOrThrow();
  return row.count;
}

/** One at a time for each person, until the end of the transaction: what is counted then stays so. */
export async function lockPerson(queries: Queries, userId: string): Promise<void> {
  await queries.selectFrom("users").select("id").where("id", "=", userId).forNoKeyUpdate().execute();
}

/** True the first time that a warning is noted for a period. */
export async function noteWarning(queries: Queries, userId: string, quota: QuotaName, period: string): Promise<boolean> {
  const row = await queries
    .insertInto("quota_warnings")
    .values({ user_id: userId, quota, period })
    .onConflict((conflict) => conflict.doNothing())
    .returning("quota")
    .executeTakeFirst();
  return row !== undefined;
}
