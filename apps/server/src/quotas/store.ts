import type { KeyQuotaName, QuotaName } from "@syla/contracts/quotas";
import { sql, type RawBuilder } from "kysely";
import { notify, type Queries, type Work } from "../platform/database.ts";
import { firstIdAt } from "../platform/ids.ts";
import { noOverrides, type PersonFacts, type QuotaOverrides } from "./limits.ts";

/** Channel: the quotas of a person or of a key (payload: the id) have changed; those of many when it is empty. */
export const quotasChannel = "quotas_changed";

/** Lets every server know that the quotas of many people may have changed. */
export async function announceQuotas(queries: Queries): Promise<void> {
  await notify(queries, quotasChannel, "");
}

/** The column of each quota that keys have too. */
export const keyQuotaColumns = {
  concurrentRuns: "concurrent_runs",
  runsPerDay: "runs_per_day",
  cpuSecondsPerMonth: "cpu_seconds_per_month",
  storageMb: "storage_mb",
  executionsPerMinute: "executions_per_minute",
  llmSpendPerMonth: "llm_spend_per_month",
} as const satisfies Record<KeyQuotaName, string>;

const quotaColumns = keyQuotaColumns satisfies Record<QuotaName, string>;

/** A person's role and the limits that were set for them and for their teams. Undefined: there is no such person. */
export async function findOverrides(queries: Queries, userId: string): Promise<PersonFacts | undefined> {
  const row = await queries
    .selectFrom("users")
    .leftJoin("quotas", "quotas.user_id", "users.id")
    .select(hasLimitedTeam.as("has_limited_team"))
    .select(["users.role", ...Object.values(quotaColumns).map((column) => `quotas.${column}` as const)])
    .where("users.id", "=", userId)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const entries = Object.entries(quotaColumns).map(([name, column]) => [name, row[column]]);
  const overrides = { ...noOverrides, ...(Object.fromEntries(entries) as QuotaOverrides) };
  return { role: row.role, overrides, hasLimitedTeam: row.has_limited_team };
}

const hasLimitedTeam = sql<boolean>`exists (select from team_members m join teams t on t.id = m.team_id
  where m.user_id = users.id and t.concurrent_runs is not null)`;

/** Sets some of a person's limits, and lets every server know. */
export async function saveOverrides(
  queries: Queries,
  userId: string,
  changes: Readonly<Partial<Record<QuotaName, number | null | undefined>>>,
  updatedBy: string,
): Promise<void> {
  const values = Object.fromEntries(
    Object.entries(changes).flatMap(([name, value]) => (value === undefined ? [] : [[quotaColumns[name as QuotaName], value]])),
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
  const ofToday = sql`where owner_id = ${userId} and id >= ${firstIdAt("run", dayStart.getTime())} ${kinds}`;
  const runs = sql`(select count(*) from (select 1 from runs ${ofToday} union all select 1 from deleted_runs ${ofToday}
    limit ${dailyMost}) of_today)`;
  const { rows } = await sql<Used>`
    select ${daily === "none" ? sql`0` : runs} as "dayRuns",
      coalesce(sum(cpu_ms) filter (where day >= ${monthStart.toISOString().slice(0, 10)}::date), 0)::bigint as "cpuMs",
      greatest(0, coalesce(sum(stored_bytes), 0))::bigint as "storedBytes"
    from usage_days where user_id = ${userId}`.execute(queries);
  return rows[0] ?? { dayRuns: 0, cpuMs: 0, storedBytes: 0 };
}

/** What somebody has stored, counted from what is there rather than from the days. */
export async function countStored(queries: Queries, userId: string): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    select coalesce(sum(size), 0)::bigint as bytes from (${storedBy(sql`= ${userId}`)}) as stored`.execute(queries);
  return rows[0]?.bytes ?? 0;
}

/** By how much what somebody has stored differs from what the days say. Looked at at one moment: what is counted meanwhile changes nothing about it. */
export async function measureDrift(queries: Queries, userId: string): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    select (coalesce((select sum(size) from (${storedBy(sql`= ${userId}`)}) as stored), 0)
      - coalesce((select sum(stored_bytes) from usage_days where user_id = ${userId}), 0))::bigint as bytes`.execute(queries);
  return rows[0]?.bytes ?? 0;
}

