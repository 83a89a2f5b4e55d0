import type { AssetType } from "@syla/contracts/asset-fields";
import pg from "pg";
import { sql, type Insertable, type Selectable, type Updateable } from "kysely";
import { can, removeGrants } from "../access/service.ts";
import type { Queries, Work } from "../platform/database.ts";
import type { Schema } from "../platform/schema.ts";
import { nameKey, nameStems, slugStems } from "./names.ts";

type AssetColumns = Selectable<Schema["assets"]>;

/** An asset with the words that people read, and the size of its tree. */
export interface AssetRow extends Omit<AssetColumns, "search" | "name_key" | "viewers"> {
  readonly owner_name: string | null;
  readonly creator_name: string | null;
  readonly updater_name: string | null;
  readonly file_count: number | null;
  readonly total_bytes: number | null;
  readonly environment_state: "none" | "building" | "ready" | "failed" | null;
}

const assetColumns = [
  "a.id",
  "a.type",
  "a.name",
  "a.slug",
  "a.description",
  "a.tags",
  "a.slots",
  "a.owner_id",
  "a.visibility",
  "a.tree_sha256",
  "a.revision",
  "a.version",
  "a.cloned_from",
  "a.import_source",
  "a.last_run_id",
  "a.last_run_status",
  "a.last_run_at",
  "a.created_at",
  "a.created_by",
  "a.updated_at",
  "a.updated_by",
  "a.deleted_at",
  "a.deleted_by",
] as const;

const wholeConfig = sql<AssetColumns["config"]>`a.config`;
/** What lists show of it: the columns of a dataset may be many. */
const listedConfig = sql<AssetColumns["config"]>`jsonb_build_object('runtime', a.config->'runtime', 'rowCount', a.config->'rowCount')`;

/** Of what the working tree last asked for. */
const environmentState = sql<AssetRow["environment_state"]>`(
  select e.state from environment_pins p join environments e on e.id = p.environment_id where p.asset_id = a.id and p.version = '')`;

function selectAssets(queries: Queries, config = wholeConfig) {
  return queries
    .selectFrom("assets as a")
    .leftJoin("users as o", "o.id", "a.owner_id")
    .leftJoin("teams as t", "t.id", "a.owner_id")
    .leftJoin("users as c", "c.id", "a.created_by")
    .leftJoin("users as u", "u.id", "a.updated_by")
    .leftJoin("trees as r", "r.sha256", "a.tree_sha256")
    .select([
      ...assetColumns,
      config.as("config"),
      sql<string | null>`coalesce(o.name, t.name)`.as("owner_name"),
      "c.name as creator_name",
      "u.name as updater_name",
      "r.file_count",
      "r.total_bytes",
      environmentState.as("environment_state"),
    ]);
}

export async function findAsset(queries: Queries, id: string): Promise<AssetRow | undefined> {
  return await selectAssets(queries).where("a.id", "=", id).executeTakeFirst();
}

/** Those of the ids that are there, in any order, with as much of their configuration as lists show. */
export async function findAssets(queries: Queries, ids: readonly string[]): Promise<AssetRow[]> {
  return ids.length === 0
    ? []
    : await selectAssets(queries, listedConfig)
        .where("a.id", "in", [...ids])
        .execute();
}

/** The asset as it stays until the transaction ends. */
export async function lockAsset(work: Work, id: string): Promise<AssetRow | undefined> {
  await work.selectFrom("assets").select("id").where("id", "=", id).forUpdate().executeTakeFirst();
  return await findAsset(work, id);
}

