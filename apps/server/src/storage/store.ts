import { sql, type Selectable } from "kysely";
import type { Queries, Work } from "../platform/database.ts";
import type { Schema } from "../platform/schema.ts";
import { referenceQuery } from "./references/store.ts";

export type StorageJobRow = Selectable<Schema["storage_jobs"]>;

/** Notes for the rest of the transaction what is referred to now, as the temporary table `referenced`. */
export async function noteReferenced(work: Work): Promise<void> {
  await sql`create temporary table referenced on commit drop as
    select sha256, count(*) as uses from (${sql.raw(referenceQuery)}) as every where sha256 is not null group by sha256`.execute(work);
  await sql`create unique index on referenced (sha256)`.execute(work);
  await sql`analyze referenced`.execute(work);
}

/** Those of `hashes` that are not among what {@link noteReferenced} found. */
export async function withoutReferenced(work: Work, hashes: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ sha256: string }>`
    select sha256 from unnest(${hashes}::text[]) as given(sha256)
    where not exists (select 1 from referenced where referenced.sha256 = given.sha256)`.execute(work);
  return rows.map((row) => row.sha256);
}

/** A page of what {@link noteReferenced} found, in order. */
export async function listReferenced(work: Work, after: string, limit: number): Promise<string[]> {
  const { rows } = await sql<{ sha256: string }>`
    select sha256 from referenced where sha256 > ${after} order by sha256 limit ${limit}`.execute(work);
  return rows.map((row) => row.sha256);
}

/** Takes the notes away of what is referred to after all. */
export async function removeNotesOfReferenced(work: Work, store: string): Promise<void> {
  await sql`delete from blob_garbage using referenced
    where store = ${store} and blob_garbage.sha256 = referenced.sha256`.execute(work);
}

/** Notes what nothing refers to; what was noted before keeps its time. */
export async function noteGarbage(queries: Queries, store: string, hashes: readonly string[]): Promise<void> {
  await sql`insert into blob_garbage (store, sha256) select ${store}, unnest(${hashes}::text[]) on conflict do nothing`.execute(queries);
}

/**
 * Locks what was noted longer ago than the time of grace; nothing while a backup is made, which copies what the database referred to when it began.
 * Whoever puts one of these waits for the end of the transaction.
 */
export async function lockDueGarbage(work: Work, store: string, graceMs: number, limit: number): Promise<string[]> {
  const { rows } = await sql<{ sha256: string }>`
    select sha256 from blob_garbage where store = ${store} and since <= clock_timestamp() - make_interval(secs => ${graceMs / 1000})
      and not exists (select from backup_jobs b join workers w on w.id = b.worker_id where b.state = 'running' and w.stopped_at is null)
    order by since limit ${limit} for update skip locked`.execute(work);
  return rows.map((row) => row.sha256);
}

/** Those of `hashes` that something refers to. */
export async function findReferenced(queries: Queries, hashes: readonly string[]): Promise<Set<string>> {
  const { rows } = await sql<{ sha256: string }>`
    select distinct sha256 from (${sql.raw(referenceQuery)}) as every where sha256 = any(${hashes}::text[])`.execute(queries);
  return new Set(rows.map((row) => row.sha256));
}

/** What refers to a blob, in words. */
export async function findReferrers(queries: Queries, sha256: string, limit: number): Promise<string[]> {
  const { rows } = await sql<{ referrer: string }>`
    select referrer from (${sql.raw(referenceQuery)}) as every where sha256 = ${sha256} limit ${limit}`.execute(queries);
  return rows.map((row) => row.referrer);
}

/** Removes trees with what is known of their content; their manifests are deleted next. */
export async function removeTrees(work: Work, hashes: readonly string[]): Promise<void> {
  await sql`delete from trees where sha256 = any(${hashes}::text[])`.execute(work);
}

export async function removeNotes(queries: Queries, store: string, hashes: readonly string[]): Promise<void> {
  await sql`delete from blob_garbage where store = ${store} and sha256 = any(${hashes}::text[])`.execute(queries);
}

export async function countGarbage(queries: Queries, store: string): Promise<number> {
  const row = await queries
    .selectFrom("blob_garbage")
    .where("store", "=", store)
    .select((select) => select.fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  return row.count;
}

/** The newest job that measured what is stored. */
export async function findUsage(queries: Queries): Promise<object | undefined> {
  const { rows } = await sql<{ usage: object }>`
    select report->'usage' as usage from storage_jobs where jsonb_typeof(report->'usage') = 'object' order by id desc limit 1`.execute(
    queries,
  );
  return rows[0]?.usage;
}
