import type { RunFilter, RunStatus } from "@syla/contracts/runs";
import { sql } from "kysely";
import type { Viewer } from "../../access/service.ts";
import type { Queries } from "../../platform/database.ts";
import { firstIdAt } from "../../platform/ids.ts";
import { matchingRuns } from "../store.ts";

/** What runs are counted by. */
export type TotalsLevel = "status" | "total" | "day" | "program" | "person" | "model";

/** Runs of one key added up. Costs are billionths of a dollar; durations are steps of `usage_bucket`. */
export interface TotalsRow {
  readonly level: TotalsLevel;
  readonly key: string;
  readonly name: string | null;
  readonly runs: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly calls: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cached_tokens: number;
  readonly cost: number;
  readonly unknown_costs: number;
}

/** The states that are chosen; null: all. */
interface TotalsFilter extends Omit<RunFilter, "limit" | "cursor" | "status" | "since"> {
  readonly since: string;
  readonly statuses: readonly RunStatus[] | null;
}

const callSums = ["calls", "input_tokens", "output_tokens", "cached_tokens", "cost", "unknown_costs"] as const;

/**
 * The runs that a filter lets through, of those that the viewer may see, added up in one statement. They are read once, by their ids, which begin
 * with their time, and counted by what they have in common; all levels are added up from these counts. What has no run is not there.
 */
export async function sumRuns(queries: Queries, { statuses, ...filter }: TotalsFilter, viewer: Viewer, most: number): Promise<TotalsRow[]> {
  const since = Date.parse(filter.since);
  const matching = matchingRuns(queries, { ...filter, status: undefined }, viewer)
    .where("id", ">=", firstIdAt("run", since))
    .select(["id", "status", "owner_id"])
    .select([
      sql<string>`coalesce(asset_id, '')`.as("asset_id"),
      sql<string>`(created_at at time zone 'UTC')::date`.as("day"),
      sql<number>`case when result ->> 'runMs' is null then -1 else usage_bucket((result ->> 'runMs')::double precision) end`.as("bucket"),
      sql<boolean>`${statuses === null} or status = any(${[...(statuses ?? [])]})`.as("chosen"),
    ]);
  const totals = sql.raw(callSums.map((name) => `coalesce(sum(${name}), 0)::bigint as ${name}`).join(", "));
  const names = sql.raw(callSums.join(", "));
  const { rows } = await sql<TotalsRow>`
    with matched as materialized (${matching}), called as materialized (
      select c.run_id, c.model_id, max(c.model_name) as model_name, count(*) as calls, sum(c.input_tokens) as input_tokens,
        sum(c.output_tokens) as output_tokens, sum(c.cached_tokens) as cached_tokens, sum(c.cost) as cost,
        count(*) filter (where c.cost is null and c.status = 'succeeded') as unknown_costs
      from llm_calls c join matched m on m.id = c.run_id
      where m.chosen and c.id >= ${firstIdAt("llm", since)} and c.status <> 'running' group by 1, 2
    ), spent as (
      select run_id, ${sql.raw(callSums.map((name) => `sum(${name}) as ${name}`).join(", "))} from called group by 1
    ), counts as materialized (
      select m.status, m.owner_id, m.asset_id, m.day, m.bucket, m.chosen, count(*) as runs, ${totals}
      from matched m left join spent s on s.run_id = m.id group by 1, 2, 3, 4, 5, 6
    ), levels as (
      select 'total' as level, '' as key, status, bucket, runs, ${names} from counts where chosen
      union all select 'day', to_char(day, 'YYYY-MM-DD'), status, bucket, runs, ${names} from counts where chosen
      union all select 'program', asset_id, status, bucket, runs, ${names} from counts where chosen
      union all select 'person', owner_id, status, bucket, runs, ${names} from counts where chosen
    ), places as (
      select level, key, bucket, sum(sum(runs)) over (partition by level, key order by bucket) as place,
        sum(sum(runs)) over (partition by level, key) as most
      from levels where bucket >= 0 group by 1, 2, 3
    ), quantiles as (
      select level, key, min(bucket) filter (where place >= 0.5 * most) as p50, min(bucket) filter (where place >= 0.95 * most) as p95
      from places group by 1, 2
    ), sums as (
      select level, key, sum(runs)::bigint as runs, ${stateSums}, ${totals} from levels group by 1, 2
    ), ranked as (
      select s.*, q.p50, q.p95, row_number() over (partition by s.level order by s.runs desc, s.key) as place
      from sums s left join quantiles q using (level, key)
    )
    select level, key, case level when 'program' then (select name from assets where id = key)
      when 'person' then (select name from users where id = key) end as name, runs, succeeded, failed, cancelled, p50, p95, ${names}
    from ranked where level in ('total', 'day') or place <= ${most}
    union all
    select 'status', status, null, sum(runs)::bigint, 0, 0, 0, null, null, 0, 0, 0, 0, 0, 0 from counts group by status
    union all
    (select 'model', model_id, max(model_name), count(*)::bigint as runs, 0, 0, 0, null, null, ${totals} from called
      group by model_id order by coalesce(sum(cost), 0) desc, count(*) desc, model_id limit ${most})`.execute(queries);
  return rows;
}

const stateSums = sql.raw(
  [
    ["succeeded", "status = 'succeeded'"],
    ["failed", "status in ('failed', 'timed_out')"],
    ["cancelled", "status = 'cancelled'"],
  ]
    .map(([name, condition]) => `coalesce(sum(runs) filter (where ${condition}), 0)::bigint as ${name}`)
    .join(", "),
);
