import { AppError } from "@syla/contracts/errors";
import type { WorkspaceDiff, WorkspaceVersion } from "@syla/contracts/workspaces";
import type { Actor } from "../access/actor.ts";
import { diffFiles } from "../platform/diff-files.ts";
import { readCursor, toPage } from "../platform/page-cursor.ts";
import type { Revision } from "../platform/revision.ts";
import { putFiles, type FilesContext } from "./files.ts";
import { loadWorkspace, requireChangeable, requireRevision } from "./loading.ts";
import { toVersion } from "./presenter.ts";
import * as store from "./store.ts";

const head = "head";

/** Keeps the files as they are now as a version. Each wish makes one. */
export async function snapshot(context: FilesContext, actor: Actor, id: string, message: string): Promise<WorkspaceVersion> {
  await loadWorkspace(context, actor, "workspace:edit", id);
  await context.settleLive(id);
  const { queries } = context.database;
  const number = await queries.transaction().execute(async (work) => {
    const row = await store.lockWorkspace(work, id);
    if (row === undefined) throw new AppError("not_found");
    requireChangeable(row);
    return await store.insertVersion(work, id, { tree: row.tree_sha256, message, cause: "manual", by: actor.userId });
  });
  await store.touchWorkspace(queries, id);
  return toVersion(await requireVersion(context, id, number));
}

/** Newest first. */
export async function listVersions(
  context: FilesContext,
  actor: Actor,
  id: string,
  query: { readonly cursor?: string | undefined; readonly limit: number },
): Promise<{ items: WorkspaceVersion[]; nextCursor: string | null }> {
  await loadWorkspace(context, actor, "workspace:read", id);
  const key = readCursor(query.cursor, /^\d{1,10}$/);
  const page = { limit: query.limit, before: key === null ? null : Number(key) };
  const rows = await store.listVersions(context.database.queries, id, page);
  return toPage(rows, query.limit, (row) => String(row.number), toVersion);
}

/** Puts a version's files in the place of those that are there, which become a version. @throws AppError `revision_conflict` */
export async function restoreVersion(
  context: FilesContext,
  actor: Actor,
  id: string,
  number: number,
  revision: Revision | undefined,
): Promise<void> {
  const seen = await loadWorkspace(context, actor, "workspace:edit", id);
  requireChangeable(seen);
  await requireRevision(context, actor, seen, revision);
  const version = await requireVersion(context, id, number);
  await context.blobs.keep([version.tree_sha256]);
  await context.settleLive(id); // what is being written is in the version of what was there before
  const row = await loadWorkspace(context, actor, "workspace:edit", id);
  const [base, mine] = [await context.trees.read(row.tree_sha256), await context.trees.read(version.tree_sha256)];
  const before = { cause: "before_restore" as const, message: `Before version ${number} was restored` };
  await putFiles(context, actor, id, { base, mine, onConflict: "mine", revision: row.revision, before });
}

/** What differs between two versions, the second one perhaps of another workspace. From the newest version to what is there now when nothing is said. */
export async function diffVersions(
  context: FilesContext,
  actor: Actor,
  id: string,
  ends: { readonly from?: string | undefined; readonly to?: string | undefined; readonly other?: string | undefined },
): Promise<WorkspaceDiff> {
  const row = await loadWorkspace(context, actor, "workspace:read", id);
  const second = ends.other === undefined ? row : await loadWorkspace(context, actor, "workspace:read", ends.other);
  const from = ends.from ?? (row.last_version === 0 || ends.other !== undefined ? head : String(row.last_version));
  const to = ends.to ?? head;
  const [before, after] = [await treeAt(context, row, from), await treeAt(context, second, to)];
  return { from, to, ...(await diffFiles(context.blobs, await context.trees.diff(before, after))) };
}

/** The tree of a version, or of what is there now. @throws AppError `not_found` */
export async function treeAt(context: FilesContext, row: store.WorkspaceRow, at: string | number | undefined): Promise<string> {
  if (at === undefined || at === head) return row.tree_sha256;
  return (await requireVersion(context, row.id, Number(at))).tree_sha256;
}

/** @throws AppError `not_found` */
export async function requireVersion(context: FilesContext, id: string, number: number): Promise<store.VersionRow> {
  const row = await store.findVersion(context.database.queries, id, number);
  if (row === undefined) throw new AppError("not_found", { message: "There is no such version." });
  return row;
}
