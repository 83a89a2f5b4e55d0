import { AppError } from "@syla/contracts/errors";
import { sql, type Insertable, type Selectable } from "kysely";
import type { Queries, Work } from "../../platform/database.ts";
import type { Schema } from "../../platform/schema.ts";

export type MirrorRow = Selectable<Schema["workspace_mirrors"]>;

/** A mirror with the name of whoever set it. */
export interface ShownMirror extends MirrorRow {
  readonly creator_name: string | null;
}

export async function findMirror(queries: Queries, id: string): Promise<ShownMirror | undefined> {
  return await queries
    .selectFrom("workspace_mirrors as m")
    .leftJoin("users as c", "c.id", "m.created_by")
    .selectAll("m")
    .select("c.name as creator_name")
    .where("m.workspace_id", "=", id)
    .executeTakeFirst();
}

/** Begins one, in place of one that was there. Of the same files what came in last is still what the next change is put together on. */
export async function putMirror(
  work: Work,
  row: Pick<
    Insertable<Schema["workspace_mirrors"]>,
    "workspace_id" | "url" | "ref" | "path" | "credential_id" | "every_minutes" | "created_by"
  >,
): Promise<void> {
  const before = await work.deleteFrom("workspace_mirrors").where("workspace_id", "=", row.workspace_id).returningAll().executeTakeFirst();
  const isSame = before?.url === row.url && before.path === row.path;
  const came = isSame ? { commit_id: before.commit_id, tree_sha256: before.tree_sha256, changed_at: before.changed_at } : {};
  await work
    .insertInto("workspace_mirrors")
    .values({ ...row, ...came, next_at: new Date(Date.now() + row.every_minutes * 60_000) })
    .execute();
}

export async function deleteMirror(queries: Queries, id: string): Promise<boolean> {
  const result = await queries.deleteFrom("workspace_mirrors").where("workspace_id", "=", id).executeTakeFirst();
  return result.numDeletedRows > 0n;
}

/** In whole milliseconds, which are what comes back of it. */
const takenFor = (ms: number) => sql<Date>`date_trunc('milliseconds', now() + ${ms} * interval '1 millisecond')`;
const isFree = sql<boolean>`(taken_until is null or taken_until < now())`;

/** Takes one whose time has come, for so long: one of a person at a time, and none of a workspace that is laid aside. Several servers share them. */
export async function takeDue(queries: Queries, ms: number): Promise<MirrorRow | undefined> {
  const { rows } = await sql<MirrorRow>`
    update workspace_mirrors set taken_until = ${takenFor(ms)} where workspace_id = (
      select m.workspace_id from workspace_mirrors m where next_at <= now() and ${isFree}
        and exists (select from workspaces w where w.id = m.workspace_id and w.deleted_at is null and w.state <> 'archived')
        and not exists (select from workspace_mirrors o where o.created_by = m.created_by and o.taken_until >= now())
      order by next_at limit 1 for update skip locked)
    returning *`.execute(queries);
  return rows[0];
}

/** Takes this one, unless somebody fetches it. */
export async function takeMirror(queries: Queries, id: string, ms: number): Promise<MirrorRow | undefined> {
  const { rows } = await sql<MirrorRow>`
    update workspace_mirrors set taken_until = ${takenFor(ms)} where workspace_id = ${id} and ${isFree} returning *`.execute(queries);
  return rows[0];
}

/** Keeps one that was taken for longer. @returns until when; null: it is not ours any more */
export async function prolongMirror(
  queries: Queries,
  { workspace_id: id, taken_until: taken }: MirrorRow,
  ms: number,
): Promise<Date | null> {
  const { rows } = await sql<Pick<MirrorRow, "taken_until">>`
    update workspace_mirrors set taken_until = ${takenFor(ms)} where workspace_id = ${id} and taken_until = ${taken} returning taken_until`.execute(
    queries,
  );
  return rows[0]?.taken_until ?? null;
}

/** What came of looking at it. */
export interface Look {
  readonly nextAt: Date | null;
  /** Undefined: what was known before is still all that is known. */
  readonly problem: { readonly code: string; readonly message: string; readonly paths: readonly string[] } | null | undefined;
}

/** Notes what came of it and lets go of it; not when it was set anew meanwhile. */
export async function recordLook(
  queries: Queries,
  { workspace_id: id, taken_until: taken }: MirrorRow,
  { nextAt, problem }: Look,
): Promise<void> {
  const known =
    problem === undefined
      ? sql``
      : sql`, checked_at = now(), failures = ${problem === null ? sql`0` : sql`failures + 1`}, problem_code = ${problem?.code ?? null},
          problem_message = ${problem?.message ?? null}, problem_paths = ${[...(problem?.paths ?? [])]}::text[]`;
  await sql`update workspace_mirrors set taken_until = null, next_at = ${nextAt}${known}
    where workspace_id = ${id} and taken_until = ${taken}`.execute(queries);
}

/** Notes which files came in. @throws AppError `conflict` when it was ended or set anew meanwhile: nothing may come in of it any more */
export async function recordFiles(
  work: Queries,
  { workspace_id: id, taken_until: taken }: MirrorRow,
  { commit, tree }: { readonly commit: string; readonly tree: string },
): Promise<void> {
  const result = await work
    .updateTable("workspace_mirrors")
    .set({ commit_id: commit, tree_sha256: tree, changed_at: sql<Date>`now()` })
    .where("workspace_id", "=", id)
    .where("taken_until", "=", taken)
    .executeTakeFirst();
  if (result.numUpdatedRows === 0n) throw new AppError("conflict", { message: "The mirror was ended or set anew meanwhile." });
}
