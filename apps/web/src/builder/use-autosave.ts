import type { CompositionGraph } from "@syla/contracts/compositions";
import type { FlowGraph } from "@syla/contracts/flow";
import { SylaError } from "@syla/sdk";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { syla } from "../app/api.ts";
import { assetKey } from "../catalog/queries.ts";
import { useSaveKey, useUnsavedWarning } from "../editor/use-saving.ts";
import { useBuilder, useBuilderStore } from "./builder-store.ts";
import { mergeGraphs } from "./edits/merge.ts";
import { graphKey } from "./queries.ts";

/** Nothing is sent while somebody types or draws on. */
const settledMs = 800;
/** When the server cannot be reached it is tried again. */
const retryMs = 5000;

/** A draft that somebody else has changed meanwhile. */
export interface GraphConflict {
  readonly base: FlowGraph;
  readonly theirs: CompositionGraph;
}

export type SaveState = "saved" | "unsaved" | "saving" | "failed";

/** What becomes of a conflict: one's own graph, theirs, or both in one. */
export type Settlement = "mine" | "theirs" | "both";

export interface Autosave {
  readonly state: SaveState;
  readonly error: unknown;
  readonly conflict: GraphConflict | null;
  /** The revision that is kept. */
  readonly revision: number;
  readonly settle: (how: Settlement) => void;
  /** Saves now, and answers the revision that is there then; null when somebody has to be asked first. */
  readonly save: () => Promise<number | null>;
}

/** Keeps the draft on the server: a moment after each change, one request at a time, never over what somebody else has saved. */
export function useAutosave(id: string, loaded: CompositionGraph): Autosave {
  const store = useBuilderStore();
  const graph = useBuilder((state) => state.graph);
  const isReadOnly = useBuilder((state) => state.isReadOnly);
  const client = useQueryClient();
  const [kept, setKept] = useState({ graph: loaded.graph, revision: loaded.revision });
  const saved = useRef(kept); // the same, for what goes on between two renderings
  const running = useRef<Promise<number | null> | null>(null);
  const [state, setState] = useState<SaveState>("saved");
  const [error, setError] = useState<unknown>(null);
  const [conflict, setConflict] = useState<GraphConflict | null>(null);
  const isBlocked = useRef(false);

  const keep = (value: typeof kept) => {
    saved.current = value;
    setKept(value);
  };
  const take = (answer: CompositionGraph, sent: FlowGraph) => {
    keep({ graph: sent, revision: answer.revision });
    client.setQueryData(graphKey(id, undefined), { ...answer, graph: sent });
    void client.invalidateQueries({ queryKey: assetKey(id) });
  };
  const send = async (): Promise<number | null> => {
    while (store.get().graph !== saved.current.graph) {
      if (isBlocked.current) return null;
      const sent = store.get().graph;
      setState("saving");
      try {
        take(await syla.compositions.put(id, sent, saved.current.revision), sent);
        setError(null);
      } catch (reason) {
        if (!(reason instanceof SylaError) || reason.code !== "revision_conflict") throw reason;
        const theirs = await syla.compositions.graph(id);
        isBlocked.current = true;
        setConflict({ base: saved.current.graph, theirs });
        setState("unsaved");
        return null;
      }
    }
    setState("saved");
    return saved.current.revision;
  };
  const save = (): Promise<number | null> => {
    running.current ??= send()
      .catch((reason: unknown) => {
        setState("failed");
        setError(reason);
        throw reason;
      })
      .finally(() => {
        running.current = null;
      });
    return running.current;
  };
  const latest = useRef(save);
  useEffect(() => {
    latest.current = save;
  });
  const isChanged = graph !== kept.graph;
  useEffect(() => {
    if (isReadOnly || !isChanged || conflict !== null) return;
    setState((before) => (before === "failed" ? before : "unsaved"));
    const timer = setTimeout(() => void latest.current().catch(() => undefined), settledMs);
    return () => clearTimeout(timer);
  }, [graph, isReadOnly, isChanged, conflict]);
  useEffect(() => {
    if (state !== "failed") return;
    const timer = setInterval(() => void latest.current().catch(() => undefined), retryMs);
    return () => clearInterval(timer);
  }, [state]);
  useSaveKey(() => void save().catch(() => undefined), !isReadOnly);
  useUnsavedWarning(state !== "saved");

  const settle = (how: Settlement) => {
    if (conflict === null) return;
    const { base, theirs } = conflict;
    keep({ graph: theirs.graph, revision: theirs.revision });
    isBlocked.current = false;
    setConflict(null);
    const mine = store.get().graph;
    if (how !== "mine") store.commit(how === "theirs" ? theirs.graph : mergeGraphs(base, mine, theirs.graph).graph);
    void latest.current().catch(() => undefined);
  };
  return { state, error, conflict, revision: kept.revision, settle, save };
}
