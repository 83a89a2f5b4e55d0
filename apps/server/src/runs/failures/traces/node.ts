import type { RunFrame } from "@syla/contracts/runs";
import { frameOf, type Trace } from "../trace.ts";

const header = /^(?:file:\/\/)?(\/[^:]{1,500}|node:[\w/]{1,200}):(\d{1,9})$/;
const caret = /^ *\^+ *$/;
const frame = /^ {4,}at (?:(?:async )?([^(]{1,200}) \()?(?:async )?([^()\s]{1,500}):(\d{1,9}):(\d{1,9})\)?$/;
const anyFrame = /^ {4,}at /;
const errorLine = /^(?:\[?(?:error: )?(?:Uncaught )?(?:\(in promise\) )?)?([A-Za-z_$][\w$.]{0,100})(?: \[(\w{1,100})\])?(?:: (.*))?$/;
const compilerLine = /^(.{1,300}?)(?:\((\d{1,9}),(\d{1,9})\)|:(\d{1,9}):(\d{1,9}) -) ?:? ?error (TS\d{1,6}): (.*)$/;
const cause = /^ +\[(?:cause|errors)\]: (.*)$/;
const part = /^ {4,}((?:[A-Z]\w{0,60})?(?:Error|Exception)(?: \[\w{1,60}\])?: .*)$/;
/** What throws a SyntaxError of the text that it is given. */
const parsers = /^ {4,}at (?:JSON\.parse|new RegExp|RegExp|new Function|Function|BigInt|\w* ?parseJSON) /;
const rejection =
  /^\[?(?:UnhandledPromiseRejection|Error \[ERR_UNHANDLED_REJECTION\])[^:]*: .*rejected with the reason (.*?)\.?\]?(?: \{)?$/;
const mostTraceLines = 200;

/** What Node.js prints of an uncaught error, with or without the line and its caret; and what the TypeScript compiler prints. */
export function readNodeTrace(lines: readonly string[]): Trace | null {
  const start = lines.findLastIndex((line, index) => header.test(line) && caretAfter(lines, index) !== -1);
  if (start !== -1) return readShown(lines, start);
  return readCompiler(lines) ?? readBare(lines);
}

function caretAfter(lines: readonly string[], start: number): number {
  for (let index = start + 1; index < Math.min(lines.length, start + 12); index += 1) if (caret.test(lines[index] ?? "")) return index;
  return -1;
}

/** The error with its line and a caret. */
function readShown(lines: readonly string[], start: number): Trace {
  const [, path = "", line = "0"] = header.exec(lines[start] ?? "") ?? [];
  const marked = caretAfter(lines, start);
  const shown = frameOf(path, line, (lines[marked] ?? "").indexOf("^") + 1);
  let index = marked + 1;
  while (index < lines.length && lines[index] === "") index += 1;
  return toTrace(lines, index, shown.own ? shown : null);
}

/** The error alone: its last line before the frames that looks like one. */
function readBare(lines: readonly string[]): Trace | null {
  const firstFrame = lines.findLastIndex((line, index) => anyFrame.test(line) && !anyFrame.test(lines[index - 1] ?? ""));
  if (firstFrame === -1) return null;
  for (let index = firstFrame - 1; index >= Math.max(0, firstFrame - 20); index -= 1) {
    const [, kind] = errorLine.exec(lines[index] ?? "") ?? [];
    if (kind !== undefined && /(?:Error|Exception)$/.test(kind)) return toTrace(lines, index, null);
  }
  return null;
}

function toTrace(lines: readonly string[], index: number, shown: RunFrame | null): Trace {
  const said = (lines[index] ?? "").replace(/ \{$/, "");
  const [, reason] = rejection.exec(said) ?? [];
  const [, kind = null] = errorLine.exec(said) ?? [];
  const isError = kind !== null && /(?:Error|Exception)$/.test(kind);
  const { frames, causes } = readFrames(lines, index + 1);
  const own = frames.find((candidate) => candidate.own);
  const isSyntax = kind === "SyntaxError" && !parsers.test(lines[index + 1] ?? "");
  return {
    code: isSyntax ? "syntax_error" : "uncaught_exception",
    kind: reason !== undefined ? "UnhandledPromiseRejection" : isError ? kind : null,
    message: reason !== undefined ? `A promise was rejected and nothing caught it: ${reason}` : said.replace(/^\[(.*)\]$/, "$1"),
    frames: frames.length > 0 ? frames : shown === null ? [] : [shown],
    place: isSyntax ? (shown ?? own ?? null) : (own ?? shown),
    causes,
  };
}

function readFrames(lines: readonly string[], start: number): { frames: RunFrame[]; causes: string[] } {
  const frames: RunFrame[] = [];
  const led: RunFrame[] = [];
  const causes: string[] = [];
  for (const line of lines.slice(start, start + mostTraceLines)) {
    const [, name = null, path, at, column] = frame.exec(line) ?? [];
    const [, told] = cause.exec(line) ?? (causes.length > 0 ? (part.exec(line) ?? []) : []);
    if (told !== undefined) causes.push(told.replace(/ \{$/, ""));
    else if (path !== undefined && at !== undefined) (causes.length === 0 ? frames : led).push(frameOf(path, at, column ?? null, name));
    else if (line.startsWith("Node.js v")) break;
  }
  // Errors that come from elsewhere have no frames of their own.
  return { frames: frames.length > 0 ? frames : led, causes: causes.filter((text) => text !== "[") };
}

/** The first error that the TypeScript compiler tells. */
function readCompiler(lines: readonly string[]): Trace | null {
  for (const line of lines) {
    const [, path, line1, column1, line2, column2, kind, text] = compilerLine.exec(line) ?? [];
    if (path === undefined || kind === undefined) continue;
    const place = frameOf(path, line1 ?? line2 ?? "0", column1 ?? column2 ?? null);
    return { code: "syntax_error", kind, message: `${kind}: ${text ?? ""}`, frames: [], place: place.own ? place : null, causes: [] };
  }
  return null;
}
