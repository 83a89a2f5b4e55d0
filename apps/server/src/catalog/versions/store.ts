import { sql, type Insertable, type Selectable } from "kysely";
import type { Queries, Work } from "../../platform/database.ts";
import type { Schema } from "../../platform/schema.ts";

/** A published version, with its author's name and the size of its tree. */
export interface VersionRow extends Omit<Selectable<Schema["asset_versions"]>, "version_key"> {
  readonly creator_name: string | null;
  readonly file_count: number | null;
  readonly total_bytes: number | null;
}

export async function insertVersion(work: Work, version: Insertable<Schema["asset_versions"]>): Promise<boolean> {
  const row = await work
    .insertInto("asset_versions")
    .values(version)
    .onConflict((conflict) => conflict.doNothing())
    .returning("version")
    .executeTakeFirst();
  return row !== undefined;
}

function selectVersions(queries: Queries, assetId: string) {
  return queries
    .selectFrom("asset_versions as v")
    .leftJoin("users as c", "c.id", "v.created_by")
    .leftJoin("trees as r", "r.sha256", "v.tree_sha256")
    .select(["v.asset_id", "v.version", "v.tree_sha256", "v.config", "v.metadata", "v.message", "v.created_by", "v.created_at"])
    .select(["c.name as creator_name", "r.file_count", "r.total_bytes"])
    .where("v.asset_id", "=", assetId);
}

export async function findVersion(queries: Queries, assetId: string, version: string): Promise<VersionRow | undefined> {
  return await selectVersions(queries, assetId).where("v.version", "=", version).executeTakeFirst();
}

/** The highest first; one row more than `limit` tells that there is a next page. */
export async function listVersions(
  queries: Queries,
  assetId: string,
  page: { limit: number; before: string | null },
): Promise<VersionRow[]> {
  let query = selectVersions(queries, assetId);
  if (page.before !== null) query = query.where("v.version_key", "<", page.before);
  return await query
    .orderBy("v.version_key", "desc")
    .limit(page.limit + 1)
    .execute();
}

/** Writes down the slots of the versions with these files, which their analysis has told by now. */
export async function noteVersionSlots(work: Work, tree: string, slots: readonly string[]): Promise<void> {
  await work
    .updateTable("asset_versions")
    .set({ metadata: sql`jsonb_set(metadata, '{slots}', ${JSON.stringify(slots)}::jsonb)` })
    .where("tree_sha256", "=", tree)
    .where("metadata", "is not", null)
    .where(sql`metadata -> 'slots'`, "<>", sql`${JSON.stringify(slots)}::jsonb`)
    .execute();
}

/** The highest version of an asset; null when none is published. */
export async function findHighestVersion(queries: Queries, assetId: string): Promise<string | null> {
  const query = queries.selectFrom("asset_versions").select("version").where("asset_id", "=", assetId);
  return (await query.orderBy("version_key", "desc").limit(1).executeTakeFirst())?.version ?? null;
}
