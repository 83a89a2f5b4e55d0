import type { WorkspaceFilter, WorkspaceVersionCause } from "@syla/contracts/workspaces";
import { sql, type Insertable, type RawBuilder, type Selectable, type SqlBool, type Updateable } from "kysely";
import pg from "pg";
import { can, removeGrants, sharedWith, type Viewer } from "../access/service.ts";
import { freeName, nameKey } from "../catalog/service.ts";
import type { Queries, Work } from "../platform/database.ts";
import type { Schema } from "../platform/schema.ts";

type Columns = Selectable<Schema["workspaces"]>;

/** A workspace with the words that people read, the size of its tree, and how many runs in it go on. */
export interface WorkspaceRow extends Columns {
  readonly owner_name: string | null;
  readonly creator_name: string | null;
  readonly updater_name: string | null;
  readonly file_count: number | null;
  readonly total_bytes: number | null;
  readonly running: number;
  /** When the last of its runs ended, of those that were made last. */
  readonly ran_at: Date | null;
}

const startedStatuses = sql`('starting', 'running', 'waiting')`;
/** Runs that go on, or whose turn may come at any time; not what is for later, which may be in a year. */
const isGoing = sql`(runs.status in ${startedStatuses} or (runs.status = 'queued' and runs.available_at <= now()))`;

const latestRuns = 20;

function selectWorkspaces(queries: Queries) {
  return queries
    .selectFrom("workspaces")
    .leftJoin("users as o", "o.id", "workspaces.owner_id")
    .leftJoin("teams as t", "t.id", "workspaces.owner_id")
    .leftJoin("users as c", "c.id", "workspaces.created_by")
    .leftJoin("users as u", "u.id", "workspaces.updated_by")
    .leftJoin("trees as r", "r.sha256", "workspaces.tree_sha256")
    .selectAll("workspaces")
    .select([
      sql<string | null>`coalesce(o.name, t.name)`.as("owner_name"),
      "c.name as creator_name",
      "u.name as updater_name",
      "r.file_count",
      "r.total_bytes",
      sql<Date | null>`(select max(finished_at) from (
        select finished_at from runs where runs.workspace_id = workspaces.id order by id desc limit ${latestRuns}) as latest)`.as("ran_at"),
      sql<number>`(select count(*) from runs where runs.workspace_id = workspaces.id and ${isGoing})::int`.as("running"),
    ]);
}

export async function findWorkspace(queries: Queries, id: string): Promise<WorkspaceRow | undefined> {
  return await selectWorkspaces(queries).where("workspaces.id", "=", id).executeTakeFirst();
}

/** Whether it is there, and goes on. */
export async function findState(queries: Queries, id: string): Promise<Pick<Columns, "deleted_at" | "state"> | undefined> {
  return await queries.selectFrom("workspaces").select(["deleted_at", "state"]).where("id", "=", id).executeTakeFirst();
}

/** The workspace as it stays until the transaction ends. */
export async function lockWorkspace(work: Work, id: string): Promise<WorkspaceRow | undefined> {
  await work.selectFrom("workspaces").select("id").where("id", "=", id).forUpdate().executeTakeFirst();
  return await findWorkspace(work, id);
}

/** One page of what somebody may see, those used last first; one row more than `limit` tells that there is a next page. */
export async function listWorkspaces(
  queries: Queries,
  viewer: Viewer & { readonly teamIds: readonly string[]; readonly ownedTeamIds: readonly string[] },
  filter: WorkspaceFilter,
  after: { readonly at: string; readonly id: string } | null,
): Promise<(WorkspaceRow & { readonly place: string })[]> {
  let query = selectWorkspaces(queries)
    .select(sql<string>`workspaces.last_used_at::text`.as("place"))
    .where("workspaces.deleted_at", filter.view === "deleted" ? "is not" : "is", null)
    .where(seenBy(viewer, filter.view));
  if (filter.kind !== undefined) query = query.where("workspaces.kind", "=", filter.kind);
  if (filter.state !== undefined) query = query.where("workspaces.state", "=", filter.state);
  if (filter.q !== undefined) query = query.where(sql<SqlBool>`strpos(workspaces.name_key, ${nameKey(filter.q)}) > 0`);
  if (after !== null) query = query.where(sql<SqlBool>`(workspaces.last_used_at, workspaces.id) < (${after.at}::timestamptz, ${after.id})`);
  return await query
    .orderBy("workspaces.last_used_at", "desc")
    .orderBy("workspaces.id", "desc")
    .limit(filter.limit + 1)
    .execute();
}

