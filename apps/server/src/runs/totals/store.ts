import type { RunFilter, RunStatus } from "@syla/contracts/runs";
import { sql } from "kysely";
import type { Viewer } from "../../access/service.ts";
import type { Queries, Work } from "../../platform/database.ts";
import { firstIdAt } from "../../platform/ids.ts";
import { matchingRuns } from "../store.ts";

/** What runs are counted by. */
type RunLevel = "status" | "total" | "day" | "program" | "person";

/** Runs of one key counted. Durations are steps of `usage_bucket`. */
export interface RunSumRow {
  readonly level: RunLevel;
  readonly key: string;
  readonly name: string | null;
  readonly runs: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly p50: number | null;
  readonly p95: number | null;
}

/** Calls of models by runs of one key added up. Costs are billionths of a dollar. */
export interface CallSumRow {
  readonly level: Exclude<RunLevel, "status"> | "model";
  readonly key: string;
  readonly name: string | null;
  readonly runs: number;
  readonly calls: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cached_tokens: number;
  readonly cost: number;
  readonly unknown_costs: number;
}

/** `statuses`: those that are chosen; null: all. */
export interface TotalsFilter extends Omit<RunFilter, "limit" | "cursor" | "status" | "since"> {
  readonly since: string;
  readonly statuses: readonly RunStatus[] | null;
}

/** What runs came to, and what they called. */
export interface RunSums {
  readonly runs: readonly RunSumRow[];
  readonly calls: readonly CallSumRow[];
}

/** Adds up runs and their calls of models. Of programs, people and models there are those with most, at most `most`. */
export async function sumRuns(queries: Queries, filter: TotalsFilter, viewer: Viewer, most: number): Promise<RunSums> {
  return await queries.transaction().execute(async (work) => {
    // What is counted by is few, which the planner cannot know: with less it would sort all runs on the disk.
    await sql`set local work_mem = '64MB'`.execute(work);
    const runs = await countRunsBy(work, filter, viewer, most);
    const keys = [...new Set(runs.flatMap(({ level, key }) => (level === "status" ? [] : [key])))];
    return { runs, calls: await sumCallsBy(work, filter, viewer, { keys, most }) };
  });
}

/** The runs that a filter lets through, of those that the viewer may see, by their ids, which begin with their time. */
function matching(queries: Queries, { statuses: _statuses, ...filter }: TotalsFilter, viewer: Viewer) {
  return matchingRuns(queries, { ...filter, status: undefined }, viewer)
    .where("id", ">=", firstIdAt("run", Date.parse(filter.since)))
    .select(["id", "status", "owner_id"])
    .select([sql<string>`coalesce(asset_id, '')`.as("asset_id"), sql<string>`(created_at at time zone 'UTC')::date`.as("day")]);
}

function chosen({ statuses }: TotalsFilter) {
  return statuses === null ? sql`true` : sql`status = any(${[...statuses]})`;
}

/**
 * Counts runs in one pass over them, by what they have in common; all levels are added up from these counts, which are few. Of programs and people
 * those with most runs, at most `most`. States are counted whatever state is chosen.
 */
async function countRunsBy(work: Work, filter: TotalsFilter, viewer: Viewer, most: number): Promise<RunSumRow[]> {
  const runs = matching(work, filter, viewer).select(sql<number>`usage_bucket((result ->> 'runMs')::double precision)`.as("bucket"));
  const { rows } = await sql<RunSumRow>`
    with counts as materialized (
      select status, owner_id, asset_id, day, bucket, count(*) as runs from (${runs}) as matched group by 1, 2, 3, 4, 5
    ), wanted as (
      select * from counts where ${chosen(filter)}
    ), levels as (
      select 'total' as level, '' as key, status, bucket, runs from wanted
      union all select 'day', to_char(day, 'YYYY-MM-DD'), status, bucket, runs from wanted
      union all select 'program', asset_id, status, bucket, runs from wanted
      union all select 'person', owner_id, status, bucket, runs from wanted
    ), places as (
      select level, key, bucket, sum(sum(runs)) over (partition by level, key order by bucket) as place,
        sum(sum(runs)) over (partition by level, key) as most
      from levels where bucket >= 0 group by 1, 2, 3
    ), quantiles as (
      select level, key, min(bucket) filter (where place >= 0.5 * most) as p50, min(bucket) filter (where place >= 0.95 * most) as p95
      from places group by 1, 2
    ), sums as (
      select level, key, sum(runs)::bigint as runs, coalesce(sum(runs) filter (where status = 'succeeded'), 0)::bigint as succeeded,
        coalesce(sum(runs) filter (where status in ('failed', 'timed_out')), 0)::bigint as failed,
        coalesce(sum(runs) filter (where status = 'cancelled'), 0)::bigint as cancelled
      from levels group by 1, 2
    ), ranked as (
      select s.*, q.p50, q.p95, row_number() over (partition by s.level order by s.runs desc, s.key) as place
      from sums s left join quantiles q using (level, key)
    )
    select level, key, case level when 'program' then (select name from assets where id = key)
      when 'person' then (select name from users where id = key) end as name, runs, succeeded, failed, cancelled, p50, p95
    from ranked where level in ('total', 'day') or place <= ${most}
    union all
    select 'status', status, null, sum(runs)::bigint, 0, 0, 0, null, null from counts group by status`.execute(work);
  return rows;
}

/** Adds up what these runs called of models: of the days, programs and people with these keys, and of the models that cost most, at most `most`. */
async function sumCallsBy(
  work: Work,
  filter: TotalsFilter,
  viewer: Viewer,
  { keys, most }: { readonly keys: readonly string[]; readonly most: number },
): Promise<CallSumRow[]> {
  const totals = sql.raw(callSums.map((name) => `coalesce(sum(${name}), 0)::bigint as ${name}`).join(", "));
  const names = sql.raw(["calls", ...callSums].join(", "));
  const { rows } = await sql<CallSumRow>`
    with called as materialized (
      select m.id, m.owner_id, m.asset_id, m.day, c.model_id, max(c.model_name) as model_name, count(*) as calls,
        sum(c.input_tokens) as input_tokens, sum(c.output_tokens) as output_tokens, sum(c.cached_tokens) as cached_tokens, sum(c.cost) as cost,
        count(*) filter (where c.cost is null and c.status = 'succeeded') as unknown_costs
      from llm_calls c join (select * from (${matching(work, filter, viewer)}) as matched where ${chosen(filter)}) m on m.id = c.run_id
      where c.id >= ${firstIdAt("llm", Date.parse(filter.since))} and c.status <> 'running' group by 1, 2, 3, 4, 5
    ), levels as (
      select 'total' as level, '' as key, ${names} from called
      union all select 'day', to_char(day, 'YYYY-MM-DD'), ${names} from called
      union all select 'program', asset_id, ${names} from called
      union all select 'person', owner_id, ${names} from called
    )
    select level, key, null as name, 0 as runs, sum(calls)::bigint as calls, ${totals} from levels
      where key = any(${[...keys]}) group by 1, 2
    union all
    (select 'model', model_id, max(model_name), count(*)::bigint, sum(calls)::bigint, ${totals} from called
      group by model_id order by coalesce(sum(cost), 0) desc, count(*) desc, model_id limit ${most})`.execute(work);
  return rows;
}

const callSums = ["input_tokens", "output_tokens", "cached_tokens", "cost", "unknown_costs"] as const;
