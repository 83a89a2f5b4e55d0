import type { RunStatus } from "@syla/contracts/runs";
import { sql, type RawBuilder } from "kysely";
import type { Queries } from "../../platform/database.ts";

/** What the queue keeps to: how many runs each role, and the whole installation, may have at once; -1: any number. */
export interface Concurrency {
  readonly roles: Readonly<Record<string, number>>;
  readonly installation: number;
}

/** What every line of the queue says of its run. */
interface LineRow {
  readonly id: string;
  readonly owner_id: string;
  readonly owner_name: string;
  readonly language: string;
  readonly entrypoint: string;
  readonly attempt: number;
}

/** A run that waits, and everything that may hold it. Limits are null where there is none. */
export interface WaitingRow extends LineRow {
  readonly priority: number;
  readonly created_at: Date;
  readonly available_at: Date;
  /** Its time has come. */
  readonly is_due: boolean;
  readonly is_active: boolean;
  /** Its place among its owner's runs, its key's, and all, from 1; null: not known yet. */
  readonly place: number | null;
  readonly key_place: number | null;
  readonly position: number | null;
  readonly person_limit: number | null;
  readonly person_live: number;
  readonly key_limit: number | null;
  readonly key_live: number;
  readonly team_limit: number | null;
  readonly team_live: number | null;
  readonly all_live: number;
  /** Of the workers that take runs; null: there is none, or one that does not say. */
  readonly slots: number | null;
  readonly workers: number;
}

/** A run that a worker has. */
export interface ClaimedRow extends LineRow {
  readonly status: RunStatus;
  readonly phase: string | null;
  readonly worker_id: string | null;
  readonly claimed_at: Date | null;
  readonly started_at: Date | null;
}

/** Where a run stands among those that might begin. */
export type Ranked = Pick<WaitingRow, "place" | "key_place" | "position">;

const live = sql`live as materialized (
  select owner_id, api_key_id, count(*)::int as runs from runs where status in ('starting', 'running') group by 1, 2
)`;

/** The runs that wait in their order, as `ordered`; `dueOnly`: those that might begin. Reads the whole queue. */
function ranking(dueOnly: boolean): RawBuilder<unknown> {
  return sql`waiting as (
      select id, owner_id, api_key_id, language, entrypoint, attempt, priority, created_at, available_at, turn_at,
        turn_at < 'infinity' and turn_at <= now() and available_at <= now() as is_due
      from runs where status = 'queued' ${dueOnly ? sql`and turn_at < 'infinity' and turn_at <= now() and available_at <= now()` : sql``}
    ), placed as (
      select *, row_number() over (partition by owner_id, is_due order by turn_at, available_at, id)::int as place,
        row_number() over (partition by owner_id, api_key_id, is_due order by turn_at, available_at, id)::int as key_place
      from waiting
    ), ${live}, ordered as (
      select p.*, coalesce(l.runs, 0)::int as person_live,
        row_number() over (order by not p.is_due, case when p.is_due then coalesce(l.runs, 0) + p.place end, case when p.is_due then p.turn_at end,
          p.available_at, p.id)::int as position
      from placed p left join (select owner_id, sum(runs) as runs from live group by 1) l using (owner_id)
    )`;
}

