import { SylaError, type Asset, type Revision, type TreeChanges, type TreeFile } from "@syla/sdk";
import { useState } from "react";
import { syla } from "../../app/api.ts";
import type { Conflict } from "../../editor/conflict-dialog.tsx";
import { readText, useChangeFiles, useProgramFiles } from "../queries.ts";

/** A file that was edited here, and what it was edited from. */
export interface Edit {
  readonly text: string;
  /** The hash of the file that was loaded. */
  readonly base: string;
  readonly executable: boolean;
}

export interface ConflictState {
  readonly conflicts: readonly Conflict[];
  readonly revision: number;
  readonly files: readonly TreeFile[];
}

/** The files of a program while one works on them: edits are kept here until they are saved together; all else is done at once. */
export function useWorkingFiles(asset: Asset) {
  const files = useProgramFiles(asset.id);
  const change = useChangeFiles(asset.id);
  const [edits, setEdits] = useState<ReadonlyMap<string, Edit>>(new Map());
  const [conflict, setConflict] = useState<ConflictState | null>(null);

  const edit = (file: TreeFile, text: string, loaded: string) =>
    setEdits((before) => {
      const next = new Map(before);
      if (text === loaded) next.delete(file.path);
      else next.set(file.path, { text, base: before.get(file.path)?.base ?? file.sha256, executable: file.executable });
      return next;
    });
  const discard = (path: string) => setEdits((before) => new Map([...before].filter(([other]) => other !== path)));

  const write = async (written: ReadonlyMap<string, Edit>, revision: Revision) => {
    const changes: TreeChanges = [...written].map(([path, { text, executable }]) => ({
      op: "write",
      file: { path, content: text, executable },
    }));
    const saved = await change.mutateAsync({ changes, revision });
    setEdits((before) => new Map([...before].filter(([path, now]) => written.get(path)?.text !== now.text)));
    setConflict(null);
    return saved.revision;
  };

  /**
   * Saves all edits as one change. What others have changed besides is kept; what they changed in the same files is asked about.
   * Answers the revision that is there then; null: there is something to be asked.
   */
  const save = async (): Promise<number | null> => {
    const revision = files.data?.revision;
    if (edits.size === 0 || revision === undefined) return revision ?? null;
    const current = await syla.programs.files(asset.id);
    const conflicts = await findConflicts(asset.id, edits, current.items);
    if (conflicts.length > 0) {
      setConflict({ conflicts, revision: current.revision, files: current.items });
      return null;
    }
    try {
      return await write(edits, current.revision);
    } catch (error) {
      // Somebody was quicker in between: the next look sees what they did.
      if (error instanceof SylaError && error.code === "revision_conflict") return await save();
      throw error;
    }
  };

  /** Saves what was decided about each file in conflict: a text, or null for theirs. */
  const settle = async (decided: ReadonlyMap<string, string | null>): Promise<void> => {
    if (conflict === null) return;
    const written = new Map(
      [...edits].flatMap(([path, mine]): [string, Edit][] => {
        const text = decided.has(path) ? decided.get(path) : mine.text;
        return text === null || text === undefined ? [] : [[path, { ...mine, text }]];
      }),
    );
    if (written.size > 0) await write(written, conflict.revision);
    setEdits((before) => new Map([...before].filter(([path]) => !decided.has(path))));
    setConflict(null);
    await files.refetch();
  };

  const apply = async (changes: TreeChanges): Promise<void> => {
    await change.mutateAsync({ changes, revision: files.data?.revision ?? "*" });
  };

  return { files, edits, edit, discard, save, conflict, settle, dismiss: () => setConflict(null), apply, change };
}

async function findConflicts(id: string, edits: ReadonlyMap<string, Edit>, current: readonly TreeFile[]): Promise<Conflict[]> {
  const found: Conflict[] = [];
  for (const [path, { text, base }] of edits) {
    const theirs = current.find((file) => file.path === path);
    if (theirs?.sha256 === base) continue;
    found.push({ path, mine: text, theirs: theirs === undefined ? null : (await readText(id, path)).text });
  }
  return found;
}