/** What is in a view: the same rule as `can` with `workspace:read`. */
function seenBy(
  viewer: Viewer & { readonly teamIds: readonly string[]; readonly ownedTeamIds: readonly string[] },
  view: WorkspaceFilter["view"],
): RawBuilder<SqlBool> {
  const isMine = sql<SqlBool>`workspaces.owner_id = ${viewer.userId}`;
  const isOfTeam = sql<SqlBool>`workspaces.owner_id = any(${[...viewer.teamIds]})`;
  const isShared = sql<SqlBool>`${sharedWith(viewer, "workspace")}`;
  switch (view) {
    case "mine":
      return isMine;
    case "team":
      return isOfTeam;
    case "shared":
      return isShared;
    case "deleted":
      return can(viewer, "workspace:list-all")
        ? sql<SqlBool>`true`
        : sql<SqlBool>`(${isMine} or workspaces.owner_id = any(${[...viewer.ownedTeamIds]}))`;
    default:
      return can(viewer, "workspace:list-all") ? sql<SqlBool>`true` : sql<SqlBool>`(${isMine} or ${isOfTeam} or ${isShared})`;
  }
}

/** Whether a write failed because a name is in use. */
export function isNameConflict(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === "23505" && error.constraint === "workspaces_name";
}

/** A name like the wished one that its owner has not used. */
export async function findFreeName(queries: Queries, ownerId: string, wish: string): Promise<string> {
  const rows = await queries
    .selectFrom("workspaces")
    .select("name_key")
    .where("owner_id", "=", ownerId)
    .where("deleted_at", "is", null)
    .execute();
  return freeName(wish, new Set(rows.map((row) => row.name_key)));
}

