import type { TreeChanges, TreeFile, Workspace } from "@syla/sdk";
import { useState } from "react";
import { collisionOf, isWithin, uploadProblem } from "../editor/path-problems.ts";
import { type PickedFile, uploadFiles } from "../editor/upload-files.ts";
import { formatPlural } from "../ui/format.ts";
import { initialContent } from "./notebook-files.ts";
import { prepareUndo } from "./undo-delete.ts";
import type { useWorkspaceEdits } from "./use-workspace-edits.ts";

/** What was done, and how it is taken back. */
interface Done {
  readonly text: string;
  readonly undo: (() => Promise<void>) | null;
}

/** Making, moving, deleting and uploading files of a workspace: each is one change. What cannot be is said before it is sent. */
export function useFileChanges(
  workspace: Workspace,
  files: readonly TreeFile[],
  working: Pick<ReturnType<typeof useWorkspaceEdits>, "edits" | "apply" | "discard">,
) {
  const [done, setDone] = useState<Done | null>(null);
  const [uploading, setUploading] = useState<{ readonly done: number; readonly all: number } | null>(null);
  const inside = (place: string) => files.filter(({ path }) => isWithin(path, place));
  const refuse = (problem: string | null) => {
    if (problem !== null) throw new Error(problem);
  };

  const create = async (path: string) => {
    if (files.some((other) => other.path === path)) throw new Error("There is a file of this name already.");
    refuse(collisionOf(files, [path]));
    await working.apply([{ op: "write", file: { path, content: initialContent(path) } }]);
  };
  /** Moves a file, or a folder with all that is in it. */
  const move = async (from: string, to: string) => {
    if (from === to) return;
    const moved = inside(from);
    if (moved.some(({ path }) => working.edits.has(path))) throw new Error("Save what is written in it first.");
    if (isWithin(to, from)) throw new Error("A folder cannot be moved into itself.");
    const others = files.filter((file) => !moved.includes(file));
    const paths = moved.map(({ path }) => to + path.slice(from.length));
    const taken = paths.find((path) => others.some((other) => other.path === path));
    if (taken !== undefined) throw new Error(`There is a file “${taken}” already.`);
    refuse(collisionOf(others, paths));
    await working.apply([{ op: "move", from, to }]);
  };
  /** Deletes a file, or a folder with all that is in it; it can be taken back while the note is shown. */
  const remove = async (place: string) => {
    const gone = inside(place);
    const bringBack = await prepareUndo(workspace, gone);
    // What is written in together is another one all the time: whoever deletes it means the file. What is written there is kept by itself.
    const onConflict = workspace.kind === "collaborative" ? "mine" : "refuse";
    const { revision } = await working.apply([{ op: "delete", path: place }], undefined, onConflict);
    gone.forEach(({ path }) => working.discard(path));
    const undo =
      bringBack === null
        ? null
        : async () => {
            const changes: TreeChanges = await bringBack();
            if (changes.length > 0) await working.apply(changes, revision);
            setDone(null);
          };
    const what = gone.length === 1 && gone[0]?.path === place ? `“${place}”` : `${formatPlural(gone.length, "file")} of “${place}”`;
    setDone({ text: `${what} deleted.`, undo });
  };
  const upload = async (picked: readonly PickedFile[], folder = ""): Promise<string | null> => {
    const placed = folder === "" ? picked : picked.map((one) => ({ ...one, path: `${folder}/${one.path}` }));
    if (placed.length === 0) return null;
    refuse(uploadProblem(files, placed));
    setUploading({ done: 0, all: placed.length });
    try {
      const uploaded = await uploadFiles(placed, (count) => setUploading({ done: count, all: placed.length }));
      await working.apply(uploaded.map((one) => ({ op: "write" as const, file: { path: one.path, blob: one.sha256 } })));
      const replaced = placed.filter(({ path }) => files.some((file) => file.path === path)).length;
      const over = replaced === 0 ? "" : `, ${formatPlural(replaced, "file")} replaced`;
      setDone({ text: `${formatPlural(uploaded.length, "file")} uploaded${over}.`, undo: null });
      return uploaded[0]?.path ?? null;
    } finally {
      setUploading(null);
    }
  };
  return { create, move, remove, upload, uploading, done, forget: () => setDone(null) };
}
