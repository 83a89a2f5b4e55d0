import { routes } from "@syla/contracts/routes";
import type { Redact } from "./redact.ts";

/** Fields of a log line that hold words of the server's own, numbers or names of things. */
const kept = [
  "time",
  "level",
  "msg",
  "code",
  "status",
  "ms",
  "method",
  "requestId",
  "traceId",
  "service",
  "kind",
  "state",
  "signal",
  "version",
  "findings",
];
const idField = /^(id|[a-z]+Id)$/;
const frame = /^ {4}at (async )?(new )?([^\s()]+ )?\(?(file:\/\/|node:)[^\s()]+:\d+:\d+\)?$/;
const plainWord = /^[\w:.+-]{1,80}$/;

/** Lines of the server's log without what came from outside: output of programs, messages of errors, addresses. */
export function excerptLog(lines: readonly string[], redact: Redact): string {
  let leftOut = 0;
  const excerpt = lines.flatMap((line) => {
    const record = readRecord(line);
    if (record !== null) return [redact(JSON.stringify(keepOf(record)))];
    const [, code] = /^syla: ([a-z_]+): /.exec(line) ?? [];
    if (code !== undefined) return [`syla: ${code}`];
    leftOut += 1;
    return [];
  });
  const rest = leftOut === 0 ? [] : [`(${leftOut} lines that are no records are left out)`];
  return [...excerpt, ...rest].map((line) => `${line}\n`).join("");
}

function readRecord(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function keepOf(record: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(record).flatMap(([name, value]): [string, unknown][] => {
    if (name === "msg") return "library" in record || typeof value !== "string" ? [] : [[name, value]];
    if (name === "time" && typeof value === "string") return [[name, value]];
    if (kept.includes(name) || idField.test(name)) return isPlain(value) ? [[name, value]] : [];
    if (name === "path" && typeof value === "string") return [[name, maskPath(value)]];
    if (name === "err") return [[name, describeError(value)]];
    return [];
  });
  return Object.fromEntries(entries);
}

function isPlain(value: unknown): boolean {
  return typeof value === "number" || typeof value === "boolean" || (typeof value === "string" && plainWord.test(value));
}

/** The fixed words of the API's paths. */
const routeWords = new Set(Object.values(routes).flatMap(({ path }) => path.split("/").filter((part) => !part.startsWith(":"))));

/** Its fixed words; what stands for ids may be a token that lets somebody in. */
function maskPath(path: string): string {
  return path
    .split("/")
    .map((part) => (routeWords.has(part) ? part : "*"))
    .join("/");
}

/** What kind of error it was and where it arose; its message may quote anything. */
function describeError(error: unknown): Record<string, unknown> {
  const { type, code, stack } = typeof error === "object" && error !== null ? (error as Record<string, unknown>) : {};
  const frames = typeof stack === "string" ? stack.split("\n").filter((line) => frame.test(line)) : [];
  return { ...(isPlain(type) && { type }), ...(isPlain(code) && { code }), frames: frames.map((line) => line.trim()) };
}
