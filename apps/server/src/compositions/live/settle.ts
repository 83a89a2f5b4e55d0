import { compositionFile } from "@syla/contracts/composition-config";
import { mostLiveGraphBytes } from "@syla/contracts/composition-live";
import { AppError } from "@syla/contracts/errors";
import type { FlowGraph } from "@syla/contracts/flow";
import { readShared, writeShared } from "@syla/flow/shared-graph";
import * as Y from "yjs";
import type { Actor } from "../../access/actor.ts";
import type { Catalog, CompositionDraft } from "../../catalog/service.ts";
import {
  authorsOf,
  findDocument,
  firstActor,
  insertUpdates,
  listBases,
  lockSame,
  moveSnapshot,
  openInTurns,
  readState,
  readUpdates,
  settleInTurns,
  updateOf,
  type DocumentRow,
  type Settled,
  type SettlingContext,
  type Turn,
  type UpdateRow,
} from "../../live/service.ts";
import type { BlobRef } from "../../platform/blobs.ts";
import type { Work } from "../../platform/database.ts";
import { newId } from "../../platform/ids.ts";
import type { TreeRef, Trees } from "../../platform/trees.ts";
import { emptyGraph, readGraph, type GraphFiles } from "../graph-files.ts";
import * as store from "./store.ts";

/** What bringing documents and drafts together needs. */
export interface SettleContext extends SettlingContext {
  readonly catalog: Pick<Catalog, "draft" | "putDraft">;
  readonly trees: Pick<Trees, "put" | "read">;
  readonly graphs: GraphFiles;
  readonly uploads: {
    recordUploads(actor: Actor, blobs: readonly BlobRef[]): Promise<readonly BlobRef[]>;
    forgetUploads(actor: Actor, blobs: readonly BlobRef[]): Promise<void>;
  };
  readonly actFor: (userId: string) => Promise<Actor>;
}

/** A document with what it has to be brought together with. */
interface Meeting {
  readonly row: DocumentRow;
  readonly assetId: string;
  readonly updates: readonly UpdateRow[];
  readonly draft: CompositionDraft;
}

/** The document of a composition's draft. One is made when there is none. @throws AppError `not_found`, `live_too_large` */
export async function openDocument(context: SettleContext, assetId: string): Promise<DocumentRow> {
  const find = () => store.findDocumentOf(context.database.queries, assetId);
  return await openInTurns(context, find, async () => {
    const draft = await context.catalog.draft(assetId);
    if (draft === undefined) throw new AppError("not_found");
    const document = new Y.Doc();
    const graph = await readDraft(context, draft.tree);
    document.transact(() => writeShared(document, emptyGraph(""), graph));
    const snapshot = Buffer.from(Y.encodeStateAsUpdate(document));
    if (snapshot.length > mostLiveGraphBytes / 2) throw new AppError("live_too_large");
    const place = { id: newId("liv"), workspace_id: null, asset_id: assetId, path: compositionFile };
    return { ...place, line_end: "\n", snapshot, base_sha256: draft.tree.sha256 };
  });
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
  return await settleInTurns(context, id, "revision_conflict", async (isChanged): Promise<Turn> => {
    const meeting = await meet(context, id);
    if (meeting === "again") return { isAgain: true };
    if (meeting === null) return {};
    const { row, updates, draft } = meeting;
    if (draft.tree.sha256 !== row.base_sha256) {
      await bringIn(context, meeting);
      return { isAgain: true, isChanged: true };
    }
    // What has only come in just now is in the draft, however that is written.
    if (isChanged && updates.every(({ user_id: author }) => author === null)) await joinSame(context, meeting);
    else if (updates.length > 0) await putOut(context, meeting);
    return updates.length > 0 || row.problem !== null ? { notices: [{ type: "settled", problem: null }] } : {};
  });
}

/** The documents that have another draft in common with their composition than the one that is there. */
export async function listDiverged({ database, catalog }: SettleContext, assetId: string, ids: readonly string[]): Promise<string[]> {
  const draft = await catalog.draft(assetId);
  const bases = await listBases(database.queries, ids);
  return draft === undefined ? [] : bases.filter((row) => row.base_sha256 !== draft.tree.sha256).map(({ id }) => id);
}

/** Null: there is nothing to be done. */
async function meet({ database, catalog }: SettleContext, id: string): Promise<Meeting | "again" | null> {
  const row = await findDocument(database.queries, id);
  if (row === undefined || row.asset_id === null) return null;
  const updates = await readUpdates({ database }, row);
  const draft = await catalog.draft(row.asset_id);
  if (draft === undefined) return null;
  return updates === null ? "again" : { row, assetId: row.asset_id, updates, draft };
}

/** The draft was saved by somebody else: what differs from what the two had in common comes into the document, beside what was drawn in it meanwhile. */
async function bringIn(context: SettleContext, meeting: Meeting): Promise<void> {
  const { row, draft } = meeting;
  const common = readState(row.snapshot);
  const theirs = await readDraft(context, draft.tree);
  const { graph: before } = readShared(common);
  const change = updateOf(common, () => writeShared(common, before, theirs));
  await context.database.queries.transaction().execute(async (work) => {
    await lockSame(work, row);
    if (change !== null) await insertUpdates(work, [{ documentId: row.id, update: change, userId: null }]);
    const snapshot = Y.encodeStateAsUpdate(common);
    await moveSnapshot(work, row.id, { snapshot, seq: row.snapshot_seq, sha256: draft.tree.sha256, lineEnd: row.line_end });
  });
}

/** The document, with everything that was written in it, is the same as a draft from now on. */
function moving(meeting: Meeting, document: Y.Doc, sha256: string): (work: Work) => Promise<void> {
  const { row, updates } = meeting;
  return async (work) => {
    await lockSame(work, row);
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
  // In whose name it is saved, who may be gone by now.
  const writers = [...authorsOf(updates), draft.ownerId, draft.createdBy];
  const actor = await firstActor(context.actFor, writers, draft.createdBy ?? draft.ownerId);
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
