import type { NodeState } from "@syla/contracts/node-runs";
import { createContext, useCallback, useContext, useSyncExternalStore } from "react";

/** What is shown on a node besides itself. */
export interface Mark {
  readonly severity: "error" | "warning" | null;
  readonly state: NodeState | null;
  /** What its state says in a few characters: a time, or how many turns. */
  readonly note: string;
  /** The module that it is has a newer version. */
  readonly hasUpdate: boolean;
  /** What it took of models in a few characters, and in words. */
  readonly use: string;
  readonly useTip: string;
  /** It has changed since the run that is shown. */
  readonly isStale: boolean;
  readonly isPinned: boolean;
  /** Its lines are looked at in the code. */
  readonly isLit: boolean;
}

export const noMark: Mark = {
  severity: null,
  state: null,
  note: "",
  hasUpdate: false,
  use: "",
  useTip: "",
  isStale: false,
  isPinned: false,
  isLit: false,
};

/** The marks of the nodes that are shown, by their ids. Only nodes whose mark is another one are told, and drawn again. */
export interface Marks {
  get(id: string): Mark;
  subscribe(id: string, listener: () => void): () => void;
  set(marks: ReadonlyMap<string, Mark>): void;
}

function isSame(one: Mark, other: Mark): boolean {
  return (Object.keys(noMark) as (keyof Mark)[]).every((key) => one[key] === other[key]);
}

export function createMarks(): Marks {
  let current: ReadonlyMap<string, Mark> = new Map();
  const listeners = new Map<string, Set<() => void>>();
  const get = (id: string) => current.get(id) ?? noMark;
  return {
    get,
    subscribe: (id, listener) => {
      const own = listeners.get(id) ?? new Set();
      listeners.set(id, own.add(listener));
      return () => {
        own.delete(listener);
        if (own.size === 0 && listeners.get(id) === own) listeners.delete(id);
      };
    },
    set: (marks) => {
      const before = current;
      const kept = (id: string, mark: Mark) => (isSame(mark, before.get(id) ?? noMark) ? (before.get(id) ?? noMark) : mark);
      current = new Map([...marks].map(([id, mark]) => [id, kept(id, mark)]));
      for (const [id, own] of listeners) if (get(id) !== (before.get(id) ?? noMark)) for (const listener of own) listener();
    },
  };
}

const MarksContext = createContext<Marks>(createMarks());
export const MarksProvider = MarksContext.Provider;

export function useMark(id: string): Mark {
  const marks = useContext(MarksContext);
  const subscribe = useCallback((listener: () => void) => marks.subscribe(id, listener), [marks, id]);
  return useSyncExternalStore(subscribe, () => marks.get(id));
}
