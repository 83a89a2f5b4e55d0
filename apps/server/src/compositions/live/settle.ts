import { compositionFile } from "@syla/contracts/composition-config";
import { mostLiveGraphBytes } from "@syla/contracts/composition-live";
import { AppError } from "@syla/contracts/errors";
import type { FlowGraph } from "@syla/contracts/flow";
import type { LiveNotice } from "@syla/contracts/workspace-live";
import { readShared, writeShared } from "@syla/flow/shared-graph";
import * as Y from "yjs";
import type { Actor } from "../../access/actor.ts";
import type { Catalog, CompositionDraft } from "../../catalog/service.ts";
import {
  findDocument,
  insertDocument,
  insertUpdates,
  listBases,
  listUpdates,
  lockDocument,
  markDocument,
  moveSnapshot,
  readState,
  touchDocuments,
  updateOf,
  type DocumentRow,
  type Settled,
  type UpdateRow,
} from "../../live/service.ts";
import type { BlobRef } from "../../platform/blobs.ts";
import type { Database, Work } from "../../platform/database.ts";
import { newId } from "../../platform/ids.ts";
import type { Logger } from "../../platform/logger.ts";
import type { TreeRef, Trees } from "../../platform/trees.ts";
import { emptyGraph, readGraph, type GraphFiles } from "../graph-files.ts";
import * as store from "./store.ts";

/** What bringing documents and drafts together needs. */
export interface SettleContext {
  readonly database: Pick<Database, "queries">;
  readonly catalog: Pick<Catalog, "draft" | "putDraft">;
  readonly trees: Pick<Trees, "put" | "read">;
  readonly graphs: GraphFiles;
  readonly uploads: {
    recordUploads(actor: Actor, blobs: readonly BlobRef[]): Promise<readonly BlobRef[]>;
    forgetUploads(actor: Actor, blobs: readonly BlobRef[]): Promise<void>;
  };
  readonly actFor: (userId: string) => Promise<Actor>;
  readonly logger: Logger;
}

/** So often somebody else may be quicker. */
const mostTries = 50;

/** Somebody was quicker: it is looked at again. */
class OvertakenError extends Error {}

/** A document with what it has to be brought together with. */
interface Meeting {
  readonly row: DocumentRow;
  readonly assetId: string;
  readonly updates: readonly UpdateRow[];
  readonly draft: CompositionDraft;
}

/** The document of a composition's draft. One is made when there is none. @throws AppError `not_found`, `live_too_large` */
export async function openDocument(context: SettleContext, assetId: string): Promise<DocumentRow> {
  const { queries } = context.database;
  for (let left = mostTries; left > 0; left -= 1) {
    const known = await store.findDocumentOf(queries, assetId);
    if (known !== undefined) {
      await touchDocuments(queries, [known.id]);
      return known;
    }
    const draft = await context.catalog.draft(assetId);
    if (draft === undefined) throw new AppError("not_found");
    const document = new Y.Doc();
    const graph = await readDraft(context, draft.tree);
    document.transact(() => writeShared(document, emptyGraph(""), graph));
    const snapshot = Buffer.from(Y.encodeStateAsUpdate(document));
    if (snapshot.length > mostLiveGraphBytes / 2) throw new AppError("live_too_large");
    const row = { id: newId("liv"), workspace_id: null, asset_id: assetId, path: compositionFile, line_end: "\n", snapshot };
    const made = await insertDocument(queries, { ...row, base_sha256: draft.tree.sha256 });
    if (made !== null) return made;
  }
  throw new AppError("conflict", { hint: "Try again." });
}

async function readDraft({ graphs, trees }: SettleContext, tree: TreeRef): Promise<FlowGraph> {
  return (await graphs.read(await trees.read(tree.sha256))).graph;
}

/**
 * Brings a document and its draft together, on whichever server: what others have made of the draft comes into the document as a change of what the two
 * had in common, and what was drawn in the document comes into the draft. Nothing of either side is lost, whenever this is interrupted. What is no
 * composition, taken together, stays in the document, and those who have it open are told.
 */
export async function settleDocument(context: SettleContext, id: string): Promise<Settled> {
  const notices: LiveNotice[] = [];
  let isChanged = false;
  for (let left = mostTries; left > 0; left -= 1) {
    const meeting = await meet(context, id);
    if (meeting === "again") continue;
    if (meeting === null) return { isChanged, notices };
    const { row, updates, draft } = meeting;
    try {
      if (draft.tree.sha256 !== row.base_sha256) {
        await bringIn(context, meeting);
        isChanged = true;
        continue;
      }
      // What has only come in just now is in the draft, however that is written.
      if (isChanged && updates.every(({ user_id: author }) => author === null)) await joinSame(context, meeting);
      else if (updates.length > 0) await putOut(context, meeting);
      if (updates.length > 0 || row.problem !== null) notices.push({ type: "settled", problem: null });
      return { isChanged, notices };
    } catch (error) {
      if (error instanceof OvertakenError || (error instanceof AppError && error.code === "revision_conflict")) continue;
      if (!(error instanceof AppError) || error.status >= 500) throw error;
      await markDocument(context.database.queries, id, { problem: error.code });
      notices.push({ type: "settled", problem: { code: error.code, message: error.message } });
      return { isChanged, notices };
    }
  }
  context.logger.warn({ document: id }, "what is drawn together could not be brought into the draft: others save all the time");
  return { isChanged, notices };
}

