import { type Extension, Prec } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import * as Y from "yjs";
import type { LiveFile } from "./live-file.ts";

/** Joins CodeMirror and a live file: its text, the cursors of the others with their names, and an undo that takes back only what was written here. */
export function liveExtensions({ text, awareness }: LiveFile): Extension {
  return [Prec.high(keymap.of([...yUndoManagerKeymap])), yCollab(text, awareness, { undoManager: new Y.UndoManager(text) }), names];
}

const names = EditorView.theme({
  ".cm-ySelectionCaret": { borderLeftWidth: "2px", borderRight: "none", marginLeft: "-1px", marginRight: "-1px" },
  ".cm-ySelectionInfo": {
    opacity: 1,
    top: "-15px",
    padding: "0 4px",
    borderRadius: "3px 3px 3px 0",
    font: "500 11px/15px var(--chakra-fonts-body)",
    color: "white",
    pointerEvents: "none",
  },
  // Above the first line there is no room.
  ".cm-line:first-of-type .cm-ySelectionInfo": { top: "20px", borderRadius: "0 3px 3px 3px" },
  ".cm-ySelectionCaretDot": { display: "none" },
});
