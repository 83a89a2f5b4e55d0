import type { ImportState } from "@syla/contracts/imports";
import { sql, type Insertable, type Selectable, type Updateable } from "kysely";
import type { Database, Queries, Work } from "../platform/database.ts";
import type { Schema } from "../platform/schema.ts";

export type ImportRow = Selectable<Schema["imports"]>;

/** Inserts an import, unless so many of its owner's are being worked on. */
export async function insertImport(database: Database, row: Insertable<Schema["imports"]>, most: number): Promise<ImportRow | undefined> {
  return await whenFewer(database, row.owner_id, most, (work) => work.insertInto("imports").values(row).returningAll().executeTakeFirst());
}

/** Does what sets one of a person's imports going, unless so many are being worked on. Two at once see each other. */
export async function whenFewer<T>(
  database: Database,
  ownerId: string,
  most: number,
  perform: (work: Work) => Promise<T>,
): Promise<T | undefined> {
  return await database.queries.transaction().execute(async (work) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`imports of ${ownerId}`}, 0))`.execute(work);
    return (await countWorking(work, ownerId)) >= most ? undefined : await perform(work);
  });
}

/** An import of this person. Nobody else sees it. */
export async function findImport(queries: Queries, ownerId: string, id: string): Promise<ImportRow | undefined> {
  return await queries.selectFrom("imports").selectAll().where("id", "=", id).where("owner_id", "=", ownerId).executeTakeFirst();
}

/** One more than `limit` when there are more. */
export async function listImports(
  queries: Queries,
  ownerId: string,
  page: { readonly limit: number; readonly before: string | null; readonly state: ImportState | undefined },
): Promise<ImportRow[]> {
  let query = queries.selectFrom("imports").selectAll().where("owner_id", "=", ownerId);
  if (page.before !== null) query = query.where("id", "<", page.before);
  if (page.state !== undefined) query = query.where("state", "=", page.state);
  return await query
    .orderBy("id", "desc")
    .limit(page.limit + 1)
    .execute();
}

export async function countWorking(queries: Queries, ownerId: string): Promise<number> {
  const row = await queries
    .selectFrom("imports")
    .select((select) => select.fn.countAll<number>().as("count"))
    .where("owner_id", "=", ownerId)
    .where("state", "in", ["fetching", "analysing"])
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Changes an import that is in one of these states; undefined when it is not. */
export async function changeImport(
  queries: Queries,
  id: string,
  states: readonly ImportState[],
  change: Updateable<Schema["imports"]>,
): Promise<ImportRow | undefined> {
  return await queries
    .updateTable("imports")
    .set({ ...change, updated_at: new Date() })
    .where("id", "=", id)
    .where("state", "in", [...states])
    .returningAll()
    .executeTakeFirst();
}

/** Takes over one that a process left that is gone. */
export async function takeAbandoned(queries: Queries, workerId: string): Promise<ImportRow | undefined> {
  const { rows } = await sql<{ id: string }>`
    update imports set worker_id = ${workerId}, updated_at = now() where id = (
      select id from imports where state in ('fetching', 'analysing', 'creating') and (worker_id is null or not exists (
        select 1 from workers where workers.id = imports.worker_id and stopped_at is null))
      order by id limit 1 for update skip locked)
    returning id`.execute(queries);
  const [found] = rows;
  if (found === undefined) return undefined;
  return await queries.selectFrom("imports").selectAll().where("id", "=", found.id).executeTakeFirst();
}

/** Ends reviews that nobody confirmed in time, and forgets imports that ended long ago. */
export async function expireImports(queries: Queries, keepDays: number): Promise<void> {
  await sql`update imports set state = 'expired', tree_sha256 = null, whole_tree_sha256 = null, analysis_sha256 = null, updated_at = now()
    where state = 'review' and expires_at < now()`.execute(queries);
  await sql`delete from imports where state in ('created', 'failed', 'cancelled', 'expired')
    and updated_at < now() - make_interval(days => ${keepDays})`.execute(queries);
}

/** The program that an import made before its process was killed. */
export async function findMade(queries: Queries, importId: string): Promise<string | undefined> {
  const { rows } = await sql<{ id: string }>`select id from assets where import_source->>'importId' = ${importId} limit 1`.execute(queries);
  return rows[0]?.id;
}

/** What somebody may do, for work that goes on without them. Undefined: they are not there any more, or suspended. */
export async function findOwner(queries: Queries, userId: string): Promise<{ role: "end_user" | "developer" | "admin" } | undefined> {
  return await queries.selectFrom("users").select("role").where("id", "=", userId).where("status", "=", "active").executeTakeFirst();
}
