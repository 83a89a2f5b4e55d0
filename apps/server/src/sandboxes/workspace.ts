import type { SandboxWorkspace } from "@syla/contracts/sandboxes/workspace";
import type { Actor } from "../access/actor.ts";
import type { Thing } from "../access/service.ts";
import type { TreeEntry } from "../platform/trees.ts";
import type { RunPlace } from "../runs/service.ts";

/** What sandboxes need of the workspaces that they are in. */
export interface SandboxWorkspaces {
  /** A workspace for a sandbox of the actor's. @throws AppError as for a run */
  place(actor: Actor, wish: { readonly workspaceId: string; readonly writeBack?: boolean | undefined }): Promise<RunPlace>;
  /** Undefined once nothing may go on in it. */
  findOpen(id: string): Promise<Thing | undefined>;
  filesNow(id: string): Promise<{ readonly revision: number; readonly entries: readonly TreeEntry[] } | undefined>;
  takeSaved(files: SavedFiles): Promise<Taken>;
  kindOf(id: string): Promise<string | undefined>;
  noteUse(id: string): Promise<void>;
  /** @throws AppError `not_found`, `forbidden` */
  requireRun(actor: Actor, id: string): Promise<void>;
}

/** What was changed in a sandbox since it and its workspace had the same. */
export interface SavedFiles {
  readonly sandboxId: string;
  readonly ownerId: string;
  readonly keyId: string | null;
  readonly workspaceId: string;
  readonly base: readonly TreeEntry[];
  readonly changed: readonly TreeEntry[];
  readonly gone: readonly string[];
  /** Nothing of it was saved before: what was there becomes a version. */
  readonly isFirst: boolean;
}

/** What became of it. */
export interface Taken {
  readonly outcome: "unchanged" | "merged" | "kept_beside" | "refused";
  readonly changed: number;
  readonly version: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** What is written down of the workspace of a sandbox. */
export type WorkspaceFacts = SandboxWorkspace;