/** What is told of the runs in `shown`, and what may hold them. */
const told = sql`
  select s.id, s.owner_id, u.name as owner_name, s.language, s.entrypoint, s.attempt, s.priority, s.created_at, s.available_at, s.is_due,
    u.status = 'active' as is_active, s.place, s.key_place, s.position, s.person_live,
    nullif(coalesce(q.concurrent_runs, (s.roles ->> u.role)::int), -1) as person_limit,
    kq.concurrent_runs as key_limit, coalesce((select sum(runs)::int from live where api_key_id = s.api_key_id), 0) as key_live,
    t.most as team_limit, t.live as team_live, (select coalesce(sum(runs), 0)::int from live) as all_live, w.slots, w.workers
  from shown s join users u on u.id = s.owner_id left join quotas q on q.user_id = u.id left join key_quotas kq on kq.api_key_id = s.api_key_id
    left join lateral (
      select t.concurrent_runs as most, coalesce(sum(l.runs), 0)::int as live
      from team_members mine join teams t on t.id = mine.team_id left join team_members m on m.team_id = t.id left join live l on l.owner_id = m.user_id
      where mine.user_id = s.owner_id and t.concurrent_runs is not null group by t.id order by t.concurrent_runs - coalesce(sum(l.runs), 0) limit 1
    ) t on true
    cross join (select case when bool_and(slots is not null) then sum(slots)::int end as slots, count(*)::int as workers from workers
      where stopped_at is null and lease_until >= now() and not draining and drained_at is null and coalesce(slots, 1) > 0) w
  order by s.position`;

/** Runs that wait, in the order in which `claim_runs` would take them if each had room: whoever has fewest at once first, then by turn. */
export async function listWaiting(queries: Queries, { roles }: Concurrency, limit: number): Promise<WaitingRow[]> {
  const { rows } = await sql<WaitingRow>`
    with ${ranking(false)}, shown as (
      select *, ${JSON.stringify(roles)}::jsonb as roles from ordered order by position limit ${limit}
    ) ${told}`.execute(queries);
  return rows;
}

/** Where each run stands that might begin, by its id. */
export async function rankWaiting(queries: Queries): Promise<ReadonlyMap<string, Ranked>> {
  const { rows } = await sql<Ranked & { id: string }>`
    with ${ranking(true)} select id, place, key_place, position from ordered`.execute(queries);
  return new Map(rows.map(({ id, ...ranked }) => [id, ranked]));
}

/** A run that waits, but for where it stands; the other runs that wait are not read. Undefined: it does not wait. */
export async function findWaiting(queries: Queries, { roles }: Concurrency, id: string): Promise<WaitingRow | undefined> {
  const { rows } = await sql<WaitingRow>`
    with ${live}, shown as (
      select r.id, r.owner_id, r.api_key_id, r.language, r.entrypoint, r.attempt, r.priority, r.created_at, r.available_at,
        r.turn_at < 'infinity' and r.turn_at <= now() and r.available_at <= now() as is_due,
        null::int as place, null::int as key_place, null::int as position,
        coalesce((select sum(runs)::int from live l where l.owner_id = r.owner_id), 0) as person_live, ${JSON.stringify(roles)}::jsonb as roles
      from runs r where r.id = ${id} and r.status = 'queued'
    ) ${told}`.execute(queries);
  return rows[0];
}

/** Runs that workers have, those that were taken first first. */
export async function listClaimed(queries: Queries, limit: number): Promise<ClaimedRow[]> {
  const { rows } = await sql<ClaimedRow>`
    select r.id, r.owner_id, u.name as owner_name, r.language, r.entrypoint, r.attempt, r.status, r.phase, r.worker_id, r.claimed_at, r.started_at
    from runs r join users u on u.id = r.owner_id where r.status in ('starting', 'running')
    order by r.claimed_at, r.id limit ${limit}`.execute(queries);
  return rows;
}

/** How many there are of each. `isDeadLetter`: which runs were given up. */
export async function countQueue(
  queries: Queries,
  isDeadLetter: RawBuilder<boolean>,
): Promise<{ waiting: number; later: number; claimed: number; dead_letters: number }> {
  const { rows } = await sql<{ waiting: number; later: number; claimed: number; dead_letters: number }>`
    select (select count(*)::int from runs where status = 'queued' and turn_at < 'infinity') as waiting,
      (select count(*)::int from runs where status = 'queued' and turn_at = 'infinity') as later,
      (select count(*)::int from runs where status in ('starting', 'running')) as claimed,
      (select count(*)::int from (select from runs where ${isDeadLetter} limit 10000) as given_up) as dead_letters`.execute(queries);
  return rows[0] ?? { waiting: 0, later: 0, claimed: 0, dead_letters: 0 };
}
