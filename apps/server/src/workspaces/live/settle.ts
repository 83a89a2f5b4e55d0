import { AppError } from "@syla/contracts/errors";
import { liveTextName } from "@syla/contracts/workspace-live";
import * as Y from "yjs";
import type { Actor } from "../../access/actor.ts";
import type { Work } from "../../platform/database.ts";
import type { TreeEntry } from "../../platform/trees.ts";
import { newId } from "../../platform/ids.ts";
import {
  authorsOf,
  findDocument,
  firstActor,
  insertUpdates,
  listBases,
  lockSame,
  markDocument,
  moveSnapshot,
  openInTurns,
  OvertakenError,
  readState,
  readUpdates,
  settleInTurns,
  type DocumentRow,
  type Settled,
  type SettlingContext,
  type Turn,
  type UpdateRow,
} from "../../live/service.ts";
import { orForgotten, putFiles, type FilesContext } from "../files.ts";
import { requireChangeable } from "../loading.ts";
import { findWorkspace, lockWorkspace, type WorkspaceRow } from "../store.ts";
import { createState, hashOf, readFileText, rewrite, textOf, toFileBytes, type FileText } from "./document-state.ts";
import * as store from "./store.ts";

/** What bringing documents and files together needs. */
export interface SettleContext extends FilesContext, Pick<SettlingContext, "logger"> {
  readonly actFor: (userId: string) => Promise<Actor>;
}

/** A document with what it has to be brought together with. */
interface Meeting {
  readonly row: DocumentRow;
  readonly updates: readonly UpdateRow[];
  readonly workspace: WorkspaceRow;
  readonly entry: TreeEntry | undefined;
}

/**
 * The live document of a file. One is made when there is none.
 *
 * @throws AppError `file_not_found`, `live_not_text`, `live_too_large`, `workspace_archived`, `workspace_deleted`
 */
export async function openDocument(context: FilesContext, workspace: WorkspaceRow, path: string): Promise<DocumentRow> {
  const { queries } = context.database;
  requireChangeable(workspace);
  const find = () => store.findDocumentAt(queries, workspace.id, path);
  return await openInTurns(context, find, async () => {
    const now = await findWorkspace(queries, workspace.id);
    const entry = now === undefined ? undefined : (await context.trees.read(now.tree_sha256)).find((one) => one.path === path);
    if (entry === undefined) throw new AppError("file_not_found");
    const { text, lineEnd } = await readEntry(context, entry);
    const place = { id: newId("liv"), workspace_id: workspace.id, path };
    return { ...place, line_end: lineEnd, snapshot: Buffer.from(createState(text)), base_sha256: entry.sha256 };
  });
}

/** @throws AppError `live_not_text`, `live_too_large` */
async function readEntry({ blobs }: Pick<FilesContext, "blobs">, { sha256, size }: TreeEntry): Promise<FileText> {
  if (size > 8 * 1024 * 1024) throw new AppError("live_too_large");
  return readFileText(await blobs.get(sha256));
}

/**
 * Brings a document and its file together, on whichever server: what others have made of the file comes into the document as a change of what the two
 * had in common, and what was written in the document comes into the file. Nothing of either side is lost, whenever this is interrupted. A file that is gone
 * is there again when somebody, `putBack`, asks for it.
 */
export async function settleDocument(context: SettleContext, id: string, putBack: Actor | null = null): Promise<Settled> {
  return await settleInTurns(context, id, "workspace_conflict", async (): Promise<Turn> => {
    const meeting = await meet(context, id);
    if (meeting === "again") return { isAgain: true };
    if (meeting === null) return {};
    const { row, entry, updates } = meeting;
    const isDetached = row.detached_at !== null;
    if (entry === undefined) {
      if (!isDetached) {
        await detach(context, meeting);
        return { notices: [{ type: "detached" }] };
      }
      if (putBack === null) return {};
      await putOut(context, meeting, null, putBack);
      return { notices: [{ type: "settled", problem: null }] };
    }
    if (isDetached || entry.sha256 !== row.base_sha256) {
      const outcome = await bringIn(context, meeting, entry);
      if (outcome === "detached") return { notices: [{ type: "detached" }] };
      return { isAgain: true, isChanged: true, notices: isDetached ? [{ type: "settled", problem: null }] : [] }; // it is there again
    }
    if (updates.length > 0) await putOut(context, meeting, entry);
    return updates.length > 0 || row.problem !== null ? { notices: [{ type: "settled", problem: null }] } : {};
  });
}

/** Of documents of a workspace, those whose files are others than they have in common with them: changed, gone, or there again. */
export async function listDiverged({ database, trees }: SettleContext, workspaceId: string, ids: readonly string[]): Promise<string[]> {
  const workspace = await findWorkspace(database.queries, workspaceId);
  const bases = await listBases(database.queries, ids);
  if (workspace === undefined || bases.length === 0) return [];
  const files = new Map((await trees.read(workspace.tree_sha256)).map(({ path, sha256 }) => [path, sha256]));
  const now = (path: string) => files.get(path) ?? null;
  return bases.filter((row) => now(row.path) !== (row.detached_at === null ? row.base_sha256 : null)).map(({ id }) => id);
}

