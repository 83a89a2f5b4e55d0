import { SylaError, type OnConflict, type TreeChanges, type TreeFile, type Workspace } from "@syla/sdk";
import { useState } from "react";
import { byRevision, leftAfter, type Edits } from "./edits.ts";
import { useChangeWorkspaceFiles } from "./queries.ts";

/**
 * The files of a workspace while one works on them: edits are kept here until they are saved together; all else is done at once. `listed`: the
 * revision of the files that are shown, which may be older than the workspace's.
 */
export function useWorkspaceEdits(workspace: Workspace, listed: number) {
  const change = useChangeWorkspaceFiles(workspace.id);
  const [edits, setEdits] = useState<Edits>(new Map());
  const [conflict, setConflict] = useState<readonly string[] | null>(null);

  const edit = (file: TreeFile, text: string, loaded: string) =>
    setEdits((before) => {
      const next = new Map(before);
      if (text === loaded) next.delete(file.path);
      else next.set(file.path, { text, executable: file.executable, revision: before.get(file.path)?.revision ?? listed });
      return next;
    });
  const discard = (path: string) => setEdits((before) => new Map([...before].filter(([other]) => other !== path)));

  /** Saves all edits of a revision as one change; what cannot be put together with what others wrote is asked about. */
  const save = async (onConflict: OnConflict = "refuse"): Promise<void> => {
    // What was answered is of the first: nobody was asked about those after it.
    let rule = onConflict;
    for (const [revision, sent] of byRevision(edits)) {
      const changes: TreeChanges = [...sent].map(([path, { text, executable }]) => ({
        op: "write",
        file: { path, content: text, executable },
      }));
      try {
        const saved = await change.mutateAsync({ changes, revision, onConflict: rule });
        setEdits((now) => leftAfter(now, sent, saved));
      } catch (error) {
        if (!(error instanceof SylaError) || error.code !== "workspace_conflict") throw error;
        setConflict([...sent.keys()].filter((path) => pathsOf(error).includes(path)));
        return;
      }
      rule = "refuse";
    }
    setConflict(null);
  };
  const apply = async (changes: TreeChanges): Promise<void> => {
    await change.mutateAsync({ changes, revision: listed });
  };
  return { edits, edit, discard, save, apply, conflict, dismiss: () => setConflict(null), isSaving: change.isPending };
}

function pathsOf({ details }: SylaError): readonly unknown[] {
  const paths: unknown = details["paths"];
  return Array.isArray(paths) ? paths : [];
}
