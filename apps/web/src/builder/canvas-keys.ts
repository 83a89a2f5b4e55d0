import { useReactFlow } from "@xyflow/react";
import { type KeyboardEvent, useRef } from "react";
import { shownBody, useBuilderStore } from "./builder-store.ts";
import { fitting, focusNode, gridSize } from "./sight.ts";
import type { Sizes } from "./edits/move.ts";
import { type Direction, neighbour } from "./neighbours.ts";
import type { Actions } from "./use-actions.ts";
import { isField } from "./use-clipboard.ts";

const arrows: Readonly<Record<string, readonly [Direction, number, number]>> = {
  ArrowLeft: ["left", -1, 0],
  ArrowRight: ["right", 1, 0],
  ArrowUp: ["up", 0, -1],
  ArrowDown: ["down", 0, 1],
};

interface Options {
  readonly actions: Actions;
  readonly sizes: { current: Sizes };
  readonly onFind: () => void;
  readonly onConnect: (id: string) => void;
  readonly onSearch: () => void;
  readonly onMakeModule: () => void;
  /** To the form of the node. */
  readonly onEdit: () => void;
  readonly onRun: (toSelected: boolean) => void;
}

/** What keys do while the canvas has the focus. Escape, then Tab, leaves it. */
export function useCanvasKeys({
  actions,
  sizes,
  onFind,
  onConnect,
  onSearch,
  onMakeModule,
  onEdit,
  onRun,
}: Options): (event: KeyboardEvent) => void {
  const store = useBuilderStore();
  const flow = useReactFlow();
  const isLeaving = useRef(false);
  const goTo = (id: string | undefined) => {
    if (id === undefined) return;
    store.select([id]);
    focusNode(id);
  };
  const keys: Readonly<Record<string, () => void>> = {
    Delete: actions.deleteSelected,
    Backspace: actions.deleteSelected,
    "mod+d": actions.duplicateSelected,
    "mod+a": actions.selectAll,
    "mod+g": actions.groupSelected,
    "mod+shift+g": actions.collapseSelected,
    "mod+shift+e": actions.expandSelected,
    "mod+enter": () => onRun(false),
    "mod+shift+enter": () => onRun(true),
    "mod+f": onSearch,
    m: onMakeModule,
    b: actions.bypassSelected,
    "shift+t": () => void actions.tidy(),
    "shift+!": () => void flow.fitView(fitting),
    "+": () => void flow.zoomIn(),
    "-": () => void flow.zoomOut(),
    o: () => {
      const [id] = store.get().selection.nodes;
      const node = shownBody(store.get()).nodes.find((each) => each.id === id);
      if (node?.body !== undefined) store.enter([...store.get().path, node.id]);
    },
    u: () => {
      const { path } = store.get();
      const last = path.at(-1);
      if (last !== undefined) store.enter(path.slice(0, -1), [last]);
    },
    c: () => {
      const [id] = store.get().selection.nodes;
      if (id !== undefined && !store.get().isReadOnly) onConnect(id);
    },
    Enter: onEdit,
    Escape: () => {
      isLeaving.current = true;
      store.select([]);
    },
  };
  return (event) => {
    if (isField(event.target) || event.defaultPrevented) return;
    if (event.key === "Tab") {
      const leaves = event.shiftKey || isLeaving.current || store.get().isReadOnly;
      isLeaving.current = false;
      if (leaves) return;
      event.preventDefault();
      onFind();
      return;
    }
    if (event.key !== "Escape") isLeaving.current = false;
    const arrow = arrows[event.key];
    if (arrow !== undefined && !event.metaKey && !event.ctrlKey && !event.altKey) {
      event.preventDefault();
      const [direction, x, y] = arrow;
      if (event.shiftKey) return actions.nudge(x * gridSize, y * gridSize);
      const body = shownBody(store.get());
      const from = [...store.get().selection.nodes].at(-1);
      return goTo(from === undefined ? body.nodes[0]?.id : neighbour(body, sizes.current, from, direction));
    }
    const mod = event.metaKey || event.ctrlKey;
    const letter = event.key.length === 1 ? event.key.toLowerCase() : event.key === "Enter" && mod ? "enter" : event.key;
    const action = keys[`${mod ? "mod+" : ""}${event.shiftKey ? "shift+" : ""}${letter}`];
    if (action === undefined || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };
}
