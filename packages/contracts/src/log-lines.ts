import { z } from "zod";
import { stripAnsi } from "./ansi.ts";
import { createLevelReader, LogLevel } from "./log-levels.ts";
import type { RunEvent } from "./runs.ts";

/** Which output a line came from; `system` is Syla's own word. */
export const logStreams = ["stdout", "stderr", "system"] as const;
export type LogStream = (typeof logStreams)[number];

/** A line of a run's log. The same log has the same lines with the same numbers wherever it is read: `#L12` is line 12. */
export const LogLine = z
  .object({
    number: z.int().describe("from 1, in the order in which the lines begin"),
    seq: z.int().describe("the event in which it begins"),
    time: z.iso.datetime().describe("when it began"),
    stream: z.enum(logStreams),
    level: LogLevel.nullable().describe("what the line says of itself, or the line that it goes on from"),
    nodeId: z.string().nullable().describe("the node of a composition that has written it"),
    text: z.string().describe("without control sequences"),
  })
  .meta({ id: "LogLine" });
export type LogLine = z.infer<typeof LogLine>;

/** A line longer than this is several: no screen needs more, and nobody has to hold a gigabyte because a program ends no line. */
export const maxLineLength = 8192;

/** A line as it grows. */
export interface GrowingLine {
  readonly number: number;
  readonly seq: number;
  readonly stream: LogStream;
  readonly time: string;
  /** With its control sequences, without its tag. */
  raw: string;
  nodeId: string | null;
}

/** Where a piece of output comes from. */
interface Origin {
  readonly seq: number;
  readonly stream: LogStream;
  readonly time: string;
}

/** Joins what was written into lines. */
export interface LineReader {
  /** Takes the next event of the run. */
  take(event: RunEvent): void;
  append(origin: Origin, text: string): void;
  /** Nothing comes any more: lines that were not ended are as they are. */
  end(): void;
  /** How many lines have begun. */
  count(): number;
  /** The number of the first line that may still grow. */
  firstOpen(): number | null;
}

/**
 * A line that begins with this, an operating system command that terminals ignore, is a node's:
 * `ESC ] 6277 ; node=ID BEL` or, in place of BEL, `ESC \`.
 */
const nodeTag = /^\u001b\]6277;node=([\w.:-]{1,64})(?:\u0007|\u001b\\)/;

/** Makes a reader that calls `begin` for each line that begins, and `ended` when it will not grow any more. */
export function createLineReader<L extends GrowingLine>(begin: (line: GrowingLine) => L, ended: (line: L) => void): LineReader {
  const open: Record<LogStream, L | null> = { stdout: null, stderr: null, system: null };
  let count = 0;
  let attempt = 1;
  let hasWaited = false;

  const lineOf = ({ stream, seq, time }: Origin): L =>
    (open[stream] ??= begin({ number: ++count, seq, stream, time, raw: "", nodeId: null }));
  const endLine = (origin: Origin) => {
    const line = lineOf(origin);
    if (line.raw.endsWith("\r")) line.raw = line.raw.slice(0, -1);
    readTag(line);
    open[origin.stream] = null;
    ended(line);
  };
  const appendPiece = (origin: Origin, piece: string) => {
    for (let from = 0; from < piece.length; from += maxLineLength) {
      const line = lineOf(origin);
      line.raw += piece.slice(from, from + maxLineLength);
      if (line.raw.length <= maxLineLength) continue;
      if (line.raw.includes("\r")) line.raw = keepLastFrame(line.raw);
      else endLine(origin);
    }
  };
  const append = (origin: Origin, text: string) => {
    let from = 0;
    while (from < text.length) {
      const newline = text.indexOf("\n", from);
      const end = newline === -1 ? text.length : newline;
      appendPiece(origin, text.slice(from, end));
      if (newline !== -1) endLine(origin);
      from = end + 1;
    }
  };
  return {
    append,
    take(event) {
      if (event.type === "log") append(event, event.text);
      if (event.type !== "status") return;
      if (event.attempt > attempt) {
        const why = hasWaited ? "somebody has decided, and it goes on" : "the server that ran this was lost";
        append({ ...event, stream: "system" }, `Attempt ${event.attempt}: ${why}.\n`);
      }
      attempt = Math.max(attempt, event.attempt);
      hasWaited = event.status === "waiting";
    },
    end() {
      for (const stream of logStreams) {
        const line = open[stream];
        if (line !== null) endLine(line);
      }
    },
    count: () => count,
    firstOpen: () =>
      logStreams.reduce<number | null>((first, stream) => {
        const line = open[stream];
        return line === null || (first !== null && first < line.number) ? first : line.number;
      }, null),
  };
}

function readTag(line: GrowingLine): void {
  const tag = nodeTag.exec(line.raw);
  if (tag === null) return;
  line.nodeId = tag[1] ?? null;
  line.raw = line.raw.slice(tag[0].length);
}

/** A progress bar that never ends its line would grow without bound; only what it drew last can be seen. */
function keepLastFrame(raw: string): string {
  const last = raw.lastIndexOf("\r");
  const kept = raw.slice(Math.max(0, raw.lastIndexOf("\r", last - 1)));
  return kept.length > maxLineLength ? kept.slice(-maxLineLength) : kept;
}

/** Reads what finished lines are: their text as it is seen, and their level, when somebody asks for it. */
export function createLineFinisher(): (line: GrowingLine) => LogLine {
  const levels = { stdout: createLevelReader(), stderr: createLevelReader(), system: () => () => null };
  return ({ number, seq, time, stream, nodeId, raw }) => {
    const text = stripAnsi(raw);
    const levelOfLine = levels[stream](text);
    return {
      number,
      seq,
      time,
      stream,
      nodeId,
      text,
      get level() {
        return levelOfLine();
      },
    };
  };
}
