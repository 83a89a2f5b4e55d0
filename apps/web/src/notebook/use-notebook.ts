import { type Notebook, type NotebookCell, parseNotebook, writeNotebook } from "@syla/contracts/notebook";
import { useCallback, useEffect, useRef, useState } from "react";
import { changeCell, type NotebookState, startState } from "./notebook-edits.ts";

/** While a cell prints, the text of the file is made anew so often, milliseconds. */
const settledMs = 300;
/** What others wrote takes the place of what is here after so long, milliseconds. */
const adoptMs = 400;
/** Texts that were handed out and may still come back. */
const mostOwn = 4;

/**
 * A notebook while one works on it. `text`: what the file is, edited or not. `onText` is told what it becomes, at once where somebody wrote, and
 * after a moment while a cell prints.
 */
export function useNotebook(text: string, onText: ((text: string) => void) | null) {
  const [state, setState] = useState<NotebookState>(() => startState(parseNotebook(text)));
  const current = useRef(state);
  const own = useRef<readonly string[]>([text]);
  const timer = useRef<number | undefined>(undefined);
  const tell = useRef(onText);
  useEffect(() => {
    tell.current = onText;
  });

  const emit = useCallback(() => {
    clearTimeout(timer.current);
    timer.current = undefined;
    if (tell.current === null) return;
    const written = writeNotebook(current.current.notebook);
    if (written === own.current.at(-1)) return;
    own.current = [...own.current, written].slice(-mostOwn);
    tell.current(written);
  }, []);
  const change = useCallback(
    (edit: (state: NotebookState) => NotebookState, isLater = false) => {
      const before = current.current;
      current.current = edit(before);
      setState(current.current);
      if (current.current.notebook === before.notebook) return;
      if (isLater) timer.current ??= window.setTimeout(emit, settledMs);
      else emit();
    },
    [emit],
  );
  useEffect(() => () => (timer.current === undefined ? undefined : emit()), [emit]);

  // What somebody else wrote, or a draft that was taken up or dropped, takes the place of what is here; outputs that nobody saves stay.
  useEffect(() => {
    if (own.current.includes(text)) return;
    // For a moment after a save the text is the one before it: what was saved is not read yet.
    const adopt = () => {
      own.current = [text];
      current.current = startState(adopted(parseOr(text, current.current.notebook), current.current.notebook));
      setState(current.current);
    };
    const waiting = window.setTimeout(adopt, adoptMs);
    return () => clearTimeout(waiting);
  }, [text]);

  const cellOf = useCallback((id: string) => current.current.notebook.cells.find((cell) => cell.id === id), []);
  const setOutputs = useCallback(
    (id: string, outputs: NotebookCell["outputs"], count: number | null, isLast: boolean) =>
      change((now) => changeCell(now, id, (cell) => ({ ...cell, outputs, executionCount: count })), !isLast),
    [change],
  );
  const read = useCallback(() => current.current, []);
  return { state, read, change, cellOf, setOutputs };
}

function parseOr(text: string, otherwise: Notebook): Notebook {
  try {
    return parseNotebook(text);
  } catch {
    return otherwise;
  }
}

/** Cells of files without ids keep those that they had here, as far as they are the same. */
function adopted(found: Notebook, before: Notebook): Notebook {
  const cells = found.cells.map((cell, index) => {
    const there = before.cells[index];
    return typeof cell.raw["id"] === "string" || there === undefined || there.source !== cell.source ? cell : { ...cell, id: there.id };
  });
  return { ...found, cells };
}
