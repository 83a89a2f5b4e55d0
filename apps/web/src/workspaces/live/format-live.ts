import type { EditorView } from "@codemirror/view";
import { changesTo } from "../../editor/code-editor.tsx";
import { formatText } from "../../editor/format.ts";

const mostTries = 5;

/** Lays out a file that others write in, too, by changes of whoever asks for it: of what it is by then. */
export async function formatLive(editor: EditorView, path: string): Promise<void> {
  for (let left = mostTries; left > 0; left -= 1) {
    const { doc } = editor.state;
    const before = doc.toString();
    const after = await formatText(path, before);
    if (!editor.dom.isConnected || editor.state.readOnly) return;
    if (!editor.state.doc.eq(doc)) continue;
    return editor.dispatch({ changes: changesTo(before, after) });
  }
  throw new Error("Others are writing in this file just now. Try again when they pause.");
}
