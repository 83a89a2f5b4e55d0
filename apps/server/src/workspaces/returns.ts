import { levelCovers } from "@syla/contracts/access";
import { AppError } from "@syla/contracts/errors";
import type { RunInput } from "@syla/contracts/runs";
import type { WorkspaceVersionCause } from "@syla/contracts/workspaces";
import type { Actor } from "../access/actor.ts";
import { covers } from "../access/service.ts";
import type { Audit } from "../audit/service.ts";
import type { ReturnedFiles, RunPlace, WorkspaceReturns } from "../runs/service.ts";
import type { TreeEntry } from "../platform/trees.ts";
import type { SavedFiles } from "../sandboxes/service.ts";
import { orForgotten, putFiles, type FilesContext, type FilesWish } from "./files.ts";
import { profiles } from "./kinds.ts";
import { loadWorkspace, presentWorkspace, requireChangeable } from "./loading.ts";
import { networkOf } from "./presenter.ts";
import * as store from "./store.ts";

/** What runs in workspaces need. */
export interface ReturnsContext extends FilesContext {
  readonly actFor: (userId: string) => Promise<Actor>;
  readonly audit: Pick<Audit, "add">;
}

type Returned = Awaited<ReturnType<WorkspaceReturns["takeBack"]>>;

const writingScope = "workspaces:write";

/** A workspace for a run of the actor's. @throws AppError `not_found`, `forbidden`, `scope_missing`, `workspace_archived`, `workspace_deleted` */
export async function placeForRun(
  context: FilesContext,
  actor: Actor,
  wish: Pick<RunInput, "writeBack" | "shownInWorkspace"> & { readonly workspaceId: string },
): Promise<RunPlace> {
  const { workspaceId, writeBack, shownInWorkspace: shown = false } = wish;
  requireChangeable(await loadWorkspace(context, actor, "workspace:run", workspaceId));
  await context.settleLive(workspaceId);
  const row = await loadWorkspace(context, actor, "workspace:run", workspaceId);
  requireChangeable(row);
  const { yourLevel } = await presentWorkspace(context, actor, row);
  const mayEdit = levelCovers(yourLevel, "edit");
  if (writeBack === true && !mayEdit)
    throw new AppError("forbidden", {
      message: "You may run in this workspace, and not change its files.",
      fields: [{ path: "writeBack", message: "needs the right to edit" }],
    });
  // What the run leaves changes the workspace: a key has to be made for that, too.
  const mayWrite = actor.scopes === undefined || actor.scopes.some((scope) => covers(scope, writingScope));
  if (writeBack === true && !mayWrite)
    throw new AppError("scope_missing", {
      message: `This key was not made for changing workspaces: it lacks the scope \`${writingScope}\`.`,
      fields: [{ path: "writeBack", message: `needs the scope \`${writingScope}\`` }],
    });
  await store.touchWorkspace(context.database.queries, row.id);
  const { id, name, tree_sha256: tree, revision } = row;
  return {
    workspace: { id, name, tree, revision, writeBack: writeBack ?? (mayEdit && mayWrite && row.kind !== "ephemeral"), shown },
    entries: await context.trees.read(tree),
    profile: profiles[row.kind],
    network: networkOf(row),
  };
}

/** Refuses a run whose turn has come when its workspace has been ended meanwhile. @throws AppError `workspace_archived`, `workspace_deleted` */
export async function requireOpen({ database }: Pick<FilesContext, "database">, workspaceId: string): Promise<void> {
  const row = await store.findState(database.queries, workspaceId);
  if (row === undefined) throw new AppError("workspace_deleted", { hint: "It is gone for good." });
  requireChangeable(row);
}

/** Puts what a run has changed into its workspace, counted for the key that it came with, and notes that in the audit trail. */
export async function takeBack(context: ReturnsContext, files: ReturnedFiles): Promise<Returned> {
  const { runId, ownerId, keyId, workspaceId, isEnded } = files;
  const base = await context.trees.read(files.tree);
  const putIn = new Map(files.putIn.map((entry) => [entry.path, entry]));
  const changed = files.changed.filter((entry) => {
    const was = putIn.get(entry.path);
    return was === undefined || was.sha256 !== entry.sha256 || (was.mode & 0o100) !== (entry.mode & 0o100);
  });
  const before = { cause: "before_run" as const, message: `Before the files of ${runId}`, runId };
  const beside = { message: `Left by ${runId}`, cause: "run" as const, runId };
  return await putReturned(context, {
    leftBy: { runId },
    ownerId,
    keyId,
    workspaceId,
    base,
    changed,
    gone: files.gone,
    before,
    beside,
    doubt: isEnded ? null : "the run was ended from outside, and may have left halves",
  });
}

