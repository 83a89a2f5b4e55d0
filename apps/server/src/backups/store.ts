import { sql, type Selectable } from "kysely";
import type { Queries } from "../platform/database.ts";
import type { Schema } from "../platform/schema.ts";

export type BackupJobRow = Selectable<Schema["backup_jobs"]>;

/** A job that is to begin. */
export interface NewJob {
  readonly id: string;
  readonly kind: BackupJobRow["kind"];
  readonly backupId: string | null;
  readonly workspaceId: string | null;
  readonly isAutomatic: boolean;
  readonly startedBy: string | null;
  readonly workerId: string;
  readonly report: object;
}

/** Begins a job unless one is running; that of a server which is gone has failed. Undefined: another is running. */
export async function insertJob(queries: Queries, job: NewJob, lost: string): Promise<BackupJobRow | undefined> {
  await sql`update backup_jobs set state = 'failed', finished_at = now(), report = report || ${JSON.stringify({ error: lost })}::jsonb
    where state = 'running' and not exists (
      select 1 from workers where workers.id = backup_jobs.worker_id and stopped_at is null)`.execute(queries);
  return await queries
    .insertInto("backup_jobs")
    .values({
      id: job.id,
      kind: job.kind,
      state: "running",
      backup_id: job.backupId,
      workspace_id: job.workspaceId,
      is_automatic: job.isAutomatic,
      started_by: job.startedBy,
      worker_id: job.workerId,
      report: JSON.stringify(job.report),
    })
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
}

/** @returns whether it is to stop, or is not running any more */
export async function saveJob(queries: Queries, id: string, state: BackupJobRow["state"], report: object): Promise<boolean> {
  const finished = state === "running" ? {} : { finished_at: new Date() };
  const row = await queries
    .updateTable("backup_jobs")
    .set({ state, report: JSON.stringify(report), ...finished })
    .where("id", "=", id)
    .where("state", "=", "running")
    .returning("stop_requested_at")
    .executeTakeFirst();
  return row === undefined || row.stop_requested_at !== null;
}

/** Asks the server that does a job to stop it. */
export async function requestStop(queries: Queries, id: string): Promise<void> {
  await queries
    .updateTable("backup_jobs")
    .set({ stop_requested_at: new Date() })
    .where("id", "=", id)
    .where("state", "=", "running")
    .where("stop_requested_at", "is", null)
    .execute();
}

export async function findJob(queries: Queries, id: string): Promise<BackupJobRow | undefined> {
  return await queries.selectFrom("backup_jobs").selectAll().where("id", "=", id).executeTakeFirst();
}

export async function listJobs(queries: Queries, limit: number): Promise<BackupJobRow[]> {
  return await queries.selectFrom("backup_jobs").selectAll().orderBy("id", "desc").limit(limit).execute();
}

/** The newest automatic backup that was tried, and whether the one before it failed too. */
export async function findAutomatic(queries: Queries): Promise<BackupJobRow[]> {
  const query = queries.selectFrom("backup_jobs").selectAll().where("kind", "=", "create").where("is_automatic", "=", true);
  return await query.orderBy("id", "desc").limit(2).execute();
}

const repositoryKey = "backup_repository";

/** Which repository the installation backs up to. */
export async function readRepository(queries: Queries): Promise<unknown> {
  return (await queries.selectFrom("settings").select("value").where("key", "=", repositoryKey).executeTakeFirst())?.value;
}

export async function noteRepository(queries: Queries, value: { readonly id: string; readonly place: string }): Promise<void> {
  await queries
    .insertInto("settings")
    .values({ key: repositoryKey, value: JSON.stringify(value) })
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ value: JSON.stringify(value) }))
    .execute();
}
