import { sql } from "kysely";
import type { Queries, Work } from "../../platform/database.ts";

const hourMs = 3_600_000;
const minuteMs = 60_000;
/** Quantiles are of so many runs at most: enough for a 95th percentile, few enough to be read at every look. */
const sampleSize = 2000;

/** The figures of the queue as one row. */
export interface FiguresRow {
  readonly queued: number;
  readonly running: number;
  readonly per_minute: number;
  readonly sampled: number;
  readonly wait_p50: number | null;
  readonly wait_p95: number | null;
  readonly start_p50: number | null;
  readonly start_p95: number | null;
}

/**
 * Reads what is live, by its partial indexes, and the newest runs by their ids, which begin with their time: the table is never read, however
 * long it is, and no index is kept for this alone. `idAt` makes the smallest id of a time (milliseconds since the epoch).
 */
export async function readFigures(queries: Queries, now: number, idAt: (time: number) => string): Promise<FiguresRow> {
  return await queries.transaction().execute(async (work) => {
    // Statistics that are older than a burst of runs would have the planner read the whole table.
    await sql`SET LOCAL enable_seqscan = off`.execute(work);
    return await selectFigures(work, now, idAt);
  });
}

async function selectFigures(work: Work, now: number, idAt: (time: number) => string): Promise<FiguresRow> {
  const { rows } = await sql<FiguresRow>`
    WITH newest AS MATERIALIZED (
      SELECT claimed_at - created_at AS waited, (result->>'startMs')::float8 AS start_ms
      FROM runs WHERE id >= ${idAt(now - hourMs)} ORDER BY id DESC LIMIT ${sampleSize}
    ), quantiles AS (
      SELECT count(*) FILTER (WHERE waited IS NOT NULL)::int AS sampled,
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY extract(epoch FROM waited)::float8 * 1000) AS waits,
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY start_ms) AS starts
      FROM newest
    )
    SELECT (SELECT count(*)::int FROM runs WHERE status = 'queued' AND turn_at < 'infinity')
        + (SELECT count(*)::int FROM runs WHERE status = 'queued' AND turn_at = 'infinity') AS queued,
      (SELECT count(*)::int FROM runs WHERE status IN ('starting', 'running', 'waiting')) AS running,
      (SELECT count(*)::int FROM runs WHERE id >= ${idAt(now - minuteMs)}) AS per_minute,
      sampled, waits[1] AS wait_p50, waits[2] AS wait_p95, starts[1] AS start_p50, starts[2] AS start_p95
    FROM quantiles`.execute(work);
  return rows[0] as FiguresRow;
}

/** How many live runs each worker has. */
export async function countLiveRuns(queries: Queries): Promise<{ worker_id: string; runs: number }[]> {
  const { rows } = await sql<{ worker_id: string; runs: number }>`
    SELECT worker_id, count(*)::int AS runs FROM runs
    WHERE status IN ('starting', 'running', 'waiting') AND worker_id IS NOT NULL GROUP BY worker_id`.execute(queries);
  return rows;
}
