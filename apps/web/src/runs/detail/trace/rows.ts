import type { RunTrace, Span } from "@syla/sdk";

/** A span with its place in the tree. */
export interface SpanRow {
  readonly span: Span;
  readonly level: number;
  readonly hasParts: boolean;
}

/** The spans in the order of the tree, without the parts of what is folded. */
export function rowsOf(spans: readonly Span[], folded: ReadonlySet<string>): readonly SpanRow[] {
  const parts = Map.groupBy(spans, (span) => span.parentId);
  const rows: SpanRow[] = [];
  const add = (parentId: string | null, level: number) => {
    for (const span of (parts.get(parentId) ?? []).toSorted((a, b) => a.startMs - b.startMs)) {
      const hasParts = parts.has(span.id);
      rows.push({ span, level, hasParts });
      if (hasParts && !folded.has(span.id)) add(span.id, level + 1);
    }
  };
  add(null, 1);
  return rows;
}

/** A part of the trace that is shown, milliseconds. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** The whole trace; one that goes on ends now. */
export function wholeRange({ startedAt, durationMs, spans }: RunTrace, now: number): Range {
  const last = Math.max(0, ...spans.map((span) => span.startMs + (span.durationMs ?? 0)));
  const length = durationMs ?? Math.max(0, now - Date.parse(startedAt));
  return { from: 0, to: Math.max(1, length, last) };
}

const shortestMs = 0.1;

/** Closer by `factor` (above 1) or farther, around a moment, within the whole. */
export function zoomed(range: Range, whole: Range, factor: number, center: number): Range {
  const length = Math.min(whole.to - whole.from, Math.max(shortestMs, (range.to - range.from) / factor));
  return within({ from: center - length / 2, to: center + length / 2 }, whole);
}

/** Moved by a share of its length. */
export function moved(range: Range, whole: Range, share: number): Range {
  const by = (range.to - range.from) * share;
  return within({ from: range.from + by, to: range.to + by }, whole);
}

/** One span with some room at both ends. */
export function aroundSpan(span: Span, whole: Range): Range {
  const length = Math.max(shortestMs, span.durationMs ?? whole.to - span.startMs);
  return within({ from: span.startMs - length * 0.05, to: span.startMs + length * 1.05 }, whole);
}

function within({ from, to }: Range, whole: Range): Range {
  const length = Math.min(to - from, whole.to - whole.from);
  const start = Math.min(Math.max(whole.from, from), whole.to - length);
  return { from: start, to: start + length };
}

/** Where a bar lies in the range, in percent; null when it is outside. */
export function barOf({ startMs, durationMs }: Span, range: Range, whole: Range): { readonly left: number; readonly width: number } | null {
  const end = durationMs === null ? whole.to : startMs + durationMs;
  if (end < range.from || startMs > range.to) return null;
  const length = range.to - range.from;
  const left = Math.max(0, (startMs - range.from) / length);
  const right = Math.min(1, (end - range.from) / length);
  return { left: left * 100, width: Math.max(0, right - left) * 100 };
}
