import { AppError } from "@syla/contracts/errors";
import type { TreeChange } from "@syla/contracts/programs";
import type { WorkspaceFileChanges, WorkspaceVersionCause } from "@syla/contracts/workspaces";
import type { Actor } from "../access/actor.ts";
import { applyChanges, storeFiles, type Uploads } from "../catalog/service.ts";
import type { BlobRef, Blobs } from "../platform/blobs.ts";
import type { Work } from "../platform/database.ts";
import { mergeTrees, type ConflictRule } from "../platform/merge-trees.ts";
import type { Revision } from "../platform/revision.ts";
import type { TreeEntry, Trees } from "../platform/trees.ts";
import { settling } from "../quotas/service.ts";
import { loadWorkspace, requireChangeable, requireRevision, type LoadingContext } from "./loading.ts";
import { listPaths, moveDocuments } from "./live/store.ts";
import * as store from "./store.ts";

/** What changing files needs. */
export interface FilesContext extends LoadingContext {
  readonly blobs: Blobs;
  readonly trees: Trees;
  readonly uploads: Uploads & {
    /** Takes back what `recordUploads` answered. */
    forgetUploads(actor: Actor, blobs: readonly BlobRef[]): Promise<void>;
  };
  /** Brings into the files of a workspace what people write in them together. */
  readonly settleLive: (workspaceId: string) => Promise<void>;
}

/** So many files that go at once are worth a version of what was there. */
const manyFiles = 20;
/** So often somebody else may be quicker, who has seen what this writer has not. */
const mostTries = 50;
const shownConflicts = 100;

/** A change of a workspace's files, whoever makes it. */
export interface FilesWish {
  /** What the writer saw. */
  readonly base: readonly TreeEntry[];
  /** What the writer made of it; the content is stored. */
  readonly mine: readonly TreeEntry[];
  /** Paths of `mine` whose content the writer has not brought, but only moved: it has to be there still. */
  readonly moved?: ReadonlySet<string>;
  readonly onConflict: ConflictRule;
  /** Refused unless this is what is there; else what others wrote since stays. */
  readonly revision?: Revision | undefined;
  /** What was there before becomes a version. */
  readonly before?: { readonly cause: WorkspaceVersionCause; readonly message: string; readonly runId?: string | null } | undefined;
  /** Who has written it; the actor alone when left out. */
  readonly authors?: readonly (string | null)[];
  /**
   * What else becomes of it in the same transaction, also where the files stay as they are: is told what they are then, and may still refuse. The owner's
   * content is counted anew.
   */
  readonly also?: ((work: Work, entries: readonly TreeEntry[]) => Promise<void>) | undefined;
}

/**
 * The one way in which the files of a workspace change: all of a change, together with what others have written since its writer looked, or nothing
 * of it. Whoever writes comes here, an editor, a run, an import; permission was checked.
 *
 * @throws AppError `workspace_conflict` with the paths, `invalid_path`, `payload_too_large`, `quota_exceeded`, `workspace_deleted`,
 *   `workspace_archived`, `revision_conflict`
 */
export async function putFiles(context: FilesContext, actor: Actor, id: string, wish: FilesWish): Promise<void> {
  const fresh: BlobRef[] = [];
  await orForgotten(context, actor, fresh, () => putMerged(context, actor, id, wish, fresh));
}

/** What was counted for something that did not come about is given back to their quota. */
export async function orForgotten<T>(
  { uploads }: Pick<FilesContext, "uploads">,
  actor: Actor,
  fresh: readonly BlobRef[],
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await uploads.forgetUploads(actor, fresh);
    throw error;
  }
}

/** `fresh` becomes what was counted for it. */
async function putMerged(context: FilesContext, actor: Actor, id: string, wish: FilesWish, fresh: BlobRef[]): Promise<void> {
  const { database, trees, blobs, uploads } = context;
  for (let left = mostTries; left > 0; left -= 1) {
    const seen = await store.findWorkspace(database.queries, id);
    if (seen === undefined) throw new AppError("not_found");
    requireChangeable(seen);
    if (wish.revision !== undefined) await requireRevision(context, actor, seen, wish.revision);
    const theirs = await trees.read(seen.tree_sha256);
    const { mine, lost } = leaveOutLost(wish, theirs);
    if (lost.length > 0 && wish.onConflict !== "theirs") throw conflict(lost);
    const { entries, conflicts, merged } = await mergeTrees(blobs, { base: wish.base, mine, theirs }, wish.onConflict);
    if (conflicts.length > 0) throw conflict(conflicts);
    fresh.push(...(await uploads.recordUploads(actor, merged)));
    const tree = await trees.put(entries).catch((error: unknown) => {
      throw error instanceof AppError ? locatedIn("changes", error) : error;
    });
    if (tree.sha256 === seen.tree_sha256 && wish.also === undefined) return await store.touchWorkspace(database.queries, id);
    await blobs.keep([tree.sha256]);
    const write = async (work: Work) => {
      const row = await store.lockWorkspace(work, id);
      if (row === undefined) throw new AppError("not_found");
      requireChangeable(row);
      if (row.revision !== seen.revision) return false;
      if (wish.before !== undefined) await store.insertVersion(work, id, { ...wish.before, tree: row.tree_sha256, by: actor.userId });
      await store.changeWorkspace(work, id, actor.userId, { tree_sha256: tree.sha256 });
      await store.insertHead(work, { id, revision: row.revision + 1, tree: tree.sha256, authors: wish.authors ?? [actor.userId] });
      await store.touchWorkspace(work, id);
      await wish.also?.(work, entries);
      return true;
    };
    // What the owner has uploaded is counted; content that came otherwise is not.
    const isCounted = actor.userId === seen.owner_id && wish.before?.cause !== "before_import" && wish.also === undefined;
    const gains = isCounted ? [] : [seen.owner_id];
    const isDone = await database.queries.transaction().execute((work) => settling(work, gains, () => write(work)));
    if (isDone) return;
  }
  throw new AppError("conflict", { message: "Others write into this workspace all the time.", hint: "Try again." });
}

