import type { NodeState } from "@syla/contracts/node-runs";
import { createContext, useContext, useSyncExternalStore } from "react";

/** What is shown on a node besides itself. */
export interface Mark {
  readonly severity: "error" | "warning" | null;
  readonly state: NodeState | null;
  /** What its state says in a few characters: a time, or how many turns. */
  readonly note: string;
  /** What it took of models in a few characters, and in words. */
  readonly use: string;
  readonly useTip: string;
  /** It has changed since the run that is shown. */
  readonly isStale: boolean;
  readonly isPinned: boolean;
  /** Its lines are looked at in the code. */
  readonly isLit: boolean;
}

export const noMark: Mark = { severity: null, state: null, note: "", use: "", useTip: "", isStale: false, isPinned: false, isLit: false };

/** The marks of the nodes that are shown, by their ids. Only nodes whose mark is another one are drawn again. */
export interface Marks {
  get(id: string): Mark;
  subscribe(listener: () => void): () => void;
  set(marks: ReadonlyMap<string, Mark>): void;
}

function isSame(one: Mark, other: Mark): boolean {
  return (Object.keys(noMark) as (keyof Mark)[]).every((key) => one[key] === other[key]);
}

export function createMarks(): Marks {
  let current = new Map<string, Mark>();
  const listeners = new Set<() => void>();
  return {
    get: (id) => current.get(id) ?? noMark,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    set: (marks) => {
      const before = current;
      current = new Map([...marks].map(([id, mark]) => [id, isSame(mark, before.get(id) ?? noMark) ? (before.get(id) ?? noMark) : mark]));
      for (const listener of listeners) listener();
    },
  };
}

const MarksContext = createContext<Marks>(createMarks());
export const MarksProvider = MarksContext.Provider;

export function useMark(id: string): Mark {
  const marks = useContext(MarksContext);
  return useSyncExternalStore(marks.subscribe, () => marks.get(id));
}
