import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "../../cli-error.ts";
import { linkFolder } from "../../programs/link-file.ts";

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

const fileName = "workspace.json";

/** The state of a folder; null when it belongs to no workspace of this server. */
export function readState(folder: string, server: string): SyncState | null {
  const path = join(folder, linkFolder, fileName);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw unreadable(path, error);
  }
  try {
    const { id, revision, files, behind = [], conflicts = {}, ...state } = JSON.parse(text) as Partial<SyncState>;
    if (typeof id !== "string" || typeof revision !== "number" || typeof files !== "object" || files === null)
      throw new Error("it has another shape");
    return state.server === server
      ? { server, id, revision, files: withoutParents(files), behind, conflicts: withoutParents(conflicts) }
      : null;
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Files may be called like what every object has. */
function withoutParents<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.assign(Object.create(null) as Record<string, T>, record);
}

export function writeState(folder: string, state: SyncState): void {
  const home = join(folder, linkFolder);
  mkdirSync(home, { recursive: true });
  const temporary = join(home, `${fileName}.${process.pid}`);
  writeFileSync(temporary, `${JSON.stringify(state)}\n`);
  renameSync(temporary, join(home, fileName));
}

function unreadable(path: string, cause: unknown): CliError {
  return new CliError(`${path} cannot be read: ${(cause as Error).message}.`, {
    code: "link_unreadable",
    exit: "config",
    hint: "Delete it; the next sync compares everything anew, and takes nothing away.",
    cause,
  });
}
