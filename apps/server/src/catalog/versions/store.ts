import { isGranted } from "../../access/service.ts";
import { sql, type Insertable, type Selectable } from "kysely";
import type { Queries, Work } from "../../platform/database.ts";
import { firstIdAt } from "../../platform/ids.ts";
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

/** How long what somebody has used counts as what they use. */
const usedDays = 90;
/** More are not told of one version. */
const mostTold = 1000;
/** Whoever was told of so many versions within the hour is told of no more for a while. */
const mostAnHour = 20;

/**
 * Those who may see an asset and use it: whoever has run it, read it in a run or called it of late, or has a schedule, a trigger or a composition
 * for it; and the person it belongs to. `besides`: who is left out.
 */
export async function listThoseWhoUse(
  work: Work,
  { id, type, owner_id: ownerId, visibility }: Pick<Selectable<Schema["assets"]>, "id" | "type" | "owner_id" | "visibility">,
  besides: string,
): Promise<string[]> {
  const since = new Date(Date.now() - usedDays * 86_400_000);
  // Ids begin with their time: so the indexes leave out what is older.
  const [run, call] = [firstIdAt("run", since.getTime()), firstIdAt("llm", since.getTime())];
  const module = JSON.stringify([{ id }]);
  const used = {
    composition: sql`select owner_id from runs where asset_id = ${id} and id >= ${run} and created_at > ${since}
      union select owner_id from assets where config ? 'references' and config->'references' @> ${module}::jsonb and deleted_at is null`,
    program: sql`select owner_id from runs where asset_id = ${id} and id >= ${run} and created_at > ${since}
      union select owner_id from schedules where program_id = ${id} and enabled union select owner_id from triggers where program_id = ${id} and enabled`,
    dataset: sql`select owner_id from runs where dataset_ids @> array[${id}] and id >= ${run} and created_at > ${since}`,
    model: sql`select user_id from llm_calls where model_id = ${id} and id >= ${call} and started_at > ${since}`,
  }[type];
  const { rows } = await sql<{ id: string }>`
    select u.id from users u join (${used} union select ${ownerId}) as used (user_id) on used.user_id = u.id
    where u.id <> ${besides} and u.status = 'active'
      and (u.id = ${ownerId} or ${visibility} = 'public' or u.role = 'admin'
        or exists (select from team_members m where m.team_id = ${ownerId} and m.user_id = u.id)
        or ${isGranted("asset", id, sql.ref("u.id"))})
      and (select count(*) from notifications n where n.user_id = u.id and n.type = 'asset_updated' and n.created_at > now() - interval '1 hour') < ${mostAnHour}
    order by u.id limit ${mostTold}`.execute(work);
  return rows.map((row) => row.id);
}