/** One at a time for the names of an owner's workspaces, until the transaction ends: what is looked up then stays so. */
export async function lockNames(work: Work, ownerId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`names of ${ownerId} workspace`}, 0))`.execute(work);
}

/** Inserts a workspace with its first head. */
export async function insertWorkspace(work: Work, row: Omit<Insertable<Schema["workspaces"]>, "name_key">): Promise<void> {
  await lockNames(work, row.owner_id);
  await work
    .insertInto("workspaces")
    .values({ ...row, name_key: nameKey(row.name) })
    .execute();
  await insertHead(work, { id: row.id, revision: 1, tree: row.tree_sha256, authors: [row.created_by ?? null] });
}

/** Changes a workspace and counts the change. */
export async function changeWorkspace(
  queries: Queries,
  id: string,
  by: string | null,
  change: Omit<Updateable<Schema["workspaces"]>, "name_key">,
): Promise<void> {
  await queries
    .updateTable("workspaces")
    .set((set) => ({
      ...change,
      ...(typeof change.name === "string" ? { name_key: nameKey(change.name) } : {}),
      revision: set("revision", "+", 1),
      updated_at: sql<Date>`now()`,
      updated_by: by,
    }))
    .where("id", "=", id)
    .execute();
}

/** Its time has come: nobody has changed anything, and whoever has it open goes on with what they loaded. */
export async function settleWorkspaces(
  work: Work,
  ids: readonly string[],
  change: Pick<Updateable<Schema["workspaces"]>, "state" | "archived_at" | "deleted_at" | "deleted_by">,
): Promise<void> {
  if (ids.length === 0) return;
  await work
    .updateTable("workspaces")
    .set(change)
    .where("id", "in", [...ids])
    .execute();
}

/** It was used: that is no change of it. One that was suspended goes on. */
export async function touchWorkspace(queries: Queries, id: string): Promise<void> {
  await sql`update workspaces set last_used_at = now(), warned_at = null, state = case state when 'suspended' then 'active' else state end
    where id = ${id}`.execute(queries);
}

const keptHeads = 1000;

/** What the files are at a revision, and who made them so. */
export interface NewHead {
  readonly id: string;
  readonly revision: number;
  readonly tree: string;
  readonly authors: readonly (string | null)[];
}

/** Notes what the files are at a revision. What they were long ago, or many revisions ago, is for {@link forgetHeads}. */
export async function insertHead(work: Work, head: NewHead): Promise<void> {
  await insertAuthors(work, head);
  await work.insertInto("workspace_heads").values({ workspace_id: head.id, revision: head.revision, tree_sha256: head.tree }).execute();
  await sql`update workspace_heads set superseded_at = case when revision < ${head.revision - keptHeads} then to_timestamp(0) else now() end
    where workspace_id = ${head.id} and revision < ${head.revision}
      and (superseded_at is null or (revision < ${head.revision - keptHeads} and superseded_at > to_timestamp(0)))`.execute(work);
}

/** Notes who has written what the next version will hold. */
async function insertAuthors(work: Work, { id, authors }: NewHead): Promise<void> {
  await sql`
    insert into workspace_authors (workspace_id, version, user_id)
    select w.id, w.last_version + 1, u.id from workspaces w cross join users u where w.id = ${id} and u.id = any(${[...authors]}::text[])
    on conflict do nothing`.execute(work);
}

/** Some of the heads that something took the place of so long ago, or so many revisions ago. */
export async function findOldHeads(queries: Queries, ms: number, most: number): Promise<{ id: string; revision: number }[]> {
  const { rows } = await sql<{ id: string; revision: number }>`
    select workspace_id as id, revision from workspace_heads where superseded_at < ${before(ms)} order by superseded_at limit ${most}`.execute(
    queries,
  );
  return rows;
}

/** Forgets heads with those before them, and the uploads of those who brought what is in no files any more; what came within the hour is about to be used. @returns how many */
export async function forgetHeads(work: Work, heads: readonly { readonly id: string; readonly revision: number }[]): Promise<number> {
  const { rows } = await sql<{ id: string; tree: string }>`
    delete from workspace_heads using unnest(${heads.map(({ id }) => id)}::text[], ${heads.map(({ revision }) => revision)}::int[]) as old(id, number)
    where workspace_id = old.id and revision <= old.number and superseded_at is not null
    returning workspace_id as id, tree_sha256 as tree`.execute(work);
  await sql`
    with gone as (
      select distinct people.id as owner_id, b.sha256
      from unnest(${rows.map(({ id }) => id)}::text[], ${rows.map(({ tree }) => tree)}::text[]) as old(id, tree)
      join workspaces w on w.id = old.id join tree_blobs b on b.tree_sha256 = old.tree
      cross join lateral (values (w.owner_id), (w.created_by), (w.updated_by)) as people(id))
    delete from uploads u using gone where u.owner_id = gone.owner_id and u.sha256 = gone.sha256 and u.created_at < now() - interval '1 hour'
      and not exists (select from tree_blobs b where b.sha256 = u.sha256 and (
        exists (select from workspaces p where p.tree_sha256 = b.tree_sha256)
        or exists (select from workspace_versions p where p.tree_sha256 = b.tree_sha256)
        or exists (select from workspace_heads p where p.tree_sha256 = b.tree_sha256)
        or exists (select from assets p where p.tree_sha256 = b.tree_sha256)
        or exists (select from asset_versions p where p.tree_sha256 = b.tree_sha256)))`.execute(work);
  return rows.length;
}

/** What the files were at a revision; undefined when that is forgotten. */
export async function findHead(queries: Queries, id: string, revision: number): Promise<string | undefined> {
  const query = queries
    .selectFrom("workspace_heads")
    .select("tree_sha256")
    .where("workspace_id", "=", id)
    .where("revision", "<=", revision);
  return (await query.orderBy("revision", "desc").limit(1).executeTakeFirst())?.tree_sha256;
}

/** A version, with its author's name and the size of its tree. */
export interface VersionRow extends Selectable<Schema["workspace_versions"]> {
  readonly creator_name: string | null;
  readonly authors: { id: string; name: string }[];
  readonly file_count: number | null;
  readonly total_bytes: number | null;
}

function selectVersions(queries: Queries, id: string) {
  return queries
    .selectFrom("workspace_versions as v")
    .leftJoin("users as c", "c.id", "v.created_by")
    .leftJoin("trees as r", "r.sha256", "v.tree_sha256")
    .selectAll("v")
    .select([
      "c.name as creator_name",
      "r.file_count",
      "r.total_bytes",
      sql<{ id: string; name: string }[]>`(
        select coalesce(json_agg(json_build_object('id', u.id, 'name', u.name) order by a.created_at, u.id), '[]')
        from workspace_authors a join users u on u.id = a.user_id where a.workspace_id = v.workspace_id and a.version = v.number)`.as(
        "authors",
      ),
    ])
    .where("v.workspace_id", "=", id);
}

export async function findVersion(queries: Queries, id: string, number: number): Promise<VersionRow | undefined> {
  return await selectVersions(queries, id).where("v.number", "=", number).executeTakeFirst();
}

/** The newest first; one row more than `limit` tells that there is a next page. */
export async function listVersions(queries: Queries, id: string, page: { limit: number; before: number | null }): Promise<VersionRow[]> {
  let query = selectVersions(queries, id);
  if (page.before !== null) query = query.where("v.number", "<", page.before);
  return await query
    .orderBy("v.number", "desc")
    .limit(page.limit + 1)
    .execute();
}

/** Every version, the oldest first. */
export async function listAllVersions(queries: Queries, id: string): Promise<Selectable<Schema["workspace_versions"]>[]> {
  return await queries.selectFrom("workspace_versions").selectAll().where("workspace_id", "=", id).orderBy("number").execute();
}

/** Gives a new workspace the versions of another one, with their numbers. */
export async function insertCopiedVersions(
  work: Work,
  id: string,
  versions: readonly Insertable<Schema["workspace_versions"]>[],
): Promise<void> {
  if (versions.length === 0) return;
  await work
    .insertInto("workspace_versions")
    .values([...versions])
    .execute();
  await work
    .updateTable("workspaces")
    .set({ last_version: Math.max(...versions.map(({ number }) => number)) })
    .where("id", "=", id)
    .execute();
}

/** What a version is made of. */
export interface NewVersion {
  readonly tree: string;
  readonly message: string;
  readonly cause: WorkspaceVersionCause;
  readonly runId?: string | null;
  readonly by: string | null;
  /** The commit that it is, and who wrote that. */
  readonly commit?: { readonly id: string; readonly author: string } | undefined;
}

/** So many versions that nobody asked for are kept, besides those that are the only copy of what a run left. */
const keptAutomatic = 100;
const isSpare = sql<SqlBool>`cause not in ('manual', 'push', 'run')`;

/** Makes a version; its number. One that nobody asked for is not made when the newest one is of the same files. The workspace is locked. */
export async function insertVersion(work: Work, id: string, version: NewVersion): Promise<number> {
  const newest = await selectVersions(work, id).orderBy("v.number", "desc").limit(1).executeTakeFirst();
  const isWanted = version.cause === "manual" || version.cause === "push";
  if (!isWanted && newest?.tree_sha256 === version.tree) return newest.number;
  const { last_version: number } = await work
    .updateTable("workspaces")
    .set((set) => ({ last_version: set("last_version", "+", 1) }))
    .where("id", "=", id)
    .returning("last_version")
    .executeTakeFirstOrThrow();
  const { tree, message, cause, runId = null, by, commit } = version;
  const named = { commit_id: commit?.id ?? null, author: commit?.author ?? null };
  await work
    .insertInto("workspace_versions")
    .values({ workspace_id: id, number, tree_sha256: tree, message, cause, run_id: runId, created_by: by, ...named })
    .execute();
  await sql`delete from workspace_versions where workspace_id = ${id} and ${isSpare} and number not in (
    select number from workspace_versions where workspace_id = ${id} and ${isSpare} order by number desc limit ${keptAutomatic})`.execute(
    work,
  );
  return number;
}

/** Whether runs in it have started and go on. What waits for its turn keeps nobody from ending the workspace: it is refused then. */
export async function isInUse(queries: Queries, id: string): Promise<boolean> {
  const { rows } = await sql`select from runs where workspace_id = ${id} and status in ${startedStatuses} limit 1`.execute(queries);
  return rows.length > 0;
}

/** Who owns these workspaces, or has stored content for them. */
export async function findStorers(queries: Queries, ids: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select owner_id as id from workspaces where id = any(${[...ids]})
    union select created_by from workspaces where id = any(${[...ids]}) and created_by is not null
    union select updated_by from workspaces where id = any(${[...ids]}) and updated_by is not null
    union select created_by from workspace_versions where workspace_id = any(${[...ids]}) and created_by is not null`.execute(queries);
  return rows.map((row) => row.id);
}

