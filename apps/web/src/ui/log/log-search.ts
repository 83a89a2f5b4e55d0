import { isWanted, type LogFilter as LineFilter, type Matcher, type Span } from "@syla/contracts/log-search";
import type { LogBuffer, LogLine } from "./log-buffer.ts";
import { plainText } from "./log-buffer.ts";

/** What a log is narrowed to, and what is looked for in it. */
export interface LogFilter extends LineFilter {
  readonly query: string;
  /** The query is a regular expression. */
  readonly regex: boolean;
  readonly matchCase: boolean;
}

/** Every line, and nothing looked for. */
export const noFilter: LogFilter = { stream: "all", query: "", regex: false, matchCase: false };

/** Whether only some lines are shown. */
export function isNarrowed({ stream, level, node }: LineFilter): boolean {
  return stream !== "all" || level !== undefined || node !== undefined;
}

/** The rows to show (line indexes; null for every line) and which of the rows hold a match. */
export interface LogView {
  readonly rows: readonly number[] | null;
  readonly matches: readonly number[];
  /** Every line was looked at; if not, the next call goes on. */
  readonly complete: boolean;
}

const everyLine: LogView = { rows: null, matches: [], complete: true };

/** After so long the page is drawn again, and somebody may type: a pattern takes seconds for all lines. */
const sliceMs = 12;
/** To look at the clock takes time, too. */
const linesAtOnce = 100;

/**
 * Filters and searches as the log grows: each call looks only at the lines that came since the last one, and once more at those
 * that may have grown, for as long as a slice takes.
 */
export function createLogSearch(buffer: LogBuffer, filter: LineFilter, matcher: Matcher | null): () => LogView {
  const rows: number[] | null = isNarrowed(filter) ? [] : null;
  if (rows === null && matcher === null) return () => everyLine;
  const matches: number[] = [];
  let seen = 0;
  const look = (line: LogLine, index: number) => {
    if (rows && !isWanted(line, filter)) return;
    const row = rows ? rows.push(index) - 1 : index;
    if (matcher !== null && matcher(plainText(line)).length > 0) matches.push(row);
  };
  return () => {
    const count = buffer.lines.length;
    const until = performance.now() + sliceMs;
    let next = Math.min(seen, count);
    dropFrom(rows, matches, next);
    do {
      for (const stop = Math.min(next + linesAtOnce, count); next < stop; next += 1) look(buffer.lines[next] as LogLine, next);
    } while (next < count && performance.now() < until);
    seen = Math.min(next, buffer.settled());
    return { rows: rows ? [...rows] : null, matches: [...matches], complete: next === count };
  };
}

function dropFrom(rows: number[] | null, matches: number[], from: number): void {
  if (rows) while (rows.length > 0 && (rows.at(-1) as number) >= from) rows.pop();
  const firstRow = rows ? rows.length : from;
  while (matches.length > 0 && (matches.at(-1) as number) >= firstRow) matches.pop();
}

/** A piece of text: whether it is part of a match. */
export interface MarkedText {
  readonly text: string;
  readonly marked: boolean;
}

/** Cuts a piece that stands at `offset` of its line where the line's matches begin and end. */
export function markPiece(piece: string, offset: number, matches: readonly Span[]): readonly MarkedText[] {
  const pieces: MarkedText[] = [];
  let from = 0;
  for (const [begin, end] of matches) {
    const start = Math.max(from, begin - offset);
    const stop = Math.min(piece.length, end - offset);
    if (start >= stop) continue;
    if (start > from) pieces.push({ text: piece.slice(from, start), marked: false });
    pieces.push({ text: piece.slice(start, stop), marked: true });
    from = stop;
  }
  if (from < piece.length) pieces.push({ text: piece.slice(from), marked: false });
  return pieces;
}

/** Whether an ascending list holds a number. */
export function includesSorted(sorted: readonly number[], wanted: number): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === wanted;
}
