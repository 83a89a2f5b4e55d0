import { Box } from "@chakra-ui/react";
import { unifiedMergeView } from "@codemirror/merge";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { languageOfPath, languageSupport, readingExtensions } from "./editor-setup.ts";
import "./code-editor.css";
import "./merge-view.css";

interface MergeViewProps {
  readonly path: string;
  readonly before: string;
  readonly after: string;
  /** Makes it one that can be changed: each difference can be taken or left, and the text be written. */
  readonly onChange?: (text: string) => void;
}

/** What differs between two texts, line by line, with what is the same folded away. */
export function MergeView({ path, before, after, onChange }: MergeViewProps) {
  const host = useRef<HTMLDivElement>(null);
  const changed = useRef(onChange);
  useEffect(() => {
    changed.current = onChange;
  });
  const isEditable = onChange !== undefined;
  useEffect(() => {
    if (!host.current) return;
    const view = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: after,
        extensions: [
          readingExtensions,
          languageSupport(languageOfPath(path)),
          EditorState.readOnly.of(!isEditable),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": `Differences of ${path}`, tabindex: "0" }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) changed.current?.(update.state.doc.toString());
          }),
          unifiedMergeView({
            original: before,
            mergeControls: isEditable ? makeControl : false,
            collapseUnchanged: { margin: 3, minSize: 6 },
          }),
        ],
      }),
    });
    return () => view.destroy();
    // Made anew for other texts; what is typed in it flows out only.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [path, before, isEditable]);
  return <Box ref={host} className="code-editor merge-view" overflow="auto" maxH="60vh" />;
}

/** Takes one's own side of a difference, or theirs; for the keyboard as well. */
function makeControl(kind: "accept" | "reject", act: (event: MouseEvent) => void): HTMLElement {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = kind === "accept" ? "Mine" : "Theirs";
  button.addEventListener("click", act);
  return button;
}
