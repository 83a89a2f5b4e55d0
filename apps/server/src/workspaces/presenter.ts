import { NetworkPolicy } from "@syla/contracts/network";
import { WorkspaceVersionCause, type Workspace, type WorkspaceVersion } from "@syla/contracts/workspaces";
import { z } from "zod";
import type { Standing } from "../access/service.ts";
import { toOwner } from "../catalog/service.ts";
import { keptDays, profiles, ttlOf, type WorkspaceTimes } from "./kinds.ts";
import type { VersionRow, WorkspaceRow } from "./store.ts";

const ClonedFrom = z.object({ id: z.string(), version: z.string().nullable() });

/** The policy as the row has it. */
export function networkOf({ network }: Pick<WorkspaceRow, "network">): NetworkPolicy {
  return NetworkPolicy.parse(network);
}

export function toWorkspace(row: WorkspaceRow, standing: Standing, times: WorkspaceTimes): Workspace {
  const ttlMs = ttlOf(row.kind, times);
  const ends = ttlMs !== null && row.running === 0 && row.deleted_at === null && row.state !== "archived";
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    kind: row.kind,
    state: row.deleted_at === null ? row.state : "deleted",
    owner: toOwner(row.owner_id, row.owner_name),
    isShared: standing.isShared,
    isOwner: standing.isOwner,
    yourLevel: standing.level,
    revision: row.revision,
    tree: treeOf(row),
    version: row.last_version === 0 ? null : row.last_version,
    profile: profiles[row.kind],
    network: networkOf(row),
    keepOnExit: row.keep_on_exit,
    ttlMs,
    expiresAt: ends ? new Date(Math.max(row.last_used_at.getTime(), row.ran_at?.getTime() ?? 0) + ttlMs).toISOString() : null,
    lastUsedAt: row.last_used_at.toISOString(),
    runningCount: row.running,
    clonedFrom: row.cloned_from === null ? null : ClonedFrom.parse(row.cloned_from),
    archivedAt: row.archived_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
    createdBy: toPerson(row.created_by, row.creator_name),
    updatedAt: row.updated_at.toISOString(),
    updatedBy: toPerson(row.updated_by, row.updater_name),
    deletedAt: row.deleted_at?.toISOString() ?? null,
    purgeAt: row.deleted_at === null ? null : new Date(row.deleted_at.getTime() + keptDays * 86_400_000).toISOString(),
  };
}

export function toVersion(row: VersionRow): WorkspaceVersion {
  return {
    number: row.number,
    message: row.message,
    cause: WorkspaceVersionCause.parse(row.cause),
    runId: row.run_id,
    tree: treeOf(row),
    createdAt: row.created_at.toISOString(),
    createdBy: toPerson(row.created_by, row.creator_name),
    commit: row.commit_id,
    author: row.author,
    authors: row.authors,
  };
}

/** A tree with its size, as rows have it. */
export function treeOf(row: Pick<WorkspaceRow, "tree_sha256" | "file_count" | "total_bytes">): Workspace["tree"] {
  return { sha256: row.tree_sha256, files: row.file_count ?? 0, bytes: row.total_bytes ?? 0 };
}

function toPerson(id: string | null, name: string | null): { id: string; name: string } | null {
  return id === null ? null : { id, name: name ?? "" };
}