/** Null: there is nothing to be done. */
async function meet(context: SettleContext, id: string): Promise<Meeting | "again" | null> {
  const { queries } = context.database;
  const row = await findDocument(queries, id);
  if (row === undefined) return null;
  const updates = await readUpdates(context, row);
  const workspace = row.workspace_id === null ? undefined : await findWorkspace(queries, row.workspace_id);
  if (workspace === undefined || workspace.deleted_at !== null || workspace.state === "archived") return null;
  if (updates === null) return "again";
  const entry = (await context.trees.read(workspace.tree_sha256)).find(({ path }) => path === row.path);
  return { row, updates, workspace, entry };
}

/** The document and the files as they were looked at, which stay so. @throws OvertakenError */
async function lockBoth(work: Work, meeting: Meeting): Promise<void> {
  const now = await lockWorkspace(work, meeting.workspace.id);
  if (now?.tree_sha256 !== meeting.workspace.tree_sha256) throw new OvertakenError("the files are others by now");
  await lockSame(work, meeting.row);
}

/** The file is gone: whoever has it open is asked what is to become of what they write. */
async function detach({ database }: SettleContext, meeting: Meeting): Promise<void> {
  await database.queries.transaction().execute(async (work) => {
    await lockBoth(work, meeting);
    await markDocument(work, meeting.row.id, { detached_at: new Date() });
  });
}

/** The file was changed: what differs from what the two had in common comes into the document, beside what was written in it meanwhile. */
async function bringIn(context: SettleContext, meeting: Meeting, entry: TreeEntry): Promise<"changed" | "detached"> {
  const { row, workspace } = meeting;
  const file = await readEntry(context, entry).catch((error: unknown) => {
    if (error instanceof AppError && error.code.startsWith("live_")) return null;
    throw error;
  });
  if (file === null) {
    if (row.detached_at === null) await detach(context, meeting);
    return "detached";
  }
  const { common, count } = commonOf(meeting, file.text);
  const change = rewrite(common, file.text);
  await context.database.queries.transaction().execute(async (work) => {
    await lockBoth(work, meeting);
    await requirePlace(work, row);
    if (change !== null) await insertUpdates(work, [{ documentId: row.id, update: change, userId: workspace.updated_by }]);
    await moveSnapshot(work, row.id, {
      snapshot: Y.encodeStateAsUpdate(common),
      seq: row.snapshot_seq + count,
      sha256: entry.sha256,
      lineEnd: file.lineEnd,
    });
  });
  return "changed";
}

/**
 * What a document and its file have in common: the document as it was when it had the text that the file has by now, of which somebody has written what they
 * read in it, with `count` of its updates; else, as it came into the file last. What was written later stays beside the file's changes.
 */
function commonOf({ row, updates }: Meeting, text: string): { common: Y.Doc; count: number } {
  const document = readState(row.snapshot);
  const content = document.getText(liveTextName);
  let count = content.length === text.length && textOf(document) === text ? 0 : null;
  for (const [index, { update }] of updates.entries()) {
    Y.applyUpdate(document, update);
    if (content.length === text.length && textOf(document) === text) count = index + 1;
  }
  return { common: readState(row.snapshot, updates.slice(0, count ?? 0)), count: count ?? 0 };
}

/** @throws AppError `path_exists`: somebody has begun anew with another document where this one's file was */
async function requirePlace(work: Work, row: DocumentRow): Promise<void> {
  if (row.detached_at !== null && (await store.findDocumentAt(work, row.workspace_id ?? "", row.path)) !== undefined)
    throw new AppError("path_exists");
}

/** What was written in the document comes into the file, which may be gone, in the name of `by` or of who wrote last; together with that the two have it in common. */
async function putOut(context: SettleContext, meeting: Meeting, entry: TreeEntry | null, by: Actor | null = null): Promise<void> {
  const { row, updates, workspace } = meeting;
  const document = readState(row.snapshot, updates);
  const text = textOf(document);
  const sha256 = hashOf(text, row.line_end);
  const move = async (work: Work) => {
    await lockSame(work, row);
    await requirePlace(work, row);
    const snapshot = Y.encodeStateAsUpdate(document);
    await moveSnapshot(work, row.id, { snapshot, seq: row.snapshot_seq + updates.length, sha256, lineEnd: row.line_end });
  };
  if (sha256 === entry?.sha256) return await context.database.queries.transaction().execute(move);
  const authors = authorsOf(updates);
  // In whose name it is written, who may be gone by now.
  const actor = by ?? (await firstActor(context.actFor, [...authors, workspace.owner_id], workspace.created_by ?? workspace.owner_id));
  const ref = await context.blobs.put(toFileBytes(text, row.line_end));
  const fresh = await context.uploads.recordUploads(actor, [ref]);
  await orForgotten(context, actor, fresh, async () => {
    await putFiles(context, actor, workspace.id, {
      base: entry === null ? [] : [entry],
      mine: [{ path: row.path, mode: entry?.mode ?? 0o644, ...ref }],
      onConflict: "refuse",
      authors,
      async also(work, entries) {
        const put = entries.find(({ path }) => path === row.path);
        if (put?.sha256 !== sha256) throw new OvertakenError("the file was changed");
        await move(work);
      },
    });
  });
}
