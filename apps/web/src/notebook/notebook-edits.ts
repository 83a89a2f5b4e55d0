import { newCell, withKind, type Notebook, type NotebookCell, type NotebookCellKind } from "@syla/contracts/notebook";

/** A notebook while one works on it: which cell is chosen, and what can be taken back. */
export interface NotebookState {
  readonly notebook: Notebook;
  /** The id of the chosen cell; empty when there is none. */
  readonly selected: string;
  /** The cells before each change of which there are or in which order, the newest last. */
  readonly past: readonly (readonly NotebookCell[])[];
  readonly future: readonly (readonly NotebookCell[])[];
}

const mostSteps = 100;

export function startState(notebook: Notebook): NotebookState {
  return { notebook, selected: notebook.cells[0]?.id ?? "", past: [], future: [] };
}

export function indexOf({ notebook, selected }: NotebookState): number {
  return notebook.cells.findIndex(({ id }) => id === selected);
}

/** Chooses the cell so many places further, at most the first or the last. */
export function moveSelection(state: NotebookState, by: number): NotebookState {
  const { cells } = state.notebook;
  const place = Math.min(Math.max(0, indexOf(state) + by), cells.length - 1);
  return { ...state, selected: cells[place]?.id ?? "" };
}

export function select(state: NotebookState, id: string): NotebookState {
  return state.selected === id ? state : { ...state, selected: id };
}

/** Text, outputs and counts are no step: the editor of a cell takes back its own text, and what ran has run. */
export function changeCell(state: NotebookState, id: string, change: (cell: NotebookCell) => NotebookCell): NotebookState {
  const cells = state.notebook.cells.map((cell) => (cell.id === id ? change(cell) : cell));
  return { ...state, notebook: { ...state.notebook, cells } };
}

/** A new cell above (0) or below (1) the chosen one, which is chosen then. */
export function addCell(state: NotebookState, offset: 0 | 1, kind: NotebookCellKind = "code"): NotebookState {
  return insert(state, Math.max(0, indexOf(state) + offset), newCell(state.notebook, kind));
}

/** A copy of a cell below the chosen one. */
export function pasteCell(state: NotebookState, copied: NotebookCell): NotebookState {
  const { id, raw, ...rest } = newCell(state.notebook, copied.kind, copied.source);
  const { outputs, executionCount } = copied;
  return insert(state, indexOf(state) + 1, { ...rest, id, raw, outputs, executionCount });
}

export function deleteCell(state: NotebookState, id: string = state.selected): NotebookState {
  const { cells } = state.notebook;
  const at = cells.findIndex((cell) => cell.id === id);
  if (at < 0) return state;
  const left = cells.filter((cell) => cell.id !== id);
  const kept = left.length === 0 ? [newCell(state.notebook, "code")] : left;
  return step(state, kept, kept[Math.min(at, kept.length - 1)]?.id ?? "");
}

/** Moves the chosen cell one place up (-1) or down (1). */
export function moveCell(state: NotebookState, by: -1 | 1, id: string = state.selected): NotebookState {
  const cells = [...state.notebook.cells];
  const at = cells.findIndex((cell) => cell.id === id);
  const [cell, other] = [cells[at], cells[at + by]];
  if (cell === undefined || other === undefined) return state;
  [cells[at], cells[at + by]] = [other, cell];
  return step(state, cells, id);
}

export function setKind(state: NotebookState, kind: NotebookCellKind, id: string = state.selected): NotebookState {
  const cells = state.notebook.cells.map((cell) => (cell.id === id ? withKind(state.notebook, cell, kind) : cell));
  return step(state, cells, state.selected);
}

/** Without what its cells have printed and shown. */
export function clearOutputs(state: NotebookState): NotebookState {
  const cells = state.notebook.cells.map((cell) => (cell.kind === "code" ? { ...cell, outputs: [], executionCount: null } : cell));
  return { ...state, notebook: { ...state.notebook, cells } };
}

export function undo(state: NotebookState): NotebookState {
  const before = state.past.at(-1);
  if (before === undefined) return state;
  const { cells } = state.notebook;
  return { ...arranged(state, before), past: state.past.slice(0, -1), future: [...state.future, cells] };
}

export function redo(state: NotebookState): NotebookState {
  const next = state.future.at(-1);
  if (next === undefined) return state;
  const { cells } = state.notebook;
  return { ...arranged(state, next), past: [...state.past, cells], future: state.future.slice(0, -1) };
}

function insert(state: NotebookState, at: number, cell: NotebookCell): NotebookState {
  return step(state, state.notebook.cells.toSpliced(at, 0, cell), cell.id);
}

function step(state: NotebookState, cells: readonly NotebookCell[], selected: string): NotebookState {
  const past = [...state.past, state.notebook.cells].slice(-mostSteps);
  return { notebook: { ...state.notebook, cells }, selected, past, future: [] };
}

/** The cells that there were, in their order; those that are still there with what was written in them since. */
function arranged(state: NotebookState, wanted: readonly NotebookCell[]): NotebookState {
  const now = new Map(state.notebook.cells.map((cell) => [cell.id, cell]));
  const cells = wanted.map((cell) => {
    const there = now.get(cell.id);
    return there === undefined || there.kind !== cell.kind ? cell : there;
  });
  const back = cells.find(({ id }) => !now.has(id));
  const isKept = cells.some(({ id }) => id === state.selected);
  return {
    ...state,
    notebook: { ...state.notebook, cells },
    selected: back?.id ?? (isKept ? state.selected : (cells[0]?.id ?? "")),
  };
}