/** Counts for today what somebody has stored besides, or less. */
export async function addStored(work: Queries, userId: string, bytes: number): Promise<void> {
  await sql`insert into usage_days (user_id, day, stored_bytes) values (${userId}, (now() at time zone 'UTC')::date, ${bytes})
    on conflict (user_id, day) do update set stored_bytes = usage_days.stored_bytes + excluded.stored_bytes`.execute(work);
}

/** Which of those contents somebody has stored. */
export async function findStored(work: Work, userId: string, hashes: readonly string[]): Promise<Set<string>> {
  const { rows } = await sql<{ sha256: string }>`
    select sha256 from (${storedBy(sql`= ${userId}`)}) as stored where sha256 = any(${[...hashes]})`.execute(work);
  return new Set(rows.map(({ sha256 }) => sha256));
}

/**
 * What people have stored, each content once for each of them: uploads, artifacts, logs, what runs were given, the files of what they own, with the commits
 * of their workspaces, and what is said to their models. A tree that many of their things have, as clones do, is looked into once. The analyser
 * comes with each analysis, and is nobody's.
 */
function storedBy(whom: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`select distinct on (owner_id, sha256) owner_id, sha256, size from (
      select owner_id, sha256, size from uploads where owner_id ${whom}
      union all select r.owner_id, a.sha256, a.size from artifacts a join runs r on r.id = a.run_id where r.owner_id ${whom}
      union all select owner_id, log_sha256, log_size from runs where owner_id ${whom} and log_sha256 is not null
      union all select owner_id, file ->> 'sha256', (file ->> 'size')::bigint from runs, jsonb_array_elements(config -> 'files') as file
        where owner_id ${whom} and kind <> 'analysis'
      union all select owner_id, given ->> 'sha256', (given ->> 'size')::bigint from runs, unnest(array[config -> 'stdin', config -> 'tests']) as given
        where owner_id ${whom} and kind <> 'analysis' and given ->> 'sha256' is not null
      union all select model_owner_id, id, (coalesce(octet_length(request_text), 0) + coalesce(octet_length(response_text), 0))::bigint from llm_calls
        where model_owner_id ${whom} and (request_text is not null or response_text is not null)
      union all select owner_id, b.sha256, b.size from (
        select owner_id, tree_sha256 from assets where owner_id ${whom}
        union select s.owner_id, v.tree_sha256 from assets s join asset_versions v on v.asset_id = s.id where s.owner_id ${whom}
        union select owner_id, tree_sha256 from workspaces where owner_id ${whom}
        union select w.owner_id, v.tree_sha256 from workspaces w join workspace_versions v on v.workspace_id = w.id where w.owner_id ${whom}
        union select w.owner_id, h.tree_sha256 from workspaces w join workspace_heads h on h.workspace_id = w.id where w.owner_id ${whom}
      ) as trees join tree_blobs b using (tree_sha256)
      union all select w.owner_id, p.sha256, p.size + p.index_size from workspaces w join workspace_packs p on p.workspace_id = w.id where w.owner_id ${whom}
    ) as every order by owner_id, sha256`;
}

/** Brings the sum of the days in line with what is stored, for everybody: content that is there twice was counted twice. */
export async function settleStored(queries: Queries): Promise<void> {
  await settle(queries, sql`like 'user_%'`);
}

/** The same for some people, who gave up some of it. They are locked before: see {@link lockSettling} and {@link lockPeople}. */
export async function settleStoredOf(work: Work, userIds: readonly string[]): Promise<void> {
  if (userIds.length === 0) return;
  await settle(work, sql`= any(${[...userIds]})`);
}

