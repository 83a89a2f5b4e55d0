import type { QueueFigures } from "@syla/contracts/workers";
import type { Queries } from "../../platform/database.ts";
import { firstIdAt } from "../../platform/ids.ts";
import { countLiveRuns, readFigures } from "./store.ts";

/** The queue as it is, and how long the newest runs waited. */
export async function readQueueFigures(queries: Queries): Promise<QueueFigures> {
  const row = await readFigures(queries, Date.now(), (time) => firstIdAt("run", time));
  return {
    queued: row.queued,
    running: row.running,
    runsPerMinute: row.per_minute,
    sampled: row.sampled,
    queueWaitMs: toQuantiles(row.wait_p50, row.wait_p95),
    startMs: toQuantiles(row.start_p50, row.start_p95),
  };
}

/** How many live runs each worker has, by its id. */
export async function readRunsByWorker(queries: Queries): Promise<ReadonlyMap<string, number>> {
  return new Map((await countLiveRuns(queries)).map((row) => [row.worker_id, row.runs]));
}

/** A run is claimed by the clock of the database and submitted by ours: a little less than nothing is nothing. */
function toQuantiles(p50: number | null, p95: number | null): QueueFigures["queueWaitMs"] {
  return p50 === null || p95 === null ? null : { p50: Math.max(0, p50), p95: Math.max(0, p95) };
}
