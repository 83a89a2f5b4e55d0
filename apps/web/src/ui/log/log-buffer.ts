import { type AnsiStyle, plainStyle, stripAnsi, styleAfter } from "./ansi.ts";

/** Which output a line came from; `system` is Syla's own word. */
export type LogStream = "stdout" | "stderr" | "system";

/** One line. `raw` still holds its control sequences; `before` is the look it starts with. */
export interface LogLine {
  readonly number: number;
  readonly stream: LogStream;
  readonly time: string;
  readonly before: AnsiStyle;
  raw: string;
}

/** A line longer than this is shown in pieces: no screen needs more, and a browser lays out a megabyte in one line very slowly. */
const maxLineLength = 8192;

interface StreamTail {
  line: LogLine | null;
  style: AnsiStyle;
}

/**
 * The lines of a log as its chunks arrive, outside of React: 100,000 lines must not be copied for each chunk.
 * Readers subscribe and compare `version`; they are told at most once a frame.
 */
export interface LogBuffer {
  readonly lines: readonly LogLine[];
  readonly version: () => number;
  /** The index before which no line will change again. */
  readonly settled: () => number;
  readonly append: (stream: LogStream, time: string, text: string) => void;
  readonly clear: () => void;
  readonly subscribe: (listener: () => void) => () => void;
}

/** An empty log. `schedule` says when readers are told. */
export function createLogBuffer(schedule: (run: () => void) => void = scheduleFrame): LogBuffer {
  const lines: LogLine[] = [];
  const tails = newTails();
  const listeners = new Set<() => void>();
  let version = 0;
  let scheduled = false;

  const changed = () => {
    version += 1;
    if (scheduled) return;
    scheduled = true;
    schedule(() => {
      scheduled = false;
      for (const listener of listeners) listener();
    });
  };
  return {
    lines,
    version: () => version,
    settled: () => Object.values(tails).reduce((least, tail) => Math.min(least, tail.line ? tail.line.number - 1 : least), lines.length),
    append(stream, time, text) {
      appendText(lines, tails[stream], stream, time, text);
      changed();
    },
    clear() {
      lines.length = 0;
      Object.assign(tails, newTails());
      changed();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function newTails(): Record<LogStream, StreamTail> {
  const tail = (): StreamTail => ({ line: null, style: plainStyle });
  return { stdout: tail(), stderr: tail(), system: tail() };
}

/** Frames stop in a hidden tab; a timer there keeps the readers from falling behind for ever. */
function scheduleFrame(run: () => void): void {
  if (document.visibilityState === "visible") requestAnimationFrame(run);
  else setTimeout(run, 250);
}

function appendText(lines: LogLine[], tail: StreamTail, stream: LogStream, time: string, text: string): void {
  let from = 0;
  while (from < text.length) {
    const newline = text.indexOf("\n", from);
    const end = newline === -1 ? text.length : newline;
    appendPiece(lines, tail, stream, time, text.slice(from, end));
    if (newline !== -1) endLine(lines, tail, stream, time);
    from = end + 1;
  }
}

function openLine(lines: LogLine[], tail: StreamTail, stream: LogStream, time: string): LogLine {
  if (tail.line) return tail.line;
  const line: LogLine = { number: lines.length + 1, stream, time, before: tail.style, raw: "" };
  lines.push(line);
  tail.line = line;
  return line;
}

function appendPiece(lines: LogLine[], tail: StreamTail, stream: LogStream, time: string, piece: string): void {
  for (let from = 0; from < piece.length; from += maxLineLength) {
    const line = openLine(lines, tail, stream, time);
    line.raw += piece.slice(from, from + maxLineLength);
    if (line.raw.length <= maxLineLength) continue;
    if (line.raw.includes("\r")) line.raw = keepLastFrame(line.raw);
    else endLine(lines, tail, stream, time);
  }
}

function endLine(lines: LogLine[], tail: StreamTail, stream: LogStream, time: string): void {
  const line = openLine(lines, tail, stream, time);
  if (line.raw.endsWith("\r")) line.raw = line.raw.slice(0, -1);
  tail.style = styleAfter(line.raw, line.before);
  tail.line = null;
}

/** A progress bar that never ends its line would grow without bound; only what it drew last can be seen. */
function keepLastFrame(raw: string): string {
  const last = raw.lastIndexOf("\r");
  const kept = raw.slice(Math.max(0, raw.lastIndexOf("\r", last - 1)));
  return kept.length > maxLineLength ? kept.slice(-maxLineLength) : kept;
}

/** What can be searched in a line. */
export function plainText(line: LogLine): string {
  return stripAnsi(line.raw);
}
