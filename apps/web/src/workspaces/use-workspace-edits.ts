import { SylaError, type OnConflict, type TreeChanges, type TreeFile, type Workspace } from "@syla/sdk";
import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { syla } from "../app/api.ts";
import type { Conflict } from "../editor/conflict-dialog.tsx";
import { byRevision, leftAfter, type Edit, type Edits } from "./edits.ts";
import { textAt, useChangeWorkspaceFiles } from "./queries.ts";

/** What both have changed, and the revision that theirs is of. */
interface WorkspaceConflict {
  readonly conflicts: readonly Conflict[];
  readonly revision: number;
}

/**
 * The files of a workspace while one works on them: edits are kept here until they are saved together; all else is done at once. `listed`: the
 * revision of the files that are shown, which may be older than the workspace's.
 */
export function useWorkspaceEdits(workspace: Workspace, listed: number) {
  const change = useChangeWorkspaceFiles(workspace.id);
  const [edits, setState] = useState<Edits>(new Map());
  const latest = useRef<Edits>(edits);
  const setEdits = (edited: (before: Edits) => Edits) => {
    latest.current = edited(latest.current);
    setState(latest.current);
  };
  /** Revisions that files were saved as: what is written next is on top of that, also before the list is there. */
  const savedAs = useRef(new Map<string, number>());
  const saving = useRef<Promise<unknown>>(Promise.resolve());
  const [conflict, setConflict] = useState<WorkspaceConflict | null>(null);
  const client = useQueryClient();

  const edit = (file: TreeFile, text: string, loaded: string) =>
    setEdits((before) => {
      const next = new Map(before);
      if (text === loaded) next.delete(file.path);
      else
        next.set(file.path, {
          text,
          executable: file.executable,
          revision: before.get(file.path)?.revision ?? Math.max(listed, savedAs.current.get(file.path) ?? 0),
        });
      return next;
    });
  const discard = (path: string) => setEdits((before) => new Map([...before].filter(([other]) => other !== path)));

  /**
   * Saves all edits of a revision as one change; what cannot be put together with what others wrote is asked about.
   * Answers whether everything is saved.
   */
  const save = (onConflict: OnConflict = "refuse"): Promise<boolean> => {
    // One after another: the next one is on top of what this one has written.
    const turn = saving.current.then(() => saveNow(onConflict));
    saving.current = turn.catch(() => undefined);
    return turn;
  };
  const saveNow = async (onConflict: OnConflict): Promise<boolean> => {
    // What was answered is of the first: nobody was asked about those after it.
    let rule = onConflict;
    for (const [revision, sent] of byRevision(latest.current)) {
      const changes: TreeChanges = [...sent].map(([path, { text, executable }]) => ({
        op: "write",
        file: { path, content: text, executable },
      }));
      try {
        const saved = await change.mutateAsync({ changes, revision, onConflict: rule });
        for (const [path, { text }] of sent) if (saved.texts.get(path) === text) savedAs.current.set(path, saved.revision);
        setEdits((now) => leftAfter(now, sent, saved));
      } catch (error) {
        if (!(error instanceof SylaError) || error.code !== "workspace_conflict") throw error;
        setConflict(await findConflict([...sent].filter(([path]) => pathsOf(error).includes(path))));
        return false;
      }
      rule = "refuse";
    }
    setConflict(null);
    return true;
  };
  const findConflict = async (met: readonly (readonly [string, Edit])[]): Promise<WorkspaceConflict> => {
    const { items, revision } = await syla.workspaces.files(workspace.id);
    const conflicts = met.map(async ([path, { text }]) => {
      const theirs = items.find((file) => file.path === path);
      return { path, mine: text, theirs: theirs === undefined ? null : await textAt(client, workspace.id, theirs) };
    });
    return { conflicts: await Promise.all(conflicts), revision };
  };
  /** Saves what was decided about each file in conflict: a text, or null for theirs. The rest of the edits stays. */
  const settle = async (decided: ReadonlyMap<string, string | null>): Promise<void> => {
    if (conflict === null) return;
    const changes: TreeChanges = [...decided].flatMap(([path, content]) =>
      content === null ? [] : [{ op: "write" as const, file: { path, content, executable: edits.get(path)?.executable ?? false } }],
    );
    if (changes.length > 0) await change.mutateAsync({ changes, revision: conflict.revision });
    setEdits((now) => new Map([...now].filter(([path]) => !decided.has(path))));
    setConflict(null);
  };
  /** Takes up what an earlier visit has left. */
  const restore = (left: Edits) => setEdits((now) => new Map([...left, ...now]));
  const apply = async (changes: TreeChanges, revision = listed, onConflict: OnConflict = "refuse"): Promise<Workspace> =>
    (await change.mutateAsync({ changes, revision, onConflict })).workspace;
  return { edits, edit, discard, restore, save, settle, apply, conflict, dismiss: () => setConflict(null), isSaving: change.isPending };
}

function pathsOf({ details }: SylaError): readonly unknown[] {
  const paths: unknown = details["paths"];
  return Array.isArray(paths) ? paths : [];
}
