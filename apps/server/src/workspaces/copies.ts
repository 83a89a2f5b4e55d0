import { WorkspaceKind } from "@syla/contracts/workspaces";
import type { Actor } from "../access/actor.ts";
import { putFiles, type FilesContext } from "./files.ts";
import { loadWorkspace, requireChangeable } from "./loading.ts";
import * as store from "./store.ts";

/** A workspace apart from the database: itself, and its versions from the oldest on. */
export interface WorkspaceCopy {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly kind: string;
  readonly ownerId: string;
  readonly keepOnExit: boolean;
  readonly tree: string;
  readonly versions: readonly {
    readonly number: number;
    readonly tree: string;
    readonly message: string;
    readonly cause: string;
    readonly createdBy: string | null;
    readonly createdAt: string;
  }[];
}

/** Everything of a workspace, for whoever manages it. @throws AppError `not_found`, `forbidden` */
export async function copyWorkspace(context: FilesContext, actor: Actor, id: string): Promise<WorkspaceCopy> {
  const row = await loadWorkspace(context, actor, "workspace:delete", id);
  const versions = await store.listAllVersions(context.database.queries, id);
  return {
    id,
    name: row.name,
    description: row.description,
    kind: row.kind,
    ownerId: row.owner_id,
    keepOnExit: row.keep_on_exit,
    tree: row.tree_sha256,
    versions: versions.map(({ number, tree_sha256, message, cause, created_by, created_at }) => ({
      number,
      tree: tree_sha256,
      message,
      cause,
      createdBy: created_by,
      createdAt: created_at.toISOString(),
    })),
  };
}

/** Its kind, when this version knows it. */
export function kindOf({ kind }: WorkspaceCopy): WorkspaceKind {
  return WorkspaceKind.safeParse(kind).data ?? "persistent";
}

/** The trees of a copy, each once. */
export function treesOf({ tree, versions }: WorkspaceCopy): string[] {
  return [...new Set([tree, ...versions.map((version) => version.tree)])];
}

/** Trees whose content is in the store become trees of the database. */
export async function adoptTrees({ trees }: Pick<FilesContext, "trees">, copy: WorkspaceCopy): Promise<void> {
  for (const sha256 of treesOf(copy)) await trees.put(await trees.read(sha256));
}

/** Puts the files of a copy in the place of those that are there, which become a version. @throws AppError */
export async function putCopyOver(context: FilesContext, actor: Actor, id: string, copy: WorkspaceCopy, message: string): Promise<void> {
  const row = await loadWorkspace(context, actor, "workspace:delete", id);
  requireChangeable(row);
  const [base, mine] = [await context.trees.read(row.tree_sha256), await context.trees.read(copy.tree)];
  const before = { cause: "before_restore" as const, message };
  await putFiles(context, actor, id, { base, mine, onConflict: "mine", revision: row.revision, before });
}
