import type { UsageBy, UsageDay, UsageFigures, UsageGroupFigures } from "@syla/contracts/usage";
import { sql, type RawBuilder } from "kysely";
import type { Queries, Work } from "../platform/database.ts";

/** Whose usage, from one day to another, both included. Null: everybody's. */
export interface UsageSpan {
  readonly userId: string | null;
  readonly from: string;
  readonly to: string;
}

const sums = sql`coalesce(sum(runs), 0)::bigint as runs, coalesce(sum(executions), 0)::bigint as executions,
  coalesce(sum(failed), 0)::bigint as failed, coalesce(sum(cpu_ms), 0)::bigint as "cpuMs", coalesce(sum(run_ms), 0)::bigint as "runMs",
  coalesce(sum(network_bytes), 0)::bigint as "networkBytes", coalesce(sum(stored_bytes), 0)::bigint as "storedBytes"`;

export async function listDays(queries: Queries, { userId, from, to }: UsageSpan): Promise<UsageDay[]> {
  const { rows } = await sql<UsageDay>`
    select to_char(day, 'YYYY-MM-DD') as day, ${sums} from usage_days
    where day between ${from}::date and ${to}::date and (${userId}::text is null or user_id = ${userId})
    group by usage_days.day order by usage_days.day`.execute(queries);
  return rows;
}

/** Who used most CPU time. */
export async function listPeople(
  queries: Queries,
  { from, to }: UsageSpan,
  most: number,
): Promise<(UsageFigures & { userId: string; name: string })[]> {
  const { rows } = await sql<UsageFigures & { userId: string; name: string }>`
    select u.id as "userId", u.name, ${sums} from usage_days join users u on u.id = user_id
    where day between ${from}::date and ${to}::date group by u.id order by sum(cpu_ms) desc, u.id limit ${most}`.execute(queries);
  return rows;
}

const countKeys = "user_id, day, what, program_id, model_id, team_id, outcome, bucket, is_deleted";
const countSums = [
  "ended",
  "cpu_ms",
  "duration_ms",
  "input_tokens",
  "output_tokens",
  "cached_tokens",
  "cost",
  "unknown_costs",
  "estimates",
] as const;
const addUp = `on conflict (${countKeys}) do update set ${countSums.map((name) => `${name} = usage_counts.${name} + excluded.${name}`).join(", ")}`;
/** In the order of the rows' key: two that count at once never wait for each other in a circle. */
const byKey = "group by 1, 2, 3, 4, 5, 6, 7, 8, 9 order by 1, 2, 3, 4, 5, 6, 7, 8, 9";

/** What counting runs needs to know of each. */
export const countedRunColumns = ["owner_id", "asset_id", "team_id", "status", "error", "result", "finished_at"] as const;

/** A statement that counts the runs of `source`, which have ended and have the columns above; or takes them back, or counts them as deleted. */
export function countRuns(source: string, { sign = 1, isDeleted = false } = {}): string {
  return `insert into usage_counts (${countKeys}, ended, cpu_ms, duration_ms)
    select owner_id, (finished_at at time zone 'UTC')::date, 'run', coalesce(asset_id, ''), '', coalesce(team_id, ''),
      usage_outcome(status, error), usage_bucket((result ->> 'runMs')::double precision), ${isDeleted}, ${sign} * count(*),
      ${sign} * coalesce(sum(round((result #>> '{usage,cpuMs}')::numeric)), 0), ${sign} * coalesce(sum(round((result ->> 'runMs')::numeric)), 0)
    from ${source} ${byKey} ${addUp}`;
}

/** A statement that counts calls of models that have ended: `source` has rows of `llm_calls`. */
export function countCalls(source: string): string {
  return `insert into usage_counts (${countKeys}, ended, ${countSums.slice(2).join(", ")})
    select user_id, (started_at at time zone 'UTC')::date, 'call', coalesce(program_id, ''), model_id, coalesce(team_id, ''), status,
      case when cached or status = 'refused' then -1 else usage_bucket(total_ms) end, false, count(*), coalesce(sum(round(total_ms::numeric)), 0),
      coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0), coalesce(sum(cached_tokens), 0), coalesce(sum(cost), 0),
      count(*) filter (where cost is null and status = 'succeeded'), count(*) filter (where is_estimate)
    from ${source} ${byKey} ${addUp}`;
}

