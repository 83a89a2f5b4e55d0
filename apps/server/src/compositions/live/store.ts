import { sql } from "kysely";
import type { DocumentRow } from "../../live/service.ts";
import type { Queries } from "../../platform/database.ts";

/** The document of a composition's draft. */
export async function findDocumentOf(queries: Queries, assetId: string): Promise<DocumentRow | undefined> {
  return await queries.selectFrom("live_documents").selectAll().where("asset_id", "=", assetId).executeTakeFirst();
}

/** The same, when something of it is not in the draft yet. */
export async function findUnsettled(queries: Queries, assetId: string): Promise<string | undefined> {
  const query = queries.selectFrom("live_documents").select("id").where("asset_id", "=", assetId);
  return (await query.whereRef("last_seq", ">", "snapshot_seq").executeTakeFirst())?.id;
}

/** Takes some documents of which something has not come into the draft for so long. Those that cannot be written come last. */
export async function takeLeft(queries: Queries, ms: number, most: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    update live_documents set used_at = now() where id in (
      select d.id from live_documents d join assets a on a.id = d.asset_id
      where d.last_seq > d.snapshot_seq and d.used_at < now() - ${ms} * interval '1 millisecond' and a.deleted_at is null
      order by d.used_at limit ${most} for update of d skip locked) returning id`.execute(queries);
  return rows.map(({ id }) => id);
}
