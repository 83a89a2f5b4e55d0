import { type Extension, Prec } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import * as Y from "yjs";
import type { LiveFile } from "./live-file.ts";
import { nameTags } from "./name-tags.ts";

/** Joins CodeMirror and a live file: its text, the cursors of the others with their names, and an undo that takes back only what was written here. */
export function liveExtensions(file: LiveFile): Extension {
  const { text, awareness } = file;
  const undoManager = new Y.UndoManager(text);
  return [Prec.high(keymap.of([...yUndoManagerKeymap])), yCollab(text, awareness, { undoManager }), nameTags(file), carets];
}

/** The names are at the ends of the lines. */
const carets = EditorView.theme({
  ".cm-ySelectionCaret": {
    display: "inline-block",
    width: "0",
    height: "16px",
    marginTop: "2px",
    borderLeftWidth: "2px",
    borderRight: "none",
    verticalAlign: "top",
    fontSize: "0",
    lineHeight: "0",
  },
  ".cm-ySelectionInfo, .cm-ySelectionCaretDot": { display: "none" },
});