/** One at a time for the names of an owner, until the transaction ends: what is looked up then stays so. */
export async function lockNames(work: Work, ownerId: string, type: AssetType): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`names of ${ownerId} ${type}`}, 0))`.execute(work);
}

/** Which of these names and slugs are in use, and of those that are looked for when they are. `but`: an asset whose own do not count. */
export async function findTaken(
  work: Queries,
  { ownerId, type, but = "" }: { ownerId: string; type: AssetType; but?: string },
  wish: { name: string; slug: string },
): Promise<{ names: Set<string>; slugs: Set<string> }> {
  const rows = await work
    .selectFrom("assets")
    .select(["name_key", "slug"])
    .where("owner_id", "=", ownerId)
    .where("type", "=", type)
    .where("deleted_at", "is", null)
    .where("id", "<>", but)
    .where((where) =>
      where.or([
        where("name_key", "=", nameKey(wish.name)),
        where("slug", "=", wish.slug),
        ...nameStems(wish.name).map((stem) => sql<boolean>`starts_with(name_key, ${stem})`),
        ...slugStems(wish.slug).map((stem) => sql<boolean>`starts_with(slug, ${stem})`),
      ]),
    )
    .execute();
  return { names: new Set(rows.map((row) => row.name_key)), slugs: new Set(rows.map((row) => row.slug)) };
}

/** Whether a write failed because a name or slug is in use. */
export function isNameConflict(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError) || error.code !== "23505") return false;
  return error.constraint === "assets_name" || error.constraint === "assets_slug";
}

export async function insertAsset(work: Work, asset: Insertable<Schema["assets"]>): Promise<void> {
  await work.insertInto("assets").values(asset).execute();
}

/** Changes an asset and counts the change. */
export async function changeAsset(work: Queries, id: string, by: string | null, change: Updateable<Schema["assets"]>): Promise<void> {
  await work
    .updateTable("assets")
    .set((set) => ({ ...change, revision: set("revision", "+", 1), updated_at: sql<Date>`now()`, updated_by: by }))
    .where("id", "=", id)
    .execute();
}

/** Notes a run; a later one that has been noted stays. It is no change of the asset. */
export async function noteRun(queries: Queries, id: string, run: { id: string; status: string; at: Date }): Promise<void> {
  await queries
    .updateTable("assets")
    .set({ last_run_id: run.id, last_run_status: run.status, last_run_at: run.at })
    .where("id", "=", id)
    .where((where) => where.or([where("last_run_at", "is", null), where("last_run_at", "<=", run.at)]))
    .execute();
}

/** The programs whose working tree this is, locked. */
export async function lockProgramsOf(
  work: Work,
  tree: string,
): Promise<Pick<AssetRow, "id" | "name" | "description" | "tags" | "slots">[]> {
  const query = work.selectFrom("assets").select(["id", "name", "description", "tags", "slots"]);
  return await query.where("tree_sha256", "=", tree).where("type", "=", "program").orderBy("id").forUpdate().execute();
}

/** What a program is found by, told by its analysis: no change of the program. */
export async function noteSlots(work: Work, id: string, found: { readonly slots: string[]; readonly search: string }): Promise<void> {
  await work.updateTable("assets").set(found).where("id", "=", id).execute();
}

/** Whether somebody is one who can own assets: end users are not. */
export async function mayOwn(queries: Queries, userId: string): Promise<boolean> {
  const query = queries.selectFrom("users").select("role").where("id", "=", userId).where("status", "=", "active");
  const person = await query.executeTakeFirst();
  return person !== undefined && can({ userId, role: person.role }, "asset:create");
}

/** What was deleted before a time. */
export async function findDeleted(queries: Queries, before: Date, most: number): Promise<string[]> {
  const query = queries.selectFrom("assets").select("id").where("deleted_at", "<", before).orderBy("deleted_at").limit(most);
  return (await query.execute()).map((row) => row.id);
}

/** Removes for good those that no other server is removing, and nobody has restored meanwhile. @returns how many */
export async function purgeDeleted(work: Work, ids: readonly string[], before: Date): Promise<number> {
  if (ids.length === 0) return 0;
  const query = work
    .selectFrom("assets")
    .select("id")
    .where("id", "in", [...ids])
    .where("deleted_at", "<", before);
  const rows = await query.orderBy("id").forUpdate().skipLocked().execute();
  await removeAssets(
    work,
    rows.map((row) => row.id),
  );
  return rows.length;
}

/** Who owns these assets, or has stored content for them. */
export async function findStorers(queries: Queries, ids: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select owner_id as id from assets where id = any(${[...ids]})
    union select created_by from assets where id = any(${[...ids]}) and created_by is not null
    union select created_by from asset_versions where asset_id = any(${[...ids]}) and created_by is not null`.execute(queries);
  return rows.map((row) => row.id);
}

/** Removes assets for good, with their versions, the grants on them, and what was uploaded for them alone. */
export async function removeAssets(work: Work, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await forgetUploads(work, ids);
  await removeGrants(work, "asset", ids);
  await work
    .deleteFrom("assets")
    .where("id", "in", [...ids])
    .execute();
}

/**
 * Forgets the uploads of those who brought them for these assets, as far as no other asset and no workspace has the content in its files. Whatever
 * else refers to the content, a run or a tree, goes on to keep it.
 */
