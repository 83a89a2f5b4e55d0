import { Box } from "@chakra-ui/react";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useEffect, useRef } from "react";
import "./code-editor.css";
import { baseExtensions, languageSupport } from "./editor-setup.ts";

interface CodeEditorProps {
  readonly value: string;
  readonly language: string;
  readonly onChange: (value: string) => void;
  /** A line to go to; `at` makes the same line a new wish. */
  readonly goTo: { readonly line: number; readonly column?: number; readonly at: number } | null;
  readonly readOnly?: boolean;
  /** What else the editor shows; exchanged when it is another one. */
  readonly extensions?: Extension;
}

const nothing: Extension = [];

/** CodeMirror in React: the text flows out on every change, and in only when it came from elsewhere. */
export function CodeEditor({ value, language, onChange, goTo, readOnly = false, extensions = nothing }: CodeEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorView | null>(null);
  const languageSlot = useRef(new Compartment());
  const extensionSlot = useRef(new Compartment());
  const changed = useRef(onChange);
  useEffect(() => {
    changed.current = onChange;
  });

  useEffect(() => {
    if (!host.current) return;
    const all = [
      baseExtensions((text) => changed.current(text)),
      languageSlot.current.of(languageSupport(language)),
      EditorState.readOnly.of(readOnly),
      extensionSlot.current.of(extensions),
    ];
    const view = new EditorView({ parent: host.current, state: EditorState.create({ doc: value, extensions: all }) });
    editor.current = view;
    if (!readOnly) view.focus();
    return () => view.destroy();
    // Made once; what changes later is dispatched below.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  useEffect(() => {
    const view = editor.current;
    if (view && view.state.doc.toString() !== value) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value } });
  }, [value]);

  useEffect(() => {
    editor.current?.dispatch({ effects: languageSlot.current.reconfigure(languageSupport(language)) });
  }, [language]);

  useEffect(() => {
    editor.current?.dispatch({ effects: extensionSlot.current.reconfigure(extensions) });
  }, [extensions]);

  useEffect(() => {
    const view = editor.current;
    if (!view || !goTo) return;
    const { from, to } = view.state.doc.line(Math.min(Math.max(1, goTo.line), view.state.doc.lines));
    const place = Math.min(to, from + Math.max(0, (goTo.column ?? 1) - 1));
    view.dispatch({ selection: { anchor: place }, effects: EditorView.scrollIntoView(place, { y: "center" }) });
    view.focus();
  }, [goTo]);

  return <Box ref={host} className="code-editor" h="100%" minH="0" overflow="hidden" />;
}
