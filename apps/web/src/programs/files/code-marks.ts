import { type Extension, RangeSet, StateField, type Text } from "@codemirror/state";
import { EditorView, gutter, GutterMarker } from "@codemirror/view";
import type { AnalysisDocument } from "@syla/sdk";

type MarkKind = "slot" | "call" | "warning" | "error" | "secret";

/** Something on a line of a file. */
interface Mark {
  readonly line: number;
  readonly kind: MarkKind;
  readonly text: string;
}

/** Each kind has a shape of its own: colour alone says nothing. */
const signs: Readonly<Record<MarkKind, string>> = { slot: "ƒ", call: "▸", warning: "!", error: "✕", secret: "⚿" };
const worst: readonly MarkKind[] = ["error", "warning", "secret", "slot", "call"];
const color = (name: string) => `var(--chakra-colors-${name})`;

/** The findings of a file as marks at its lines. Lines of notebooks count within cells, so they have none. */
export function marksOf(analysis: AnalysisDocument, path: string): readonly Mark[] {
  const { slots, calls, problems, secrets } = analysis;
  const found: (Mark & { readonly file: string | null })[] = [
    ...slots.map(({ file, line, name, callable, reason }) => ({
      file,
      line,
      kind: "slot" as const,
      text: callable ? `Slot ${name}` : `Slot ${name}, not callable: ${reason ?? ""}`,
    })),
    ...calls.map(({ file, line, kind, name }) => ({ file, line, kind: "call" as const, text: `${kind}: ${name}` })),
    ...problems.map(({ file, line, severity, message }) => ({
      file,
      line: line ?? 1,
      kind: severity === "error" ? ("error" as const) : ("warning" as const),
      text: message,
    })),
    ...secrets.map(({ file, line, reason }) => ({ file, line: line ?? 1, kind: "secret" as const, text: reason })),
  ];
  return path.endsWith(".ipynb") ? [] : found.filter(({ file }) => file === path);
}

class LineMarker extends GutterMarker {
  readonly #marks: readonly Mark[];

  constructor(marks: readonly Mark[]) {
    super();
    this.#marks = marks;
  }

  override toDOM(): Node {
    const [first] = this.#marks.toSorted((a, b) => worst.indexOf(a.kind) - worst.indexOf(b.kind));
    const sign = document.createElement("span");
    sign.className = `code-mark code-mark-${first?.kind ?? "call"}`;
    sign.textContent = signs[first?.kind ?? "call"];
    sign.title = this.#marks.map(({ text }) => text).join("\n");
    return sign;
  }
}

function place(marks: readonly Mark[], doc: Text): RangeSet<GutterMarker> {
  const byLine = Map.groupBy(marks, ({ line }) => Math.min(Math.max(1, line), doc.lines));
  return RangeSet.of(
    [...byLine].map(([line, found]) => new LineMarker(found).range(doc.line(line).from)),
    true,
  );
}

const look = EditorView.baseTheme({
  ".code-mark-gutter": { width: "16px", textAlign: "center", cursor: "default" },
  ".code-mark": { fontWeight: "600", fontSize: "11px" },
  ".code-mark-slot": { color: color("accent-fg") },
  ".code-mark-call": { color: color("fg-muted") },
  ".code-mark-warning, .code-mark-secret": { color: color("fg-warning") },
  ".code-mark-error": { color: color("fg-error") },
});

/** A gutter with the marks, which stay at their lines while one writes. */
export function codeMarks(marks: readonly Mark[]): Extension {
  const field = StateField.define<RangeSet<GutterMarker>>({
    create: (state) => place(marks, state.doc),
    update: (set, change) => (change.docChanged ? set.map(change.changes) : set),
  });
  return [field, gutter({ class: "code-mark-gutter", markers: (view) => view.state.field(field) }), look];
}