/** Removes workspaces for good, with their versions, the grants on them, and what was uploaded for them alone. */
export async function removeWorkspaces(work: Work, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await forgetUploads(work, ids);
  await removeGrants(work, "workspace", ids);
  await work
    .deleteFrom("workspaces")
    .where("id", "in", [...ids])
    .execute();
}

/** Forgets the uploads of those who brought them for these workspaces, as far as nothing else has the content in its files. */
async function forgetUploads(work: Work, ids: readonly string[]): Promise<void> {
  await sql`
    with parts as not materialized (
      select id as thing_id, tree_sha256, owner_id, created_by, updated_by from workspaces
      union all select v.workspace_id, v.tree_sha256, w.owner_id, v.created_by, null from workspace_versions v join workspaces w on w.id = v.workspace_id
      union all select h.workspace_id, h.tree_sha256, w.owner_id, null, null from workspace_heads h join workspaces w on w.id = h.workspace_id
      union all select id, tree_sha256, owner_id, created_by, null from assets
      union all select v.asset_id, v.tree_sha256, a.owner_id, v.created_by, null from asset_versions v join assets a on a.id = v.asset_id),
    gone as (
      select distinct people.id as owner_id, b.sha256 from parts p join tree_blobs b using (tree_sha256)
      cross join lateral (values (p.owner_id), (p.created_by), (p.updated_by)) as people(id) where p.thing_id = any(${[...ids]}))
    delete from uploads u using gone where u.owner_id = gone.owner_id and u.sha256 = gone.sha256
      and not exists (select from tree_blobs b join parts p using (tree_sha256)
        where b.sha256 = gone.sha256 and p.thing_id <> all(${[...ids]}))`.execute(work);
}

