import type { FileCoverage } from "@syla/contracts/tests";
import { z } from "zod";

/** What the interpreters write of the lines that ran. The program could have written it: nothing of it is believed but its shape. */

const LineReport = z.record(z.string(), z.object({ lines: z.array(z.int().positive()), executed: z.array(z.int().positive()) }));

const Range = z.object({ startOffset: z.int().nonnegative(), endOffset: z.int().nonnegative(), count: z.number().nonnegative() });
/** Source: V8's `Profiler.takePreciseCoverage`, as Node.js writes it to NODE_V8_COVERAGE. */
const V8Report = z.object({
  result: z.array(z.object({ url: z.string(), functions: z.array(z.object({ ranges: z.array(Range) })) })),
});

/** Lines of each file by number: those that ran, and those that could have. */
export type Lines = Map<string, { readonly all: Set<number>; readonly ran: Set<number> }>;

const mostReportCharacters = 4 << 20;
/** Bytes that the ranges of one file may cover in all, over and over. */
const mostFilled = 64 << 20;

/** The folder of the programs' files, as the interpreters name it. */
const workspace = "/workspace/";

/** Adds one run's report to `lines`. `sources` are the program's own files; others do not count. One that cannot be read counts for nothing. */
export function addCoverage(lines: Lines, format: "lines" | "v8", report: string, sources: ReadonlyMap<string, string>): void {
  if (report.length > mostReportCharacters) return;
  let document: unknown;
  try {
    document = JSON.parse(report);
  } catch {
    return;
  }
  if (format === "lines") addLines(lines, document, sources);
  else addV8(lines, document, sources);
}

function addLines(lines: Lines, document: unknown, sources: ReadonlyMap<string, string>): void {
  const parsed = LineReport.safeParse(document);
  for (const [path, file] of Object.entries(parsed.data ?? {})) {
    const count = countLines(sources.get(path));
    const known = entryOf(lines, path, sources);
    if (known === null) continue;
    for (const line of file.lines) if (line <= count) known.all.add(line);
    for (const line of file.executed) if (line <= count && known.all.has(line)) known.ran.add(line);
  }
}

function addV8(lines: Lines, document: unknown, sources: ReadonlyMap<string, string>): void {
  const parsed = V8Report.safeParse(document);
  for (const { url, functions } of parsed.data?.result ?? []) {
    if (!url.startsWith(`file://${workspace}`)) continue;
    const path = decodePath(url.slice(`file://${workspace}`.length));
    const source = sources.get(path);
    const known = entryOf(lines, path, sources);
    if (source === undefined || known === null) continue;
    // Later functions are further inside, and within one the ranges go from the outside in: the last one that holds a place counts.
    const missed = new Uint8Array(source.length);
    let left = mostFilled;
    for (const { startOffset, endOffset, count } of functions.flatMap(({ ranges }) => ranges)) {
      left -= Math.max(0, Math.min(endOffset, source.length) - startOffset) + 1;
      if (left < 0) break;
      missed.fill(count === 0 ? 1 : 0, startOffset, Math.min(endOffset, source.length));
    }
    let start = 0;
    for (const [index, text] of source.split("\n").entries()) {
      const from = start + (text.length - text.trimStart().length);
      const to = start + text.trimEnd().length;
      start += text.length + 1;
      if (from >= to || /^(?:\/\/|[{}()[\];,]+$)/.test(text.trim())) continue;
      known.all.add(index + 1);
      if (missed.subarray(from, to).includes(0)) known.ran.add(index + 1);
    }
  }
}

function decodePath(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // no path of ours, then
  }
}

function entryOf(lines: Lines, path: string, sources: ReadonlyMap<string, string>): { all: Set<number>; ran: Set<number> } | null {
  if (!sources.has(path)) return null;
  const known = lines.get(path) ?? { all: new Set<number>(), ran: new Set<number>() };
  lines.set(path, known);
  return known;
}

function countLines(source: string | undefined): number {
  return source === undefined ? 0 : source.split("\n").length;
}

/** The files by path, with the numbers of the lines that never ran. */
export function toFileCoverage(lines: Lines): FileCoverage[] {
  return [...lines]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, { all, ran }]) => ({
      path,
      covered: ran.size,
      total: all.size,
      missed: [...all].filter((line) => !ran.has(line)).toSorted((a, b) => a - b),
    }));
}