/** The same with what was changed in a sandbox that goes on. */
export async function takeSaved(context: ReturnsContext, { sandboxId, isFirst, ...files }: SavedFiles): Promise<Returned> {
  const before = { cause: "before_sandbox" as const, message: `Before the files of ${sandboxId}` };
  return await putReturned(context, {
    leftBy: { sandboxId },
    ...files,
    ...(isFirst ? { before } : {}),
    beside: { message: `Left by ${sandboxId}`, cause: "sandbox" },
    doubt: null,
  });
}

/** Files that come back, whatever they come from. */
interface Returning {
  /** For the audit trail. */
  readonly leftBy: Readonly<Record<string, string>>;
  readonly ownerId: string;
  readonly keyId: string | null;
  readonly workspaceId: string;
  readonly base: readonly TreeEntry[];
  readonly changed: readonly TreeEntry[];
  readonly gone: readonly string[];
  readonly before?: NonNullable<FilesWish["before"]>;
  /** The version that holds them where they cannot be put in. */
  readonly beside: { readonly message: string; readonly cause: WorkspaceVersionCause; readonly runId?: string };
  /** Why they are only kept beside; null when they may be put in. */
  readonly doubt: string | null;
}

async function putReturned(context: ReturnsContext, files: Returning): Promise<Returned> {
  const { ownerId, keyId, workspaceId, leftBy } = files;
  const actFor = async (userId: string) => ({ ...(await context.actFor(userId)), ...(keyId === null ? {} : { keyId }) });
  const returned = await putBack({ ...context, actFor }, files);
  const { outcome, changed, version, error } = returned;
  if (outcome === "unchanged") return returned;
  context.audit.add({
    action: "workspace.change_files",
    actor: await actFor(ownerId).catch(() => null),
    resourceType: "workspace",
    resourceId: workspaceId,
    ...(outcome === "refused" ? { outcome: "failed" as const, errorCode: error?.code ?? "internal" } : {}),
    details: { ...leftBy, returned: outcome, changed, ...(version === null ? {} : { version }) },
  });
  return returned;
}

/** All of it or nothing; what cannot be put in is kept as a version. */
async function putBack(context: ReturnsContext, files: Returning): Promise<Returned> {
  const { base, changed } = files;
  const written = new Set(changed.map(({ path }) => path));
  const isGone = goneTest(files.gone);
  const gone = base.filter(({ path }) => isGone(path) && !written.has(path));
  const count = changed.length + gone.length;
  if (count === 0) return { outcome: "unchanged", changed: 0, version: null, error: null };
  const mine = [...base.filter(({ path }) => !written.has(path) && !isGone(path)), ...changed];
  try {
    const actor = await context.actFor(files.ownerId);
    await loadWorkspace(context, actor, "workspace:edit", files.workspaceId);
    const fresh = await context.uploads.recordUploads(actor, changed);
    return await orForgotten(context, actor, fresh, () => putInOrBeside(context, actor, files, mine, count));
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500) throw error;
    return { outcome: "refused", changed: count, version: null, error: { code: error.code, message: error.message } };
  }
}

/** Refusals that a version beside is not touched by. */
const besideCodes: readonly string[] = ["workspace_conflict", "workspace_archived"];

/** Tells of what is named, and of whatever was below it where that is a folder. */
function goneTest(names: readonly string[]): (path: string) => boolean {
  const named = new Set(names);
  return (path) => {
    if (named.size === 0) return false;
    if (named.has(path)) return true;
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) if (named.has(path.slice(0, end))) return true;
    return false;
  };
}

/** All of it into the files, or beside them as a version. */
async function putInOrBeside(
  context: ReturnsContext,
  actor: Actor,
  files: Returning,
  mine: readonly TreeEntry[],
  count: number,
): Promise<Returned> {
  const { workspaceId, base, before, doubt } = files;
  if (doubt !== null) return await keepBeside(context, actor, files, mine, count, new AppError("workspace_conflict", { message: doubt }));
  try {
    await putFiles(context, actor, workspaceId, { base, mine, onConflict: "refuse", before });
    return { outcome: "merged", changed: count, version: null, error: null };
  } catch (error) {
    if (!(error instanceof AppError) || !besideCodes.includes(error.code)) throw error;
    return await keepBeside(context, actor, files, mine, count, error);
  }
}

async function keepBeside(
  context: ReturnsContext,
  actor: Actor,
  { workspaceId: id, beside }: Returning,
  mine: readonly TreeEntry[],
  changed: number,
  { code, message }: AppError,
): Promise<Returned> {
  const tree = await context.trees.put(mine);
  await context.blobs.keep([tree.sha256]);
  const version = await context.database.queries.transaction().execute(async (work) => {
    const row = await store.lockWorkspace(work, id);
    if (row === undefined || row.deleted_at !== null) throw new AppError("workspace_deleted");
    return await store.insertVersion(work, id, { ...beside, tree: tree.sha256, by: actor.userId });
  });
  return { outcome: "kept_beside", changed, version, error: { code, message } };
}