export async function listOwned(queries: Queries, ownerId: string): Promise<string[]> {
  const rows = await queries.selectFrom("workspaces").select("id").where("owner_id", "=", ownerId).orderBy("id").execute();
  return rows.map((row) => row.id);
}

export async function countOwned(queries: Queries, ownerId: string): Promise<number> {
  const row = await queries
    .selectFrom("workspaces")
    .select((select) => select.fn.countAll<number>().as("count"))
    .where("owner_id", "=", ownerId)
    .where("deleted_at", "is", null)
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Some of those that are to be removed: nothing runs in them, and their time is over or they were deleted long ago. */
export async function findGone(queries: Queries, gone: GoneTimes, most: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`select id from workspaces where ${isGone(gone)} order by last_used_at limit ${most}`.execute(
    queries,
  );
  return rows.map((row) => row.id);
}

/** Removes those of `ids` of which that still holds. @returns how many */
export async function removeGone(work: Work, ids: readonly string[], gone: GoneTimes): Promise<number> {
  const rows = await takeDue(work, sql<SqlBool>`id = any(${[...ids]}) and ${isGone(gone)}`, ids.length);
  await removeWorkspaces(
    work,
    rows.map((row) => row.id),
  );
  return rows.length;
}

/** How long ephemeral workspaces last without use, and deleted ones until they are removed. */
interface GoneTimes {
  readonly ephemeralMs: number;
  readonly deletedMs: number;
}

function isGone({ ephemeralMs, deletedMs }: GoneTimes): RawBuilder<SqlBool> {
  return sql<SqlBool>`((deleted_at is not null and deleted_at < ${before(deletedMs)})
    or (deleted_at is null and state <> 'archived' and kind = 'ephemeral' and ${isUnused(before(ephemeralMs))})) and ${isFree}`;
}

/** Locks those that nothing runs in and of which `due` holds, some at a time; several servers share the work. */
async function takeDue(work: Work, due: RawBuilder<SqlBool>, most: number): Promise<Columns[]> {
  const { rows } = await sql<Columns>`
    select * from workspaces where ${due} and ${isFree}
    order by last_used_at limit ${most} for update skip locked`.execute(work);
  return rows;
}

/** Whether nobody has used one since, and no run in it has ended since. Few are asked for their runs: the others were used. */
const isUnused = (since: RawBuilder<unknown>) =>
  sql<SqlBool>`(last_used_at < ${since} and not exists (select from runs where runs.workspace_id = workspaces.id and finished_at >= ${since}))`;
const isFree = sql`not exists (select from runs where runs.workspace_id = workspaces.id and ${isGoing})`;
const before = (ms: number) => sql`now() - ${ms} * interval '1 millisecond'`;

/** Sessions whose last use is so long ago. */
export async function takeExpired(work: Work, ms: number, most: number): Promise<Columns[]> {
  return await takeDue(
    work,
    sql<SqlBool>`deleted_at is null and state <> 'archived' and kind = 'session' and ${isUnused(before(ms))}`,
    most,
  );
}

/** Active ones that nobody has used for so long. */
export async function takeIdle(work: Work, idleMs: number, collaborativeMs: number, most: number): Promise<Columns[]> {
  const since = sql`now() - case workspaces.kind when 'collaborative' then ${collaborativeMs}::float8 else ${idleMs}::float8 end * interval '1 millisecond'`;
  return await takeDue(work, sql<SqlBool>`deleted_at is null and state = 'active' and kind <> 'ephemeral' and ${isUnused(since)}`, most);
}

/** Those without an end that nobody has used for so long. */
export async function takeUnused(work: Work, ms: number, most: number): Promise<Columns[]> {
  return await takeDue(
    work,
    sql<SqlBool>`deleted_at is null and state <> 'archived' and kind in ('persistent', 'collaborative') and ${isUnused(before(ms))}`,
    most,
  );
}

/** Those that will be archived, or gone, within `aheadMs`, of which nobody was told. */
export async function takeToWarn(
  work: Work,
  { archiveMs, sessionMs, aheadMs }: { readonly archiveMs: number; readonly sessionMs: number; readonly aheadMs: number },
  most: number,
): Promise<Columns[]> {
  const soon = (ms: number) => sql`now() - ${Math.max(0, ms - Math.min(aheadMs, ms / 2))} * interval '1 millisecond'`;
  return await takeDue(
    work,
    sql<SqlBool>`deleted_at is null and state <> 'archived' and warned_at is null and (
      (kind in ('persistent', 'collaborative') and ${isUnused(soon(archiveMs))}) or (kind = 'session' and ${isUnused(soon(sessionMs))}))`,
    most,
  );
}

/** Whom it concerns: its owner, or the owners of the team. */
export async function listOwners(queries: Queries, ownerId: string): Promise<string[]> {
  if (!ownerId.startsWith("team_")) return [ownerId];
  const query = queries.selectFrom("team_members").select("user_id").where("team_id", "=", ownerId).where("role", "=", "owner");
  return (await query.execute()).map((row) => row.user_id);
}

export async function markWarned(work: Work, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await work
    .updateTable("workspaces")
    .set({ warned_at: sql<Date>`now()` })
    .where("id", "in", [...ids])
    .execute();
}