async function settle(queries: Queries, whom: RawBuilder<unknown>): Promise<void> {
  await sql`insert into usage_days (user_id, day, stored_bytes)
    select id, (now() at time zone 'utc')::date, coalesce(stored.bytes, 0) - coalesce(counted.bytes, 0) from users
    left join (select owner_id, sum(size) as bytes from (${storedBy(whom)}) as every group by owner_id) stored on stored.owner_id = id
    left join (select user_id, sum(stored_bytes) as bytes from usage_days where user_id ${whom} group by user_id) counted on counted.user_id = id
    where id ${whom} and coalesce(stored.bytes, 0) <> coalesce(counted.bytes, 0) order by id
    on conflict (user_id, day) do update set stored_bytes = usage_days.stored_bytes + excluded.stored_bytes`.execute(queries);
}

export async function countLive(queries: Queries, userId: string): Promise<number> {
  const row = await queries
    .selectFrom("runs")
    .select((select) => select.fn.countAll<number>().as("count"))
    .where("owner_id", "=", userId)
    .where("status", "in", ["starting", "running"])
    .executeTakeFirstOrThrow();
  return row.count;
}

/** The runs that all people have at once. */
export async function countAllLive(queries: Queries): Promise<number> {
  const row = await queries
    .selectFrom("runs")
    .select((select) => select.fn.countAll<number>().as("count"))
    .where("status", "in", ["starting", "running"])
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Whether one run more of a person is within what each of their teams may have at once. Locks those teams until the end of the transaction. */
export async function haveTeamsRoom(queries: Queries, userId: string): Promise<boolean> {
  const { rows: teams } = await sql<{ id: string; concurrent_runs: number }>`
    select id, concurrent_runs from teams where concurrent_runs is not null
      and exists (select from team_members m where m.team_id = teams.id and m.user_id = ${userId})
    order by id for no key update`.execute(queries);
  for (const { id, concurrent_runs: most } of teams) {
    const { rows } = await sql<{ live: number }>`
      select count(*) as live from team_members m join runs r on r.owner_id = m.user_id
      where m.team_id = ${id} and r.status in ('starting', 'running')`.execute(queries);
    if ((rows[0]?.live ?? 0) >= most) return false;
  }
  return true;
}

/** One at a time in the whole installation, until the end of the transaction. The number is that of `claim_runs`. */
export async function lockInstallation(queries: Queries): Promise<void> {
  await sql`select pg_advisory_xact_lock(7878002)`.execute(queries);
}

/** One at a time for each person, until the end of the transaction: what is counted then stays so. */
export async function lockPerson(queries: Queries, userId: string): Promise<void> {
  await queries.selectFrom("users").select("id").where("id", "=", userId).forNoKeyUpdate().execute();
}

/** The same for several people. */
export async function lockPeople(work: Work, userIds: readonly string[]): Promise<void> {
  if (userIds.length === 0) return;
  await work
    .selectFrom("users")
    .select("id")
    .where("id", "in", [...userIds])
    .orderBy("id")
    .forNoKeyUpdate()
    .execute();
}

/**
 * One at a time counts anew what each of these people has stored: two that found the same difference would both make up for it. Before {@link lockPeople},
 * so that nothing else waits while one is counting.
 */
export async function lockSettling(work: Work, userIds: readonly string[]): Promise<void> {
  for (const id of userIds.toSorted()) await sql`select pg_advisory_xact_lock(hashtextextended(${`stored of ${id}`}, 0))`.execute(work);
}

/** True the first time that a warning is noted for a period. */
export async function noteWarning(queries: Queries, userId: string, quota: string, period: string): Promise<boolean> {
  const row = await queries
    .insertInto("quota_warnings")
    .values({ user_id: userId, quota, period })
    .onConflict((conflict) => conflict.doNothing())
    .returning("quota")
    .executeTakeFirst();
  return row !== undefined;
}