/** Content that others have deleted or changed since does not come back by being moved: whoever moves it may never have been shown it. */
function leaveOutLost({ base, mine, moved = new Set() }: FilesWish, theirs: readonly TreeEntry[]) {
  if (moved.size === 0) return { mine, lost: [] };
  const known = new Set(theirs.map(({ sha256 }) => sha256));
  const lost = new Set(mine.filter(({ path, sha256 }) => moved.has(path) && !known.has(sha256)).map(({ path }) => path));
  const kept = [...mine.filter(({ path }) => !lost.has(path)), ...base.filter(({ path }) => lost.has(path))];
  return { mine: kept, lost: [...lost] };
}

/** What a writer has seen: the files at a revision of the workspace, or what is there now. @throws AppError `workspace_base_gone` */
async function readBase(context: FilesContext, row: store.WorkspaceRow, revision: Revision): Promise<readonly TreeEntry[]> {
  if (revision === "*" || revision === row.revision) return await context.trees.read(row.tree_sha256);
  const tree = revision > row.revision ? undefined : await store.findHead(context.database.queries, row.id, revision);
  if (tree === undefined) throw new AppError("workspace_base_gone");
  return await context.trees.read(tree);
}

/** Makes a batch of changes on the files that the writer saw. @throws AppError */
export async function changeFiles(
  context: FilesContext,
  actor: Actor,
  id: string,
  { changes, onConflict, keepBefore }: WorkspaceFileChanges,
  revision: Revision | undefined,
): Promise<void> {
  requireChangeable(await loadWorkspace(context, actor, "workspace:edit", id));
  if (revision === undefined) throw new AppError("revision_required");
  await context.settleLive(id);
  const row = await loadWorkspace(context, actor, "workspace:edit", id);
  const moves = changes.filter((change) => change.op === "move");
  const base = await withLiveFiles(context, row, await readBase(context, row, revision), moves);
  const written = await storeWritten(context, actor, base, changes);
  const mine = applyChanges(base, changes, written);
  const kept = new Set(mine.map(({ path }) => path));
  const brought = new Set(written.map(({ sha256 }) => sha256));
  const was = new Map(base.map(({ path, sha256 }) => [path, sha256]));
  const isMoved = ({ path, sha256 }: TreeEntry) => was.get(path) !== sha256 && !brought.has(sha256);
  const moved = new Set(mine.filter(isMoved).map(({ path }) => path));
  const gone = base.filter(({ path }) => !kept.has(path)).length;
  const before = keepBefore ? beforeImport : beforeDeletion(gone);
  const also = async (work: Work) => await moveDocuments(work, id, moves);
  await putFiles(context, actor, id, { base, mine, moved, onConflict, before, ...(moves.length === 0 ? {} : { also }) });
}

/** A file that people are editing together is moved with what they have written: whoever moves it means the file, not what it held when they looked. */
async function withLiveFiles(
  { database, trees }: FilesContext,
  row: store.WorkspaceRow,
  base: readonly TreeEntry[],
  moves: readonly { readonly from: string }[],
): Promise<readonly TreeEntry[]> {
  if (moves.length === 0) return base;
  const live = await listPaths(database.queries, row.id);
  const moved = new Set(live.filter((path) => moves.some(({ from }) => path === from || path.startsWith(`${from}/`))));
  if (moved.size === 0) return base;
  const now = (await trees.read(row.tree_sha256)).filter(({ path }) => moved.has(path));
  const there = new Set(now.map(({ path }) => path));
  return [...base.filter(({ path }) => !there.has(path)), ...now.filter(({ path }) => base.some((one) => one.path === path))];
}

/** Before files come in from elsewhere. */
export const beforeImport = { cause: "before_import" as const, message: "Before files were brought in" };

function beforeDeletion(gone: number): FilesWish["before"] {
  return gone < manyFiles ? undefined : { cause: "before_delete", message: `Before ${gone} files were deleted or moved` };
}

async function storeWritten(
  context: FilesContext,
  actor: Actor,
  known: readonly TreeEntry[],
  changes: readonly TreeChange[],
): Promise<TreeEntry[]> {
  const writes = changes.flatMap((change, index) => (change.op === "write" ? [{ file: change.file, index }] : []));
  return await storeFiles(
    context,
    actor,
    writes.map(({ file }) => file),
    known,
    (index) => `changes.${writes[index]?.index}.file`,
  );
}

function conflict(paths: readonly string[]): AppError {
  const named = paths.slice(0, shownConflicts);
  const [first = ""] = named;
  return new AppError("workspace_conflict", {
    message: `Somebody else has changed ${JSON.stringify(first)}${paths.length === 1 ? "" : ` and ${paths.length - 1} more`} meanwhile. Nothing was changed.`,
    details: { paths: named, count: paths.length },
  });
}

/** The files of a tree are numbered otherwise than the changes that made it. */
function locatedIn(path: string, { code, message, hint, fields }: AppError): AppError {
  return new AppError(code, { message, hint, fields: fields.map((field) => ({ ...field, path })) });
}
