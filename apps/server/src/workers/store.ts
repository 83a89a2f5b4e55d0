import { sql, type Selectable } from "kysely";
import { notify, type Queries, type Work } from "../platform/database.ts";
import type { Schema } from "../platform/schema.ts";

export type WorkerRow = Selectable<Schema["workers"]>;

/** How long a worker that says nothing is believed to live. */
export const defaultLeaseMs = 15_000;
const leaseEnd = (leaseMs: number) => sql<Date>`now() + ${leaseMs} * interval '1 millisecond'`;

/** A worker that begins. */
export type NewWorker = Pick<WorkerRow, "id" | "hostname" | "pid" | "process" | "slots" | "version">;

export async function insertWorker(queries: Queries, worker: NewWorker, leaseMs: number): Promise<void> {
  await queries
    .insertInto("workers")
    .values({ ...worker, lease_until: leaseEnd(leaseMs) })
    .execute();
}

/**
 * Also for a worker that was taken for dead meanwhile: its runs are gone, but what it claims from now on has to be recovered again. `warm`: what it has
 * ready. Answers whether it is to take nothing.
 */
export async function renewLease(queries: Queries, id: string, leaseMs: number, warm: readonly string[]): Promise<boolean> {
  const row = await queries
    .updateTable("workers")
    .set({ lease_until: leaseEnd(leaseMs), stopped_at: null, lost: false, warm: [...warm] })
    .where("id", "=", id)
    .returning("drained_at")
    .executeTakeFirst();
  return row !== undefined && row.drained_at !== null;
}

/** Channel: a worker (payload: its id) is to take nothing, or to take runs again. */
export const drainChannel = "workers_drain";

/** Has a worker take nothing, or take runs again. Undefined: there is none that lives. */
export async function setDrained(queries: Queries, id: string, drained: boolean): Promise<WorkerRow | undefined> {
  return await queries.transaction().execute(async (work) => {
    const row = await work
      .updateTable("workers")
      .set({ drained_at: drained ? sql<Date>`coalesce(drained_at, now())` : null })
      .where("id", "=", id)
      .where("stopped_at", "is", null)
      .returningAll()
      .executeTakeFirst();
    if (row !== undefined) await notify(work, drainChannel, id);
    return row;
  });
}

/** Whether a worker is to take nothing. */
export async function isDrained(queries: Queries, id: string): Promise<boolean> {
  const row = await queries.selectFrom("workers").select("drained_at").where("id", "=", id).executeTakeFirst();
  return row !== undefined && row.drained_at !== null;
}

/**
 * Those that have not stopped, as far as anybody knows, and those that have runs all the same: nobody tells the database that a process is dead, and what
 * it has asked for may be done after its runs were looked for.
 */
export async function listWatched(queries: Queries): Promise<WorkerRow[]> {
  const { rows } = await sql<WorkerRow>`
    select * from workers where stopped_at is null
      or id in (select worker_id from runs where status in ('starting', 'running'))`.execute(queries);
  return rows;
}

/** Marks a worker as gone; `lost`: it did not say so itself. False when somebody else did so first. */
export async function markStopped(work: Work, id: string, lost: boolean): Promise<boolean> {
  const result = await work
    .updateTable("workers")
    .set({ stopped_at: sql<Date>`now()`, lost })
    .where("id", "=", id)
    .where("stopped_at", "is", null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export async function markDraining(queries: Queries, id: string): Promise<void> {
  await queries.updateTable("workers").set({ draining: true }).where("id", "=", id).execute();
}

/** The workers that live, and those that ended within the last day: the living first, then the newest. */
export async function listRecentWorkers(queries: Queries): Promise<(WorkerRow & { expired: boolean })[]> {
  return await queries
    .selectFrom("workers")
    .selectAll()
    .select(sql<boolean>`lease_until < now()`.as("expired"))
    .where((where) => where.or([where("stopped_at", "is", null), where("stopped_at", ">", sql<Date>`now() - interval '1 day'`)]))
    .orderBy(sql`stopped_at IS NOT NULL`)
    .orderBy("id", "desc")
    .limit(200)
    .execute();
}