/** The documents that have another draft in common with their composition than the one that is there. */
export async function listDiverged({ database, catalog }: SettleContext, assetId: string, ids: readonly string[]): Promise<string[]> {
  const draft = await catalog.draft(assetId);
  const bases = await listBases(database.queries, ids);
  return draft === undefined ? [] : bases.filter((row) => row.base_sha256 !== draft.tree.sha256).map(({ id }) => id);
}

/** Null: there is nothing to be done. */
async function meet({ database, catalog }: SettleContext, id: string): Promise<Meeting | "again" | null> {
  const { queries } = database;
  const row = await findDocument(queries, id);
  if (row === undefined || row.asset_id === null) return null;
  const updates = await listUpdates(queries, id, row.snapshot_seq);
  const draft = await catalog.draft(row.asset_id);
  if (draft === undefined) return null;
  const isWhole = updates.every(({ seq }, index) => seq === row.snapshot_seq + index + 1);
  if (!isWhole || (updates.length === 0 && row.last_seq > row.snapshot_seq)) return "again"; // it was settled between the two looks
  return { row, assetId: row.asset_id, updates, draft };
}

/** The document as it was looked at, which stays so. @throws OvertakenError */
async function lockSame(work: Work, { row }: Meeting): Promise<void> {
  const now = await lockDocument(work, row.id);
  if (now?.snapshot_seq !== row.snapshot_seq || now.base_sha256 !== row.base_sha256)
    throw new OvertakenError("the document was settled by somebody else");
}

/** The draft was saved by somebody else: what differs from what the two had in common comes into the document, beside what was drawn in it meanwhile. */
async function bringIn(context: SettleContext, meeting: Meeting): Promise<void> {
  const { row, draft } = meeting;
  const common = readState(row.snapshot);
  const theirs = await readDraft(context, draft.tree);
  const { graph: before } = readShared(common);
  const change = updateOf(common, () => writeShared(common, before, theirs));
  await context.database.queries.transaction().execute(async (work) => {
    await lockSame(work, meeting);
    if (change !== null) await insertUpdates(work, [{ documentId: row.id, update: change, userId: null }]);
    const snapshot = Y.encodeStateAsUpdate(common);
    await moveSnapshot(work, row.id, { snapshot, seq: row.snapshot_seq, sha256: draft.tree.sha256, lineEnd: row.line_end });
  });
}

/** The document, with everything that was written in it, is the same as a draft from now on. */
function moving(meeting: Meeting, document: Y.Doc, sha256: string): (work: Work) => Promise<void> {
  const { row, updates } = meeting;
  return async (work) => {
    await lockSame(work, meeting);
    const snapshot = Y.encodeStateAsUpdate(document);
    await moveSnapshot(work, row.id, { snapshot, seq: row.snapshot_seq + updates.length, sha256, lineEnd: row.line_end });
  };
}

async function joinSame({ database }: SettleContext, meeting: Meeting): Promise<void> {
  const { row, updates, draft } = meeting;
  await database.queries.transaction().execute(moving(meeting, readState(row.snapshot, updates), draft.tree.sha256));
}

/** What was drawn comes into the draft, in the name of who drew last; together with that the two have it in common. */
async function putOut(context: SettleContext, meeting: Meeting): Promise<void> {
  const { row, updates, draft, assetId } = meeting;
  const { graphs, trees, uploads, catalog } = context;
  const document = readState(row.snapshot, updates);
  const kept = readGraph(readShared(document).graph, assetId);
  const actor = await writerOf(context, draft, updates);
  const entry = await graphs.write(kept);
  const fresh = await uploads.recordUploads(actor, [entry]);
  try {
    const tree = await trees.put([entry]);
    const move = moving(meeting, document, tree.sha256);
    if (tree.sha256 === draft.tree.sha256) return await context.database.queries.transaction().execute(move);
    await catalog.putDraft(actor, assetId, tree, draft.revision, move);
  } catch (error) {
    await uploads.forgetUploads(actor, fresh);
    throw error;
  }
  // A draft is saved again and again: what it was is kept where something else has it.
  await uploads.forgetUploads(actor, await trees.read(draft.tree.sha256));
}

/** In whose name it is saved, who may be gone by now. */
async function writerOf({ actFor }: SettleContext, draft: CompositionDraft, updates: readonly UpdateRow[]): Promise<Actor> {
  const authors = [...new Set(updates.map(({ user_id: author }) => author).toReversed())];
  for (const id of [...authors, draft.ownerId, draft.createdBy]) {
    const actor = id === null ? null : await actFor(id).catch(() => null);
    if (actor !== null) return actor;
  }
  return { userId: draft.createdBy ?? draft.ownerId, role: "end_user", via: "server" };
}