async function forgetUploads(work: Work, ids: readonly string[]): Promise<void> {
  await sql`
    with parts as not materialized (
      select id as asset_id, tree_sha256, owner_id, created_by from assets
      union all select v.asset_id, v.tree_sha256, a.owner_id, v.created_by from asset_versions v join assets a on a.id = v.asset_id
      union all select id, tree_sha256, owner_id, created_by from workspaces),
    gone as (
      select distinct people.id as owner_id, b.sha256 from parts p join tree_blobs b using (tree_sha256)
      cross join lateral (values (p.owner_id), (p.created_by)) as people(id) where p.asset_id = any(${[...ids]}))
    delete from uploads u using gone where u.owner_id = gone.owner_id and u.sha256 = gone.sha256
      and not exists (select from tree_blobs b join parts p using (tree_sha256)
        where b.sha256 = gone.sha256 and p.asset_id <> all(${[...ids]}))`.execute(work);
}

/** What an owner has, deleted things included. */
export async function listOwned(queries: Queries, ownerId: string): Promise<string[]> {
  const rows = await queries.selectFrom("assets").select("id").where("owner_id", "=", ownerId).orderBy("id").execute();
  return rows.map((row) => row.id);
}

export async function countOwned(queries: Queries, ownerId: string): Promise<number> {
  const row = await queries
    .selectFrom("assets")
    .select((select) => select.fn.countAll<number>().as("count"))
    .where("owner_id", "=", ownerId)
    .where("deleted_at", "is", null)
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Gives an asset to another owner, under a name of its own there. */
export async function changeOwner(work: Work, id: string, change: Updateable<Schema["assets"]>): Promise<void> {
  await work.updateTable("assets").set(change).where("id", "=", id).execute();
}

/** Which of several people may see which of several assets: the rule of `can` with `asset:read`, for what is told to people. */
export async function findWatchers(
  queries: Queries,
  assetIds: readonly string[],
  userIds: readonly string[],
): Promise<{ user_id: string; asset_id: string }[]> {
  const { rows } = await sql<{ user_id: string; asset_id: string }>`
    select u.id as user_id, a.id as asset_id from users u cross join assets a
    where u.id = any(${[...userIds]}) and a.id = any(${[...assetIds]}) and u.status = 'active' and (
      u.role = 'admin' or a.owner_id = u.id or a.visibility = 'public'
      or exists (select from team_members m where m.user_id = u.id and m.team_id = a.owner_id)
      or exists (select from grants g where g.resource_type = 'asset' and g.resource_id = a.id and (g.expires_at is null or g.expires_at > now()) and (
        (g.subject_type = 'user' and g.subject_id = u.id)
        or (g.subject_type = 'team' and exists (select from team_members m where m.team_id = g.subject_id and m.user_id = u.id))
        or (g.subject_type = 'link' and exists (select from share_link_uses l where l.link_id = g.subject_id and l.user_id = u.id)))))`.execute(
    queries,
  );
  return rows;
}

/** The compositions that use an asset, as it is now or in published versions; the newest first. What was deleted uses nothing. */
export async function findUses(
  queries: Queries,
  id: string,
  limit: number,
): Promise<{ id: string; name: string; draft: boolean; versions: string[] }[]> {
  const wanted = JSON.stringify([{ id }]);
  const { rows } = await sql<{ id: string; name: string; draft: boolean; versions: string[] }>`
    with used as (
      select id as asset_id, null as version, null as version_key from assets
        where config ? 'references' and config->'references' @> ${wanted}::jsonb
      union all select asset_id, version, version_key from asset_versions
        where config ? 'references' and config->'references' @> ${wanted}::jsonb)
    select a.id, a.name, bool_or(used.version is null) as draft,
      coalesce((array_agg(used.version order by used.version_key desc) filter (where used.version is not null))[1:20], '{}') as versions
    from used join assets a on a.id = used.asset_id where a.type = 'composition' and a.deleted_at is null
    group by a.id order by a.id desc limit ${limit}`.execute(queries);
  return rows;
}

/** Removes words from the search that no asset has; what is added meanwhile stays. */
export async function removeUnusedWords(queries: Queries): Promise<void> {
  await sql`
    with known as materialized (select word from asset_words), used as (select word from ts_stat('select search from assets'))
    delete from asset_words using known
    where asset_words.word = known.word and not exists (select from used where used.word = known.word)`.execute(queries);
}
