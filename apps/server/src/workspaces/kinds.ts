import type { Workspace, WorkspaceKind } from "@syla/contracts/workspaces";

const mebibyte = 1024 * 1024;

/** What runs in a workspace of a kind get, and the most that one may ask for. */
export const profiles: Readonly<Record<WorkspaceKind, Workspace["profile"]>> = {
  ephemeral: { cpus: 0.5, memoryBytes: 512 * mebibyte, diskBytes: 1024 * mebibyte },
  session: { cpus: 1, memoryBytes: 2048 * mebibyte, diskBytes: 5 * 1024 * mebibyte },
  persistent: { cpus: 2, memoryBytes: 4096 * mebibyte, diskBytes: 20 * 1024 * mebibyte },
  collaborative: { cpus: 4, memoryBytes: 8192 * mebibyte, diskBytes: 50 * 1024 * mebibyte },
};

/** How long what was deleted can be restored. */
export const keptDays = 30;

/** How long changes can be made on files as they were before others changed them. */
export const keptHeadDays = 3;

/** The times of a workspace's life, as they are set now. */
export interface WorkspaceTimes {
  /** So long after its last use an ephemeral one is removed. */
  readonly ephemeralMs: number;
  /** So long after its last use a session's is over. */
  readonly sessionMs: number;
  /** So long after its last use one is suspended. */
  readonly idleMs: number;
  readonly collaborativeIdleMs: number;
  /** So long after its last use one that has no end is archived. */
  readonly archiveMs: number;
}

/** So long after its last use the time of a workspace is over; null: never. */
export function ttlOf(kind: WorkspaceKind, times: WorkspaceTimes): number | null {
  if (kind === "ephemeral") return times.ephemeralMs;
  return kind === "session" ? times.sessionMs : null;
}
