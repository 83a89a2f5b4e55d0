import type { NotebookCell } from "@syla/contracts/notebook";
import { type KeyboardEvent, useRef } from "react";
import type { NotebookState } from "./notebook-edits.ts";
import * as edits from "./notebook-edits.ts";

/** So soon after the first the second key of a pair has to come, milliseconds. */
const pairMs = 800;

interface NotebookKeys {
  readonly read: () => NotebookState;
  readonly change: (edit: (state: NotebookState) => NotebookState) => void;
  readonly edit: () => void;
  readonly run: (then: "stay" | "next" | "insert") => void;
  readonly interrupt: () => void;
  readonly restart: () => void;
  readonly readOnly: boolean;
}

/** The keys of a notebook while nobody writes in a cell: those of Jupyter. */
export function useNotebookKeys({ read, change, edit, run, interrupt, restart, readOnly }: NotebookKeys) {
  const before = useRef({ key: "", at: 0 });
  const copied = useRef<NotebookCell | null>(null);
  const chosen = () => read().notebook.cells.find(({ id }) => id === read().selected) ?? null;
  const plain: Readonly<Record<string, () => void>> = {
    Enter: edit,
    ArrowUp: () => change((state) => edits.moveSelection(state, -1)),
    ArrowDown: () => change((state) => edits.moveSelection(state, 1)),
    k: () => change((state) => edits.moveSelection(state, -1)),
    j: () => change((state) => edits.moveSelection(state, 1)),
    c: () => (copied.current = chosen()),
    ...(readOnly
      ? {}
      : {
          a: () => change((state) => edits.addCell(state, 0)),
          b: () => change((state) => edits.addCell(state, 1)),
          x: () => {
            copied.current = chosen();
            change((state) => edits.deleteCell(state));
          },
          v: () => {
            const cell = copied.current;
            if (cell !== null) change((state) => edits.pasteCell(state, cell));
          },
          m: () => change((state) => edits.setKind(state, "markdown")),
          y: () => change((state) => edits.setKind(state, "code")),
          r: () => change((state) => edits.setKind(state, "raw")),
          z: () => change(edits.undo),
          Z: () => change(edits.redo),
        }),
  };
  const pairs: Readonly<Record<string, () => void>> = {
    i: interrupt,
    "0": restart,
    ...(readOnly ? {} : { d: () => change((state) => edits.deleteCell(state)) }),
  };
  return (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    if (target.closest(".cm-editor, input, select, textarea, [role=menu], [role=toolbar]") !== null) return;
    // A button that has the focus is pressed by Enter.
    if (event.key === "Enter" && target.closest("button, a") !== null && !event.shiftKey) return;
    const work = workOf(event);
    if (work === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    work();
  };

  function workOf(event: KeyboardEvent): (() => void) | undefined {
    const { key } = event;
    const isMod = event.ctrlKey || event.metaKey;
    if (key === "Enter" && (event.shiftKey || isMod || event.altKey))
      return () => run(event.shiftKey ? "next" : event.altKey ? "insert" : "stay");
    if (isMod || event.altKey) return undefined;
    const pair = pairs[key];
    if (pair === undefined) {
      before.current = { key, at: event.timeStamp };
      return plain[key];
    }
    const isSecond = before.current.key === key && event.timeStamp - before.current.at < pairMs;
    before.current = isSecond ? { key: "", at: 0 } : { key, at: event.timeStamp };
    return isSecond ? pair : () => undefined;
  }
}
