import { sql } from "kysely";
import { notify, type Queries, type Work } from "../platform/database.ts";

/** Payload: the owner whose results were cleared. */
export const clearedChannel = "cache_cleared";

const inMs = (ms: number) => sql<Date>`now() + ${ms} * interval '1 millisecond'`;

/** The run that holds a key: it has produced the result, or is about to. */
export interface Holder {
  readonly runId: string;
  readonly ready: boolean;
  readonly expiresAt: Date;
}

export async function findHolder(queries: Queries, key: string): Promise<Holder | undefined> {
  return await queries
    .selectFrom("cached_results")
    .select(["run_id as runId", "ready", "expires_at as expiresAt"])
    .where("key", "=", key)
    .where("expires_at", ">", sql<Date>`now()`)
    .executeTakeFirst();
}

/** Makes a run the one that is to produce the result, unless another one is or did. `instead`: that one has failed to. True when it is this run. */
export async function claimKey(
  queries: Queries,
  claim: {
    readonly key: string;
    readonly ownerId: string;
    readonly runId: string;
    readonly forMs: number;
    readonly instead: string | null;
  },
): Promise<boolean> {
  const row = await queries
    .insertInto("cached_results")
    .values({ key: claim.key, owner_id: claim.ownerId, run_id: claim.runId, expires_at: inMs(claim.forMs) })
    .onConflict((conflict) =>
      conflict
        .column("key")
        .doUpdateSet({ run_id: claim.runId, ready: false, created_at: sql<Date>`now()`, expires_at: inMs(claim.forMs) })
        .where((where) =>
          where.or([
            where("cached_results.expires_at", "<=", sql<Date>`now()`),
            where("cached_results.run_id", "=", claim.instead ?? claim.runId),
          ]),
        ),
    )
    .returning("run_id")
    .executeTakeFirst();
  return row !== undefined;
}

/** The result is there: it is kept for `ttlMs`, unless the key was cleared or given to another run meanwhile. */
export async function keepResult(queries: Queries, key: string, runId: string, ttlMs: number): Promise<void> {
  await queries
    .updateTable("cached_results")
    .set({ ready: true, created_at: sql<Date>`now()`, expires_at: inMs(ttlMs) })
    .where("key", "=", key)
    .where("run_id", "=", runId)
    .execute();
}

/** The run ended with nothing to keep. */
export async function releaseKey(queries: Queries, key: string, runId: string): Promise<void> {
  await queries.deleteFrom("cached_results").where("key", "=", key).where("run_id", "=", runId).execute();
}

export async function countResults(queries: Queries, ownerId: string): Promise<number> {
  const row = await queries
    .selectFrom("cached_results")
    .select((select) => select.fn.countAll<number>().as("count"))
    .where("owner_id", "=", ownerId)
    .where("ready", "=", true)
    .where("expires_at", ">", sql<Date>`now()`)
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Forgets an owner's results, those that are on their way too, or the one of a run, and tells the other processes. Answers how many. */
export async function clearResults(queries: Queries, ownerId: string, runId: string | null): Promise<number> {
  let query = queries.deleteFrom("cached_results").where("owner_id", "=", ownerId);
  if (runId !== null) query = query.where("run_id", "=", runId);
  const result = await query.executeTakeFirst();
  await notify(queries, clearedChannel, ownerId);
  return Number(result.numDeletedRows);
}

/** Forgets the results of runs that are going, and tells the other processes. Answers whose they were. */
export async function dropRuns(work: Work, runIds: readonly string[]): Promise<string[]> {
  const rows = await work
    .deleteFrom("cached_results")
    .where("run_id", "in", [...runIds])
    .returning("owner_id")
    .execute();
  const owners = [...new Set(rows.map((row) => row.owner_id))].toSorted();
  for (const ownerId of owners) await notify(work, clearedChannel, ownerId);
  return owners;
}

export async function dropExpired(queries: Queries): Promise<void> {
  await queries
    .deleteFrom("cached_results")
    .where("expires_at", "<=", sql<Date>`now()`)
    .execute();
}
