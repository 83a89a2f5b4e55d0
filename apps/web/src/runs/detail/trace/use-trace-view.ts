import type { RunTrace } from "@syla/sdk";
import { type KeyboardEvent, useMemo, useState } from "react";
import { aroundSpan, moved, type Range, rowsOf, type SpanRow, wholeRange, zoomed } from "./rows.ts";

/** What of a trace is shown, and what is chosen in it. */
export interface TraceView {
  readonly rows: readonly SpanRow[];
  readonly whole: Range;
  readonly range: Range;
  readonly isZoomed: boolean;
  readonly folded: ReadonlySet<string>;
  /** The place of the chosen row. */
  readonly chosen: number;
  choose(index: number): void;
  toggle(id: string): void;
  zoom(factor: number): void;
  fit(): void;
  showAll(): void;
  onKeyDown(event: KeyboardEvent): void;
}

export function useTraceView(trace: RunTrace, now: number): TraceView {
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [chosenId, setChosenId] = useState<string | null>(null);
  const [zoomRange, setZoomRange] = useState<Range | null>(null);
  const rows = useMemo(() => rowsOf(trace.spans, folded), [trace.spans, folded]);
  const whole = wholeRange(trace, now);
  const range = zoomRange ?? whole;
  const chosen = Math.max(
    0,
    rows.findIndex(({ span }) => span.id === chosenId),
  );
  const row = rows[chosen];
  const choose = (index: number) => setChosenId(rows[Math.min(Math.max(0, index), rows.length - 1)]?.span.id ?? null);
  const fold = (id: string, isFolded: boolean) =>
    setFolded((before) => new Set(isFolded ? [...before, id] : [...before].filter((other) => other !== id)));
  const zoom = (factor: number) => {
    const middle = row === undefined ? Number.NaN : row.span.startMs + (row.span.durationMs ?? 0) / 2;
    const isShown = middle >= range.from && middle <= range.to;
    const next = zoomed(range, whole, factor, isShown ? middle : (range.from + range.to) / 2);
    setZoomRange(next.to - next.from >= whole.to - whole.from ? null : next);
  };
  const fit = () => (row === undefined ? undefined : setZoomRange(aroundSpan(row.span, whole)));
  const pan = (share: number) => (zoomRange === null ? undefined : setZoomRange(moved(zoomRange, whole, share)));
  const openOrEnter = () => {
    if (row === undefined || !row.hasParts) return;
    if (folded.has(row.span.id)) fold(row.span.id, false);
    else choose(chosen + 1);
  };
  const closeOrLeave = () => {
    if (row === undefined) return;
    if (row.hasParts && !folded.has(row.span.id)) return fold(row.span.id, true);
    choose(rows.findIndex(({ span }) => span.id === row.span.parentId));
  };
  const keys: Readonly<Record<string, () => void>> = {
    ArrowDown: () => choose(chosen + 1),
    ArrowUp: () => choose(chosen - 1),
    Home: () => choose(0),
    End: () => choose(rows.length - 1),
    PageDown: () => choose(chosen + 15),
    PageUp: () => choose(chosen - 15),
    ArrowRight: openOrEnter,
    ArrowLeft: closeOrLeave,
    "shift ArrowRight": () => pan(0.25),
    "shift ArrowLeft": () => pan(-0.25),
    "+": () => zoom(2),
    "=": () => zoom(2),
    "-": () => zoom(0.5),
    "0": () => setZoomRange(null),
    Enter: fit,
  };
  return {
    rows,
    whole,
    range,
    isZoomed: zoomRange !== null,
    folded,
    chosen,
    choose,
    toggle: (id) => fold(id, !folded.has(id)),
    zoom,
    fit,
    showAll: () => setZoomRange(null),
    onKeyDown(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const act = keys[event.shiftKey && event.key.startsWith("Arrow") ? `shift ${event.key}` : event.key];
      if (act === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      act();
    },
  };
}
