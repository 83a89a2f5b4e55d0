import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { plainLine } from "../output/terminal-text.ts";

/** Where a local server's output goes. */
export const serverLogFile = (dataDir: string) => join(dataDir, "server.log");

const blockBytes = 64 * 1024;

/** The last `count` lines, read from the end: a log may be larger than memory. */
export function readLastLines(file: string, count: number): { lines: string[]; end: number } {
  if (!existsSync(file)) return { lines: [], end: 0 };
  const fd = openSync(file, "r");
  try {
    const end = fstatSync(fd).size;
    let start = end;
    let tail = Buffer.alloc(0);
    while (start > 0 && countLineEnds(tail) <= count) {
      const size = Math.min(blockBytes, start);
      start -= size;
      const block = Buffer.alloc(size);
      readSync(fd, block, 0, size, start);
      tail = Buffer.concat([block, tail]);
    }
    const lines = tail.toString("utf8").split("\n");
    if (lines.at(-1) === "") lines.pop();
    return { lines: count === 0 ? [] : lines.slice(-count), end };
  } finally {
    closeSync(fd);
  }
}

/** The lines that were added after `start`; the newest 64 KiB of them. */
export function readLinesFrom(file: string, start: number): string[] {
  const size = existsSync(file) ? statSync(file).size : 0;
  if (size <= start) return [];
  return readRange(file, Math.max(start, size - blockBytes), size)
    .split("\n")
    .filter((line) => line !== "");
}

function countLineEnds(bytes: Buffer): number {
  let count = 0;
  for (const byte of bytes) if (byte === 0x0a) count++;
  return count;
}

/** Lines that are added after `position`, for as long as the signal allows. Starts again when the file was emptied. */
export async function* followLines(file: string, position: number, signal: AbortSignal): AsyncGenerator<string> {
  let rest = "";
  let at = position;
  while (!signal.aborted) {
    const size = existsSync(file) ? statSync(file).size : 0;
    if (size < at) at = 0;
    if (size > at) {
      const lines = (rest + readRange(file, at, size)).split("\n");
      rest = lines.pop() ?? "";
      at = size;
      yield* lines;
    }
    await sleep(200, undefined, { signal }).catch(() => undefined);
  }
}

function readRange(file: string, start: number, end: number): string {
  const fd = openSync(file, "r");
  try {
    const block = Buffer.alloc(end - start);
    return block.toString("utf8", 0, readSync(fd, block, 0, block.length, start));
  } finally {
    closeSync(fd);
  }
}

/** A JSON log line as `time LEVEL message key=value…`; anything else as it is. */
export function formatLogLine(line: string): string {
  const entry = parseEntry(line);
  if (entry === null) return plainLine(line);
  const { time, level, msg, message, ...rest } = entry;
  const show = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  const details = Object.entries(rest).map(([key, value]) => `${key}=${show(value)}`);
  return plainLine(
    [
      show(time ?? ""),
      show(level ?? "")
        .toUpperCase()
        .padEnd(5),
      show(msg ?? message ?? ""),
      ...details,
    ].join(" "),
  );
}

function parseEntry(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
