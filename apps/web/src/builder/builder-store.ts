import type { FlowBody, FlowGraph } from "@syla/contracts/flow";
import { withOwnIds } from "@syla/flow/shared-graph";
import { createContext, useContext, useSyncExternalStore } from "react";
import { bodyAt, type BodyPath, changeAt } from "./edits/bodies.ts";

const none: ReadonlySet<string> = new Set();
const nowhere: FlowBody = { nodes: [], edges: [] };
/** Steps that can be taken back. A state shares with its neighbours what is the same. */
const mostSteps = 200;

/** What is chosen on the canvas. */
export interface Selection {
  readonly nodes: ReadonlySet<string>;
  readonly edges: ReadonlySet<string>;
}

/** A composition while it is edited. */
export interface BuilderState {
  readonly graph: FlowGraph;
  /** Which graph within is shown. */
  readonly path: BodyPath;
  readonly selection: Selection;
  readonly past: readonly FlowGraph[];
  readonly future: readonly FlowGraph[];
  /** Changes of one field, or of one gesture, are one step; null when the next change begins another. */
  readonly gesture: string | null;
  readonly isReadOnly: boolean;
}

/** A draft that several draw at once: what is taken back is what was done here. */
export interface SharedDraft {
  readonly graph: FlowGraph;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** Told of each graph that others make, and of what is taken back. */
  follow(hear: (graph: FlowGraph) => void): () => void;
  /** Makes what is there what is given. @returns what is there then */
  write(after: FlowGraph): FlowGraph;
  seal(): void;
  undo(): void;
  redo(): void;
}

/** Where a composition is edited: every change of it is one of these. */
export interface BuilderStore {
  get(): BuilderState;
  subscribe(listener: () => void): () => void;
  /** Takes another graph as one step; the same gesture again goes on with it. */
  commit(graph: FlowGraph, gesture?: string): void;
  /** The same with a change of the graph that is shown, and what is chosen then. */
  edit(change: (body: FlowBody) => FlowBody, options?: { readonly gesture?: string; readonly select?: readonly string[] }): void;
  /** The next change is a step of its own. */
  seal(): void;
  undo(): void;
  redo(): void;
  select(nodes: Iterable<string>, edges?: Iterable<string>): void;
  /** Shows another graph within. */
  enter(path: BodyPath, select?: readonly string[]): void;
  setReadOnly(isReadOnly: boolean): void;
}

/** The graph that is shown. */
export function shownBody({ graph, path }: Pick<BuilderState, "graph" | "path">): FlowBody {
  return bodyAt(graph, path) ?? nowhere;
}

/** What makes an id that nobody else makes at the same time. */
function ending(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => (byte % 36).toString(36)).join("");
}

/** The deepest part of a path that is still there. */
function knownPath(graph: FlowGraph, path: BodyPath): BodyPath {
  for (let length = path.length; length > 0; length -= 1) {
    const part = path.slice(0, length);
    if (bodyAt(graph, part) !== undefined) return length === path.length ? path : part;
  }
  return [];
}

export function createBuilderStore(graph: FlowGraph, path: BodyPath = [], isReadOnly = false, shared?: SharedDraft): BuilderStore {
  let state: BuilderState = {
    graph,
    path: knownPath(graph, path),
    selection: { nodes: none, edges: none },
    past: [],
    future: [],
    gesture: null,
    isReadOnly,
  };
  const listeners = new Set<() => void>();
  const set = (change: Partial<BuilderState>) => {
    state = { ...state, ...change };
    for (const listener of listeners) listener();
  };
  /** What is chosen and is still there. */
  const kept = (body: FlowBody, { nodes, edges }: Selection): Selection => {
    const [nodeIds, edgeIds] = [new Set(body.nodes.map(({ id }) => id)), new Set(body.edges.map(({ id }) => id))];
    return { nodes: new Set([...nodes].filter((id) => nodeIds.has(id))), edges: new Set([...edges].filter((id) => edgeIds.has(id))) };
  };
  const show = (next: FlowGraph, change: Partial<BuilderState>, selection = state.selection) => {
    const shown = knownPath(next, change.path ?? state.path);
    set({ ...change, graph: next, path: shown, selection: kept(shownBody({ graph: next, path: shown }), selection) });
  };
  const commit = (next: FlowGraph, gesture: string | undefined, selection?: Selection) => {
    if (state.isReadOnly || next === state.graph) return;
    const goesOn = gesture !== undefined && gesture === state.gesture;
    if (shared !== undefined) {
      if (!goesOn) shared.seal();
      const own = withOwnIds(state.graph, next, ending);
      const chosen = selection ?? state.selection;
      const nodes = new Set([...chosen.nodes].map((id) => own.ids.get(id) ?? id));
      return show(shared.write(own.graph), { ...steps(), gesture: gesture ?? null }, { nodes, edges: chosen.edges });
    }
    const past = goesOn ? state.past : [...state.past.slice(1 - mostSteps), state.graph];
    show(next, { past, future: [], gesture: gesture ?? null }, selection);
  };
  /** Of what is shared, the steps are counted by whoever keeps them. */
  const steps = () => ({ past: shared?.canUndo ? [state.graph] : [], future: shared?.canRedo ? [state.graph] : [] });
  shared?.follow((next) => show(next, steps()));
  return {
    get: () => state,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    commit: (next, gesture) => commit(next, gesture),
    edit: (change, { gesture, select } = {}) =>
      commit(
        changeAt(state.graph, state.path, change),
        gesture,
        select === undefined ? undefined : { nodes: new Set(select), edges: none },
      ),
    seal: () => {
      if (state.gesture !== null) set({ gesture: null });
    },
    undo: () => {
      const before = state.past.at(-1);
      if (before === undefined || state.isReadOnly) return;
      if (shared !== undefined) {
        shared.undo();
        return set({ ...steps(), gesture: null });
      }
      show(before, { past: state.past.slice(0, -1), future: [state.graph, ...state.future], gesture: null });
    },
    redo: () => {
      const [next, ...future] = state.future;
      if (next === undefined || state.isReadOnly) return;
      if (shared !== undefined) {
        shared.redo();
        return set({ ...steps(), gesture: null });
      }
      show(next, { past: [...state.past, state.graph], future, gesture: null });
    },
    select: (nodes, edges = none) => set({ selection: { nodes: new Set(nodes), edges: new Set(edges) } }),
    enter: (to, select = []) => show(state.graph, { path: to, gesture: null }, { nodes: new Set(select), edges: none }),
    setReadOnly: (value) => {
      if (value !== state.isReadOnly) set({ isReadOnly: value });
    },
  };
}

const BuilderContext = createContext<BuilderStore | null>(null);
export const BuilderProvider = BuilderContext.Provider;

/** The composition that this part of the page edits. */
export function useBuilderStore(): BuilderStore {
  const store = useContext(BuilderContext);
  if (store === null) throw new Error("no composition is open here");
  return store;
}

/** Part of its state; drawn again only when that part is another. */
export function useBuilder<Part>(select: (state: BuilderState) => Part): Part {
  const store = useBuilderStore();
  return useSyncExternalStore(store.subscribe, () => select(store.get()));
}
