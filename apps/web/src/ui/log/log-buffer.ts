import { type AnsiStyle, plainStyle, stripAnsi, styleAfter } from "@syla/contracts/ansi";
import { createLevelReader, type LogLevel } from "@syla/contracts/log-levels";
import { createLineReader, type GrowingLine, type LogStream } from "@syla/contracts/log-lines";
import type { RunEvent } from "@syla/sdk";

/** One line. `raw` still holds its control sequences; `before` is the look it starts with. */
export interface LogLine extends GrowingLine {
  readonly before: AnsiStyle;
  /** Known when the line has ended. */
  level: LogLevel | null;
}

/** A browser can hold no more rows in one scrolled box, and no more lines are of use to whoever reads. */
const mostLines = 500_000;
/** Names to choose from: a program may write as many as lines. */
const mostNodes = 200;

/**
 * The lines of a log as its chunks arrive, outside of React: 100,000 lines must not be copied for each chunk.
 * Readers subscribe and compare `version`; they are told at most once a frame.
 */
export interface LogBuffer {
  readonly lines: readonly LogLine[];
  readonly version: () => number;
  /** The index before which no line will change again. */
  readonly settled: () => number;
  /** How many lines there are of which only the first are held. */
  readonly total: () => number;
  /** The first nodes that have tagged lines, in the order in which they came. */
  readonly nodes: () => ReadonlySet<string>;
  readonly take: (event: RunEvent) => void;
  readonly append: (stream: LogStream, time: string, text: string) => void;
  /** Nothing comes any more. */
  readonly end: () => void;
  readonly clear: () => void;
  readonly subscribe: (listener: () => void) => () => void;
}

/** An empty log. `schedule` says when readers are told; `most` lines are held. */
export function createLogBuffer(schedule: (run: () => void) => void = scheduleFrame, most = mostLines): LogBuffer {
  const lines: LogLine[] = [];
  const nodes = new Set<string>();
  const listeners = new Set<() => void>();
  let reader = createReader(lines, nodes, most);
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
    settled: () => Math.min(lines.length, (reader.firstOpen() ?? lines.length + 1) - 1),
    total: () => reader.count(),
    nodes: () => nodes,
    take(event) {
      reader.take(event);
      changed();
    },
    append(stream, time, text) {
      reader.append({ seq: 0, stream, time }, text);
      changed();
    },
    end() {
      reader.end();
      changed();
    },
    clear() {
      lines.length = 0;
      nodes.clear();
      reader = createReader(lines, nodes, most);
      changed();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function createReader(lines: LogLine[], nodes: Set<string>, most: number) {
  const styles: Record<LogStream, AnsiStyle> = { stdout: plainStyle, stderr: plainStyle, system: plainStyle };
  const levels = { stdout: createLevelReader(), stderr: createLevelReader(), system: () => () => null };
  return createLineReader<LogLine>(
    (begun) => {
      const line: LogLine = { ...begun, before: styles[begun.stream], level: null };
      if (lines.length < most) lines.push(line);
      return line;
    },
    (line) => {
      styles[line.stream] = styleAfter(line.raw, line.before);
      line.level = levels[line.stream](plainText(line))();
      if (line.nodeId !== null && nodes.size < mostNodes) nodes.add(line.nodeId);
    },
  );
}

/** Frames stop in a hidden tab; a timer there keeps the readers from falling behind for ever. */
function scheduleFrame(run: () => void): void {
  if (document.visibilityState === "visible") requestAnimationFrame(run);
  else setTimeout(run, 250);
}

/** What can be searched in a line. */
export function plainText(line: LogLine): string {
  return stripAnsi(line.raw);
}