/** Which counts are looked at. Null: any. */
export interface CountsFilter extends UsageSpan {
  readonly teamId: string | null;
  readonly programId: string | null;
  readonly modelId: string | null;
}

/** Counts added up. Costs are billionths of a dollar; places in time are steps of `usage_bucket`. */
export type GroupRow = Omit<UsageGroupFigures, "failures" | "p50Ms" | "p95Ms" | "callP50Ms" | "callP95Ms" | "cost"> & {
  readonly key: string;
  readonly name: string | null;
  readonly userCode: number;
  readonly limits: number;
  readonly infrastructure: number;
  readonly denied: number;
  readonly cost: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly callP50: number | null;
  readonly callP95: number | null;
  /** How many groups there are. */
  readonly groups: number;
};

const groupKeys: Readonly<Record<UsageBy | "all", RawBuilder<unknown>>> = {
  all: sql`''`,
  day: sql`to_char(day, 'YYYY-MM-DD')`,
  user: sql`user_id`,
  team: sql`team_id`,
  program: sql`program_id`,
  model: sql`model_id`,
};
const groupNames: Readonly<Record<UsageBy | "all", RawBuilder<unknown>>> = {
  all: sql`null`,
  day: sql`null`,
  user: sql`(select name from users where id = s.key)`,
  team: sql`(select name from teams where id = s.key)`,
  program: sql`(select name from assets where id = s.key)`,
  model: sql`(select name from assets where id = s.key)`,
};

/** The counts by what they are grouped by: days in their order, else what cost most first. */
export async function sumCounts(
  queries: Queries,
  by: UsageBy | "all",
  { userId, teamId, programId, modelId, from, to }: CountsFilter,
  limit: number,
): Promise<GroupRow[]> {
  const equals = (column: string, value: string | null) => (value === null ? sql`` : sql`and ${sql.ref(column)} = ${value}`);
  const { rows } = await sql<GroupRow>`
    with counts as materialized (
      select ${groupKeys[by]} as key, what, outcome, bucket, sum(ended) as ended, sum(cpu_ms) as cpu_ms, sum(duration_ms) as duration_ms,
        sum(input_tokens) as input_tokens, sum(output_tokens) as output_tokens, sum(cached_tokens) as cached_tokens, sum(cost) as cost,
        sum(unknown_costs) as unknown_costs, sum(estimates) as estimates
      from usage_counts where day between ${from}::date and ${to}::date ${equals("user_id", userId)} ${equals("team_id", teamId)}
        ${equals("program_id", programId)} ${equals("model_id", modelId)} group by 1, 2, 3, 4
    ), places as (
      select key, what, bucket, sum(sum(ended)) over (partition by key, what order by bucket) as place,
        sum(sum(ended)) over (partition by key, what) as most
      from counts where bucket >= 0 group by 1, 2, 3
    ), quantiles as (
      select key, what, min(bucket) filter (where place >= 0.5 * most) as p50, min(bucket) filter (where place >= 0.95 * most) as p95
      from places where most > 0 group by 1, 2
    ), sums as (
      select key,
        ${ended("run")} as runs, ${ended("run", "succeeded")} as succeeded, ${ended("run", "cancelled")} as cancelled,
        ${ended("run", "user_code")} as "userCode", ${ended("run", "limit")} as limits,
        ${ended("run", "infrastructure")} as infrastructure, ${ended("run", "denied")} as denied,
        sum(cpu_ms)::bigint as "cpuMs", coalesce(sum(duration_ms) filter (where what = 'run'), 0)::bigint as "runMs",
        ${ended("call")} as calls, (${ended("call", "failed")} + ${ended("call", "refused")} + ${ended("call", "lost")})::bigint as "failedCalls",
        sum(input_tokens)::bigint as "inputTokens", sum(output_tokens)::bigint as "outputTokens", sum(cached_tokens)::bigint as "cachedTokens",
        sum(cost)::bigint as cost, sum(unknown_costs)::bigint as "unknownCosts", sum(estimates)::bigint as estimates
      from counts group by key having sum(ended) <> 0
    )
    select s.*, ${groupNames[by]} as name, r.p50, r.p95, c.p50 as "callP50", c.p95 as "callP95", (count(*) over ())::int as groups
    from sums s left join quantiles r on r.key = s.key and r.what = 'run' left join quantiles c on c.key = s.key and c.what = 'call'
    order by ${by === "day" ? sql`s.key` : sql`s.cost desc, s.runs desc, s.calls desc, s.key`} limit ${limit}`.execute(queries);
  return rows;
}

