import { sql } from "kysely";
import type { Selectable } from "kysely";
import type { DocumentRow } from "../../live/service.ts";
import type { Queries, Work } from "../../platform/database.ts";
import type { Schema } from "../../platform/schema.ts";

export async function findDocumentAt(queries: Queries, workspaceId: string, path: string): Promise<DocumentRow | undefined> {
  const query = queries.selectFrom("live_documents").selectAll().where("workspace_id", "=", workspaceId).where("path", "=", path);
  return await query.where("detached_at", "is", null).executeTakeFirst();
}

/** Of a workspace's files, those that have a document. */
export async function listPaths(queries: Queries, workspaceId: string): Promise<string[]> {
  const query = queries.selectFrom("live_documents").select("path").where("workspace_id", "=", workspaceId);
  return (await query.where("detached_at", "is", null).execute()).map(({ path }) => path);
}

/** A workspace's documents; of which something is not in the files yet, where that is asked for. */
export async function listDocuments(queries: Queries, workspaceId: string, onlyUnsettled: boolean): Promise<string[]> {
  let query = queries.selectFrom("live_documents").select("id").where("workspace_id", "=", workspaceId).where("detached_at", "is", null);
  if (onlyUnsettled) query = query.whereRef("last_seq", ">", "snapshot_seq");
  return (await query.orderBy("id").execute()).map(({ id }) => id);
}

/** Takes some documents of which something has not come into the files for so long: whoever had them open is gone. Those that cannot be written come last. */
export async function takeLeft(queries: Queries, ms: number, most: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    update live_documents set used_at = now() where id in (
      select d.id from live_documents d join workspaces w on w.id = d.workspace_id
      where d.last_seq > d.snapshot_seq and d.detached_at is null and d.used_at < now() - ${ms} * interval '1 millisecond'
        and w.deleted_at is null and w.state <> 'archived'
      order by d.used_at limit ${most} for update of d skip locked) returning id`.execute(queries);
  return rows.map(({ id }) => id);
}

/** Documents go with their files, and with the folders that those are in. One whose place is taken is left behind. */
export async function moveDocuments(
  work: Work,
  workspaceId: string,
  moves: readonly { readonly from: string; readonly to: string }[],
): Promise<void> {
  // In the order in which those who write lock them.
  if (moves.length > 0) await sql`select id from live_documents where workspace_id = ${workspaceId} order by id for update`.execute(work);
  for (const { from, to } of moves) {
    const isMoved = sql`workspace_id = ${workspaceId} and detached_at is null and (path = ${from} or starts_with(path, ${`${from}/`}))`;
    const place = sql`${to}::text || substr(path, char_length(${from}::text) + 1)`;
    await sql`
      update live_documents set detached_at = now() where workspace_id = ${workspaceId} and detached_at is null
        and path in (select ${place} from live_documents where ${isMoved})`.execute(work);
    await sql`update live_documents set path = ${place} where ${isMoved}`.execute(work);
  }
}

/** What a connection has to know of the workspace, again and again. */
export async function findWorkspacePlace(
  queries: Queries,
  id: string,
): Promise<Pick<Selectable<Schema["workspaces"]>, "id" | "owner_id" | "name" | "state" | "deleted_at"> | undefined> {
  return await queries
    .selectFrom("workspaces")
    .select(["id", "owner_id", "name", "state", "deleted_at"])
    .where("id", "=", id)
    .executeTakeFirst();
}
