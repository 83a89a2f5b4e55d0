import { type KeyboardEvent, useRef } from "react";
import type { TreeRow } from "./tree-rows.ts";

interface TreeKeys {
  readonly rows: readonly TreeRow[];
  readonly focused: TreeRow | undefined;
  readonly closed: ReadonlySet<string>;
  readonly go: (row: TreeRow) => void;
  readonly choose: (row: TreeRow) => void;
  readonly toggle: (path: string, open: boolean) => void;
  readonly onRename: ((row: TreeRow) => void) | undefined;
  readonly onDelete: ((row: TreeRow) => void) | undefined;
}

/** Letters that come so soon after one another are of one word, milliseconds. */
const wordMs = 700;

/** The keys of a tree, as the ARIA authoring practices have them: arrows, Home, End, letters; F2 renames and Delete deletes. */
export function useTreeKeys({ rows, focused, closed, go, choose, toggle, onRename, onDelete }: TreeKeys) {
  const typed = useRef({ text: "", at: 0 });
  const typeAhead = (letter: string) => {
    const now = Date.now();
    const text = now - typed.current.at > wordMs ? letter : typed.current.text + letter;
    typed.current = { text, at: now };
    const from = focused === undefined ? 0 : rows.indexOf(focused) + (text.length === 1 ? 1 : 0);
    const order = [...rows.slice(from), ...rows.slice(0, from)];
    const found = order.find(({ name }) => name.toLowerCase().startsWith(text.toLowerCase()));
    if (found !== undefined) go(found);
  };
  const acts: Readonly<Record<string, (row: TreeRow) => void>> = {
    ArrowDown: (row) => step(row, 1),
    ArrowUp: (row) => step(row, -1),
    Home: () => rows[0] && go(rows[0]),
    End: () => {
      const last = rows.at(-1);
      if (last) go(last);
    },
    ArrowRight: (row) => {
      if (!row.isFolder) return;
      if (closed.has(row.path)) toggle(row.path, true);
      else step(row, 1);
    },
    ArrowLeft: (row) => {
      if (row.isFolder && !closed.has(row.path)) return toggle(row.path, false);
      const parent = rows.findLast(({ isFolder, path }) => isFolder && row.path.startsWith(`${path}/`) && path !== row.path);
      if (parent) go(parent);
    },
    Enter: choose,
    " ": choose,
    F2: (row) => onRename?.(row),
    Delete: (row) => onDelete?.(row),
  };
  const step = (row: TreeRow, by: number) => {
    const next = rows[rows.indexOf(row) + by];
    if (next) go(next);
  };
  return (event: KeyboardEvent<HTMLElement>) => {
    if (event.ctrlKey || event.metaKey || event.altKey || focused === undefined) return;
    const act = acts[event.key];
    if (act !== undefined) act(focused);
    else if (event.key.length === 1) typeAhead(event.key);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
}
