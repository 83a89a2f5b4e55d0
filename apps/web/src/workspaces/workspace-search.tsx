import type { TreeFile, Workspace } from "@syla/sdk";
import { useQueryClient } from "@tanstack/react-query";
import { syla } from "../app/api.ts";
import { SearchPanel } from "../editor/search-panel.tsx";
import { textAt } from "./queries.ts";
import type { useWorkspaceEdits } from "./use-workspace-edits.ts";

interface WorkspaceSearchProps {
  readonly workspace: Workspace;
  readonly files: readonly TreeFile[];
  readonly version: number | undefined;
  readonly isEditable: boolean;
  readonly working: Pick<ReturnType<typeof useWorkspaceEdits>, "edits" | "apply">;
  readonly onOpen: (path: string, line: number, column: number) => void;
}

/** Finds text in the files of a workspace, and replaces it as one change. */
export function WorkspaceSearch({ workspace: { id }, files, version, isEditable, working, onOpen }: WorkspaceSearchProps) {
  const client = useQueryClient();
  const textOf = async (path: string, sha256: string) => {
    const found = files.find((one) => one.path === path && one.sha256 === sha256);
    return found === undefined ? null : await textAt(client, id, found);
  };
  const write = async (texts: ReadonlyMap<string, string>, revision: number) => {
    const executables = new Set(files.filter(({ executable }) => executable).map(({ path }) => path));
    const changes = [...texts].map(([path, content]) => ({
      op: "write" as const,
      file: { path, content, executable: executables.has(path) },
    }));
    await working.apply(changes, revision);
  };
  return (
    <SearchPanel
      search={(query, signal) => syla.workspaces.search(id, { ...query, ...(version === undefined ? {} : { version }) }, { signal })}
      onOpen={onOpen}
      replacing={isEditable ? { hasEdits: working.edits.size > 0, textOf, write } : null}
    />
  );
}
