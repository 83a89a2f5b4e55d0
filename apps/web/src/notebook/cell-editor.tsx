import { Box } from "@chakra-ui/react";
import { completionStatus } from "@codemirror/autocomplete";
import { EditorState, type Extension, Prec } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { useEffect, useRef } from "react";
import "../editor/code-editor.css";
import { baseExtensions, languageSupport } from "../editor/editor-setup.ts";

/** What the keys of a cell's editor do besides writing. */
export interface CellKeys {
  readonly run: (then: "stay" | "next" | "insert") => void;
  /** Back to the commands. */
  readonly leave: () => void;
  /** Beyond the first or the last line. */
  readonly beyond: (by: -1 | 1) => void;
}

interface CellEditorProps {
  readonly label: string;
  readonly value: string;
  /** As the editor names it. */
  readonly language: string;
  readonly readOnly: boolean;
  readonly isFocused: boolean;
  readonly keys: CellKeys;
  readonly onChange: (value: string) => void;
  readonly onFocus: () => void;
}

const look = EditorView.theme({
  "&.cm-editor": { height: "auto", backgroundColor: "transparent" },
  ".cm-content": { padding: "6px 0" },
  ".cm-line": { padding: "0 10px" },
  ".cm-activeLine": { backgroundColor: "transparent" },
});

/** The text of a cell: as high as it is long. */
export function CellEditor({ label, value, language, readOnly, isFocused, keys, onChange, onFocus }: CellEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorView | null>(null);
  const latest = useRef({ keys, onChange, onFocus });
  useEffect(() => {
    latest.current = { keys, onChange, onFocus };
  });

  useEffect(() => {
    if (!host.current) return;
    const extensions: Extension = [
      Prec.highest([
        keysOf(() => latest.current.keys),
        look,
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": label }),
        EditorView.domEventHandlers({ focus: () => latest.current.onFocus() }),
      ]),
      baseExtensions((text) => latest.current.onChange(text), false),
      languageSupport(language),
      EditorState.readOnly.of(readOnly),
    ];
    const view = new EditorView({ parent: host.current, state: EditorState.create({ doc: value, extensions }) });
    editor.current = view;
    return () => {
      editor.current = null;
      view.destroy();
    };
    // Made once for each language; text that comes from elsewhere is dispatched below.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [language, readOnly]);

  useEffect(() => {
    const view = editor.current;
    if (view && view.state.doc.toString() !== value) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value } });
  }, [value]);

  useEffect(() => {
    if (isFocused && editor.current?.hasFocus === false) editor.current.focus();
  }, [isFocused]);

  return <Box ref={host} className="code-editor" minW="0" overflow="hidden" />;
}

function keysOf(keys: () => CellKeys): Extension {
  const run = (then: Parameters<CellKeys["run"]>[0]) => () => {
    keys().run(then);
    return true;
  };
  const beyond = (by: -1 | 1) => (view: EditorView) => {
    const { main } = view.state.selection;
    if (completionStatus(view.state) === "active" || !main.empty) return false;
    const line = view.state.doc.lineAt(main.head).number;
    if (line !== (by < 0 ? 1 : view.state.doc.lines)) return false;
    keys().beyond(by);
    return true;
  };
  return keymap.of([
    { key: "Shift-Enter", run: run("next") },
    { key: "Mod-Enter", run: run("stay") },
    { key: "Alt-Enter", run: run("insert") },
    { key: "ArrowUp", run: beyond(-1) },
    { key: "ArrowDown", run: beyond(1) },
    {
      key: "Escape",
      run: (view) => {
        if (completionStatus(view.state) === "active") return false;
        keys().leave();
        return true;
      },
    },
  ]);
}