function ended(what: "run" | "call", outcome?: string): RawBuilder<unknown> {
  const alike = outcome === undefined ? sql`` : sql`and outcome = ${outcome}`;
  return sql`coalesce(sum(ended) filter (where what = ${what} ${alike}), 0)::bigint`;
}

/** What calls cost since a day, billionths of a dollar. */
export async function sumCost(
  queries: Queries,
  { userId, teamId, programId, from }: Pick<CountsFilter, "userId" | "teamId" | "programId" | "from">,
): Promise<number> {
  const { rows } = await sql<{ cost: number }>`
    select coalesce(sum(cost), 0)::bigint as cost from usage_counts where what = 'call' and day >= ${from}::date
      and (${userId}::text is null or user_id = ${userId}) and (${teamId}::text is null or team_id = ${teamId})
      and (${programId}::text is null or program_id = ${programId})`.execute(queries);
  return rows[0]?.cost ?? 0;
}

/** Gives what somebody's runs used to another account, as the runs are given. */
export async function transferCounts(work: Work, from: string, to: string): Promise<void> {
  await rekey(work, from, { user_id: sql`${to}::text` }, liveRuns);
}

/** Counts somebody's runs as deleted ones, before they are. */
export async function keepCounts(work: Work, userId: string): Promise<void> {
  await rekey(work, userId, { is_deleted: sql`true` }, liveRuns);
}

/** Counts what somebody used under nobody's name: what there was in all stays. Their calls are nobody's as well then. */
export async function forgetCounts(work: Work, userId: string, nobody: string): Promise<void> {
  await rekey(work, userId, { user_id: sql`${nobody}::text` }, sql`true`);
}

const liveRuns = sql`what = 'run' and not is_deleted`;

/** Counts what somebody used under another key. */
async function rekey(
  work: Work,
  userId: string,
  change: Readonly<Record<string, RawBuilder<unknown>>>,
  which: RawBuilder<unknown>,
): Promise<void> {
  const columns = countKeys.split(", ").map((name) => change[name] ?? sql.ref(name));
  const totals = countSums.map((name) => sql`sum(${sql.ref(name)})`);
  await sql`
    with moved as (delete from usage_counts where user_id = ${userId} and ${which} returning *)
    insert into usage_counts (${sql.raw(countKeys)}, ${sql.raw(countSums.join(", "))})
    select ${sql.join([...columns, ...totals])} from moved ${sql.raw(byKey)} ${sql.raw(addUp)}`.execute(work);
}

/**
 * Counts everything anew, and adds what is missing or takes away what is too much. All is looked at at one moment, so whatever ends meanwhile is neither
 * waited for nor lost. @returns how many counts were other ones
 */
export async function recount(queries: Queries): Promise<number> {
  const each = (write: (name: string) => string, between = ", ") => sql.raw(countSums.map(write).join(between));
  const [keys, counted] = [sql.raw(countKeys), each((name) => name)];
  const { rows } = await sql`
    with differing as (
      select ${keys}, ${each((name) => `sum(${name})::bigint as ${name}`)} from (
        select ${keys}, ${counted} from usage_recounted
        union all select ${keys}, ${each((name) => `-${name}`)} from usage_counts where not is_deleted) as both_counts
      group by ${keys} having ${each((name) => `sum(${name}) <> 0`, " or ")} order by ${keys})
    insert into usage_counts (${keys}, ${counted}) select * from differing ${sql.raw(addUp)} returning user_id`.execute(queries);
  return rows.length;
}
