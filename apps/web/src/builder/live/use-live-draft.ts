import { useQueryClient } from "@tanstack/react-query";
import { createContext, useCallback, useContext, useEffect, useState, useSyncExternalStore } from "react";
import { syla } from "../../app/api.ts";
import { assetKey } from "../../catalog/queries.ts";
import { useSaveKey, useUnsavedWarning } from "../../editor/use-saving.ts";
import type { Autosave } from "../use-autosave.ts";
import type { Drag, Drawer, LiveDraft } from "./live-draft.ts";

/** Who gets no connection in this time saves the draft as a whole, as scripts do, ms. */
const longestWaitMs = 5000;

/** The draft as it is drawn with others; null where it is not. */
export const LiveDraftContext = createContext<LiveDraft | null>(null);

export type OpenedDraft = "opening" | "alone" | LiveDraft;

/** Opens a draft to be drawn together, while it is shown. What that takes is loaded then. `attempt`: another number opens it anew. */
export function useOpenLiveDraft(id: string, attempt: number): OpenedDraft {
  const client = useQueryClient();
  const [opened, setOpened] = useState<OpenedDraft>("opening");
  useEffect(() => {
    let draft: LiveDraft | null = null;
    let isOver = false;
    setOpened("opening");
    const open = async () => {
      const [{ LiveDraft: Draft }, document] = await Promise.all([import("./live-draft.ts"), syla.compositions.document(id)]);
      if (isOver) return;
      const made = new Draft(id, document, () => void client.invalidateQueries({ queryKey: assetKey(id) }));
      draft = made;
      let timer = setTimeout(() => giveUp(), longestWaitMs);
      const end = made.subscribe(() => {
        if (!made.state.isLoaded && made.state.refused === null) return;
        end();
        clearTimeout(timer);
        if (!isOver) setOpened(made.state.isLoaded ? made : "alone");
      });
      const giveUp = () => {
        if (isOver) return;
        // It has one, and what is there is on its way.
        if (made.state.isConnected) return void (timer = setTimeout(giveUp, longestWaitMs));
        end();
        made.close();
        draft = null;
        if (!isOver) setOpened("alone");
      };
    };
    open().catch(() => {
      if (!isOver) setOpened("alone");
    });
    return () => {
      isOver = true;
      draft?.close();
    };
  }, [id, attempt, client]);
  return opened;
}

/** What is said of saving a draft that is drawn together: each change is, as soon as it is made. */
export function useLiveSaving(id: string, draft: LiveDraft): Autosave {
  const { isSaved, refused, problem } = useSyncExternalStore(draft.subscribe, draft.snapshot);
  const [revision, setRevision] = useState(0);
  const save = useCallback(async () => {
    await draft.saved();
    // Whoever reads the draft has everything that is drawn brought into it.
    const { revision: kept } = await syla.compositions.graph(id);
    if (draft.state.problem !== null) throw new Error(draft.state.problem);
    setRevision(kept);
    return kept;
  }, [id, draft]);
  useSaveKey(() => void save().catch(() => undefined), refused === null);
  useUnsavedWarning(!isSaved && refused === null);
  const wrong = refused ?? problem;
  return {
    state: wrong === null ? (isSaved ? "saved" : "saving") : "failed",
    error: wrong === null ? null : new Error(wrong),
    conflict: null,
    revision,
    settle: () => {},
    save,
  };
}

const never = () => () => {};
const nobody = { others: [], drags: [] };

/** Who else has the composition open, and where they are. */
export function useDrawers(): readonly Drawer[] {
  const drawers = useContext(LiveDraftContext)?.drawers;
  return useSyncExternalStore(drawers?.subscribe ?? never, drawers?.snapshot ?? (() => nobody)).others;
}

/** What they are moving. */
export function useDrags(): readonly Drag[] {
  const drawers = useContext(LiveDraftContext)?.drawers;
  return useSyncExternalStore(drawers?.subscribe ?? never, () => drawers?.snapshot().drags ?? nobody.drags);
}
