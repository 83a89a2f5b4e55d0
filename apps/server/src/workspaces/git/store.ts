import type { Selectable } from "kysely";
import type { Queries, Work } from "../../platform/database.ts";
import type { Schema } from "../../platform/schema.ts";

export type RepositoryRow = Selectable<Schema["workspace_repositories"]>;
export type PackRow = Pick<Selectable<Schema["workspace_packs"]>, "sha256" | "size" | "index_sha256" | "index_size">;

/** Where git's branch is; undefined while nobody has asked for it. */
export async function findRepository(queries: Queries, id: string): Promise<RepositoryRow | undefined> {
  return await queries.selectFrom("workspace_repositories").selectAll().where("workspace_id", "=", id).executeTakeFirst();
}

/** The oldest first. */
export async function listPacks(queries: Queries, id: string): Promise<PackRow[]> {
  const query = queries
    .selectFrom("workspace_packs")
    .select(["sha256", "size", "index_sha256", "index_size"])
    .where("workspace_id", "=", id);
  return await query.orderBy("created_at").orderBy("sha256").execute();
}

/** What has to become a commit of its own when it was made after the last one. */
export interface CommittedVersion {
  readonly number: number;
  readonly tree_sha256: string;
  readonly message: string;
  readonly cause: string;
  readonly created_by: string | null;
  readonly creator_name: string | null;
  readonly created_at: Date;
}

/** Versions since one, the oldest first; not what runs have left beside the files: the files were never that. */
export async function listVersionsSince(queries: Queries, id: string, number: number): Promise<CommittedVersion[]> {
  return await queries
    .selectFrom("workspace_versions as v")
    .leftJoin("users as c", "c.id", "v.created_by")
    .select(["v.number", "v.tree_sha256", "v.message", "v.cause", "v.created_by", "c.name as creator_name", "v.created_at"])
    .where("v.workspace_id", "=", id)
    .where("v.number", ">", number)
    .where("v.cause", "<>", "run")
    .orderBy("v.number")
    .execute();
}

/** Versions that somebody has named, or pushed, with their commits. */
export async function listTagged(queries: Queries, id: string): Promise<{ number: number; commit: string }[]> {
  const rows = await queries
    .selectFrom("workspace_versions")
    .select(["number", "commit_id"])
    .where("workspace_id", "=", id)
    .where("cause", "in", ["manual", "push"])
    .where("commit_id", "is not", null)
    .execute();
  return rows.flatMap(({ number, commit_id: commit }) => (commit === null ? [] : [{ number, commit }]));
}

/** Where the branch goes. */
export interface Move {
  readonly from: string | null;
  readonly to: string;
  readonly tree: string;
  readonly lastVersion: number;
}

/** Moves the branch, unless somebody has moved it meanwhile. @returns whether it did */
export async function moveTip(work: Work, id: string, { from, to, tree, lastVersion }: Move): Promise<boolean> {
  const place = { tip: to, tree_sha256: tree, last_version: lastVersion, updated_at: new Date() };
  if (from === null) {
    const insert = work.insertInto("workspace_repositories").values({ workspace_id: id, ...place });
    const made = await insert.onConflict((conflict) => conflict.doNothing()).executeTakeFirst();
    return made.numInsertedOrUpdatedRows === 1n;
  }
  const update = work.updateTable("workspace_repositories").set(place).where("workspace_id", "=", id).where("tip", "=", from);
  return (await update.executeTakeFirst()).numUpdatedRows === 1n;
}

/** Adds a pack, in place of those that it holds too. */
export async function putPack(work: Work, id: string, pack: PackRow, replaced: readonly PackRow[] = []): Promise<void> {
  if (replaced.length > 0)
    await work
      .deleteFrom("workspace_packs")
      .where("workspace_id", "=", id)
      .where(
        "sha256",
        "in",
        replaced.map(({ sha256 }) => sha256),
      )
      .execute();
  await work
    .insertInto("workspace_packs")
    .values({ workspace_id: id, ...pack })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Notes which commits versions are. */
export async function nameCommits(work: Work, id: string, commits: ReadonlyMap<number, string>): Promise<void> {
  for (const [number, commit] of commits)
    await work
      .updateTable("workspace_versions")
      .set({ commit_id: commit })
      .where("workspace_id", "=", id)
      .where("number", "=", number)
      .execute();
}
