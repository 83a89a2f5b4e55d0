import { Box } from "@chakra-ui/react";
import { presentableDiff } from "@codemirror/merge";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useEffect, useRef } from "react";
import "./code-editor.css";
import type { AnalysisProblem } from "@syla/sdk";
import { baseExtensions, languageSupport } from "./editor-setup.ts";
import { markProblems } from "./problem-marks.ts";

interface CodeEditorProps {
  readonly value: string;
  readonly language: string;
  readonly onChange: (value: string) => void;
  /** A line to go to; `at` makes the same line a new wish. */
  readonly goTo: { readonly line: number; readonly column?: number; readonly at: number } | null;
  readonly readOnly?: boolean;
  /** Whether it takes the focus when it is there, and when it goes to a line; left out: unless it is for reading, and always. */
  readonly takesFocus?: boolean;
  /** What else the editor shows; exchanged when it is another one. */
  readonly extensions?: Extension;
  /** Is marked at its places; null leaves the marks as they are. */
  readonly problems?: readonly AnalysisProblem[] | null;
}

const nothing: Extension = [];

/** CodeMirror in React: the text flows out on every change, and in only when it came from elsewhere. */
export function CodeEditor({
  value,
  language,
  onChange,
  goTo,
  readOnly = false,
  takesFocus,
  extensions = nothing,
  problems = null,
}: CodeEditorProps) {
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
    if (takesFocus ?? !readOnly) view.focus();
    return () => view.destroy();
    // Made once; what changes later is dispatched below.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  useEffect(() => {
    const view = editor.current;
    const now = view?.state.doc.toString();
    if (view && now !== undefined && now !== value) view.dispatch({ changes: changesTo(now, value) });
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
    if (takesFocus ?? true) view.focus();
    // Whether it takes the focus is no wish of its own.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [goTo]);

  useEffect(() => {
    const view = editor.current;
    if (view && problems !== null) view.dispatch(markProblems(view.state, problems));
  }, [problems]);

  return <Box ref={host} className="code-editor" h="100%" minH="0" overflow="hidden" />;
}

/** What makes a text another one, with the caret and what was scrolled to left where they are. */
function changesTo(before: string, after: string) {
  const found = presentableDiff(before, after, { scanLimit: 1000, timeout: 200 });
  return found.map(({ fromA: from, toA: to, fromB, toB }) => ({ from, to, insert: after.slice(fromB, toB) }));
}
