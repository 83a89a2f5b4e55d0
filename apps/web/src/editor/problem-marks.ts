import { type Diagnostic, setDiagnostics } from "@codemirror/lint";
import type { EditorState, Text, TransactionSpec } from "@codemirror/state";
import type { AnalysisProblem } from "@syla/sdk";

/** Marks problems of a text at their places; they stay there while one writes. */
export function markProblems(state: EditorState, problems: readonly AnalysisProblem[]): TransactionSpec {
  return setDiagnostics(
    state,
    problems.map((problem) => toDiagnostic(state, problem)),
  );
}

function toDiagnostic(state: EditorState, { severity, code, message, line, column }: AnalysisProblem): Diagnostic {
  const { from, to, text } = lineAt(state.doc, line ?? 1);
  // Columns count characters, the editor counts units of UTF-16.
  const before = Array.from(text)
    .slice(0, Math.max(0, (column ?? 1) - 1))
    .join("");
  const at = Math.min(from + before.length, to);
  const word = state.wordAt(at);
  const [begin, end] = word !== null && word.to > at ? [word.from, word.to] : [at, Math.min(at + 1, to)];
  return { from: begin, to: end, severity, source: code, message };
}

function lineAt(doc: Text, line: number) {
  return doc.line(Math.min(Math.max(1, line), doc.lines));
}
