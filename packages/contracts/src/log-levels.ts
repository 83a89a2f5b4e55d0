import { z } from "zod";

export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
export const LogLevel = z.enum(logLevels).meta({ id: "LogLevel" });
export type LogLevel = z.infer<typeof LogLevel>;

/** Whether a line is of this level or graver. A line of no level is not. */
export function isAtLeast(level: LogLevel | null, least: LogLevel): boolean {
  return level !== null && logLevels.indexOf(level) >= logLevels.indexOf(least);
}

/** No more of a line is looked at: what writes levels writes them early. */
const headLength = 200;
const jsonHeadLength = 2048;

const words: Readonly<Record<string, LogLevel>> = {
  trace: "trace",
  verbose: "trace",
  silly: "trace",
  debug: "debug",
  info: "info",
  information: "info",
  notice: "info",
  success: "info",
  warn: "warn",
  warning: "warn",
  err: "error",
  error: "error",
  severe: "error",
  fatal: "fatal",
  crit: "fatal",
  critical: "fatal",
  alert: "fatal",
  emerg: "fatal",
  emergency: "fatal",
  panic: "fatal",
};
const anyWord = Object.keys(words)
  .toSorted((one, other) => other.length - one.length)
  .join("|");

/** Without one of these a line has no level; most lines have none, and this is all that they cost. */
const hint = new RegExp(`${anyWord}|exception|"level"|^[DIWEF]\\d{4} |^Traceback `, "i");
/** pino and bunyan (numbers), winston, slog's JSON handler, structlog, Google Cloud (words). */
const json = /"(?:level|severity|lvl|levelname|log\.level)"\s*:\s*(?:"([A-Za-z]{3,11})"|(\d{1,2})\b)/;
/** logfmt: slog's text handler, logrus. */
const pair = new RegExp(`(?:^|\\s)(?:level|lvl|severity)="?(${anyWord})\\b`, "i");
/** `ERROR:root:…`, `error: …`, `warning[E0001]: …`, `npm ERR! …`. */
const leading = new RegExp(`^\\s*(?:npm )?(${anyWord})(?::|!|\\[|\\s*$|\\s+[-|:]\\s)`, "i");
/** `INFO started`, in capitals. */
const first = new RegExp(`^\\s*(${anyWord.toUpperCase()})\\s`);
/** `[info] …`, `2026-01-05 10:00 [ERROR] …`. */
const bracketed = new RegExp(`^[^\\[]{0,100}(?:\\[[^\\]]{0,60}\\]\\s*){0,3}\\[\\s*(${anyWord})\\s*\\]`, "i");
/** After a time, in capitals: `2026-01-05 10:00:00,123 - app - ERROR - …`, Go's log and slog, loguru, tracing. */
const afterTime = new RegExp(
  `^\\W{0,3}(?:\\d{4}[-/]\\d\\d[-/]\\d\\d|\\d\\d:\\d\\d).{0,120}?[\\s\\[|(-](${anyWord.toUpperCase()})(?=[\\s\\]|:),-]|$)`,
);
const glog = /^([DIWEF])\d{4} \d\d:\d\d:\d\d/;
const glogLevels: Readonly<Record<string, LogLevel>> = { D: "debug", I: "info", W: "warn", E: "error", F: "fatal" };
/** What runtimes print when a program fails. */
const failure = /^(?:Traceback \(most recent call last\)|(?:Uncaught |Unhandled )?(?:[\w$]+\.)*[\w$]*(?:Error|Exception)(?:$|[: ([]))/;
const goFailure = /^(?:panic: |fatal error: )/;

/** The level that a line names, in the ways that are common; null where it names none. The line without control sequences. */
export function levelOf(line: string): LogLevel | null {
  const head = line.slice(0, headLength);
  if (head.charCodeAt(0) === 0x7b) return jsonLevel(line.slice(0, jsonHeadLength));
  if (!hint.test(head)) return null;
  if (goFailure.test(head)) return "fatal";
  if (failure.test(head)) return "error";
  const letter = glog.exec(head)?.[1];
  if (letter !== undefined) return glogLevels[letter] ?? null;
  const word = (leading.exec(head) ?? first.exec(head) ?? pair.exec(head) ?? afterTime.exec(head) ?? bracketed.exec(head))?.[1];
  return word === undefined ? null : (words[word.toLowerCase()] ?? null);
}

function jsonLevel(head: string): LogLevel | null {
  const [, word, number] = json.exec(head) ?? [];
  if (word !== undefined) return words[word.toLowerCase()] ?? null;
  if (number === undefined) return null;
  const steps = Number(number) / 10;
  return steps < 1 ? null : (logLevels[Math.min(logLevels.length, Math.floor(steps)) - 1] ?? null);
}

/**
 * Reads the levels of one stream's lines, in order: of each how to tell it, which is more work than most lines are worth. What is indented goes
 * on with the line before, and so does what ends a traceback.
 */
export function createLevelReader(): (line: string) => () => LogLevel | null {
  let head = "";
  let isTraceback = false;
  let endsTraceback = false;
  return (line) => {
    const code = line.charCodeAt(0);
    const isIndented = code === 0x20 || code === 0x09;
    if (!isIndented) {
      endsTraceback = isTraceback && line !== "";
      isTraceback = line.startsWith("Traceback (");
      head = line;
    }
    const [start, isEnd] = [head, endsTraceback];
    return () => levelOf(start) ?? (isEnd ? "error" : isIndented ? levelOf(line) : null);
  };
}
