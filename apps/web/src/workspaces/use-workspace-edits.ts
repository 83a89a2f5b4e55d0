import { SylaError, type OnConflict, type TreeChanges, type TreeFile, type Workspace } from "@syla/sdk";
import { useState } from "react";
import { useChangeWorkspaceFiles } from "./queries.ts";

/** A file that was edited here, and is not saved. */
export interface Edit {
  readonly text: string;
  readonly executable: boolean;
}

/** Edits on one revision: whatever others write meanwhile, the server puts it together with these. */
interface Edits {
  readonly revision: number;
  readonly files: ReadonlyMap<string, Edit>;
}

/** The files of a workspace while one works on them: edits are kept here until they are saved together; all else is done at once. */
export function useWorkspaceEdits(workspace: Workspace) {
  const change = useChangeWorkspaceFiles(workspace.id);
  const [edits, setEdits] = useState<Edits>({ revision: workspace.revision, files: new Map() });
  const [conflict, setConflict] = useState<readonly string[] | null>(null);

  const edit = (file: TreeFile, text: string, loaded: string) =>
    setEdits(({ revision, files }) => {
      const next = new Map(files);
      if (text === loaded) next.delete(file.path);
      else next.set(file.path, { text, executable: file.executable });
      return { revision: files.size === 0 ? workspace.revision : revision, files: next };
    });
  const discard = (path: string) =>
    setEdits(({ revision, files }) => ({ revision, files: new Map([...files].filter(([other]) => other !== path)) }));

  const send = async (changes: TreeChanges, revision: number, onConflict: OnConflict = "refuse") => {
    await change.mutateAsync({ changes, revision, onConflict });
  };
  /** Saves all edits as one change; what cannot be put together with what others wrote is asked about. */
  const save = async (onConflict: OnConflict = "refuse"): Promise<void> => {
    if (edits.files.size === 0) return;
    const sent = edits.files;
    const changes: TreeChanges = [...sent].map(([path, { text, executable }]) => ({
      op: "write",
      file: { path, content: text, executable },
    }));
    try {
      await send(changes, edits.revision, onConflict);
    } catch (error) {
      if (!(error instanceof SylaError) || error.code !== "workspace_conflict") throw error;
      setConflict([...sent.keys()].filter((path) => pathsOf(error).includes(path)));
      return;
    }
    setConflict(null);
    setEdits(({ revision, files }) => ({
      revision,
      files: new Map([...files].filter(([path, now]) => sent.get(path)?.text !== now.text)),
    }));
  };
  const apply = async (changes: TreeChanges): Promise<void> => await send(changes, workspace.revision);
  return { edits: edits.files, edit, discard, save, apply, conflict, dismiss: () => setConflict(null), isSaving: change.isPending };
}

function pathsOf({ details }: SylaError): readonly unknown[] {
  const paths: unknown = details["paths"];
  return Array.isArray(paths) ? paths : [];
}
