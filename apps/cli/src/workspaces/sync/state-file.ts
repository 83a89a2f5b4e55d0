import { isRecord, readLocalState, writeLocalState, type LocalState } from "../../project/local-state.ts";

/** Content and whether it can be started. */
export type Mark = readonly [sha256: string, executable: boolean];

/** What a folder and its workspace had in common when they were last brought together. */
export interface SyncState {
  readonly server: string;
  readonly id: string;
  /** What the workspace's files were then is known to the server by this. */
  readonly revision: number;
  readonly files: Readonly<Record<string, Mark>>;
  /** Paths whose files at that revision are not those of `files`: they were not fetched. */
  readonly behind: readonly string[];
  /** What the workspace had of paths that both sides had changed; null: nothing. It is left beside until somebody deletes it. */
  readonly conflicts: Readonly<Record<string, Mark | null>>;
}

const local: LocalState<SyncState> = {
  name: "workspace.json",
  hint: "Delete it; the next sync compares everything anew, and takes nothing away.",
  parse(value) {
    const { server, id, revision, files, behind = [], conflicts = {} } = (isRecord(value) ? value : {}) as Partial<SyncState>;
    if (typeof server !== "string" || typeof id !== "string" || typeof revision !== "number" || !isRecord(files) || !isRecord(conflicts))
      throw new Error("it has another shape");
    return { server, id, revision, files: withoutParents(files), behind, conflicts: withoutParents(conflicts) };
  },
};

/** The state of a folder; null when it belongs to no workspace of this server. */
export function readState(folder: string, server: string): SyncState | null {
  const state = readLocalState(folder, local);
  return state?.server === server ? state : null;
}

/** Files may be called like what every object has. */
function withoutParents<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.assign(Object.create(null) as Record<string, T>, record);
}

export function writeState(folder: string, state: SyncState): void {
  writeLocalState(folder, local, state);
}
