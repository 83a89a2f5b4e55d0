import { isUtf8 } from "node:buffer";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  createLineFinder,
  type FileMatch,
  type FileSearch,
  type FoundFile,
  type FoundFiles,
  type LineFinder,
} from "@syla/contracts/file-search";
import { createGlobMatcher } from "@syla/contracts/globs";
import type { Span } from "@syla/contracts/log-search";
import { AppError } from "@syla/contracts/errors";
import type { Blobs } from "../platform/blobs.ts";
import type { TreeEntry } from "../platform/trees.ts";

/** Larger files are not looked at. */
const mostFileBytes = 5 * 1024 * 1024;
/** Lines of one file that are told. */
const mostFileLines = 200;
/** So much of a line is told, from a little before its first match. */
const [longestText, textBefore] = [400, 80];
/** After so long the others get their turn, and a page ends. */
const [sliceMs, pageMs] = [10, 3000];

/**
 * Looks through files in the order of their paths, one of them in memory at a time. A page ends at the end of a file: when it has enough lines, or when
 * its time is over; `nextAfter` says where to go on.
 *
 * @throws AppError `invalid_pattern`, `invalid_request`
 */
export async function searchFiles(
  blobs: Pick<Blobs, "get">,
  entries: readonly TreeEntry[],
  wish: FileSearch,
  signal: AbortSignal,
): Promise<Omit<FoundFiles, "revision">> {
  const find = await finderOf(wish);
  const waiting = await entriesOf(entries, wish);
  const turns = new Turns(signal);
  const items: FoundFile[] = [];
  let [files, skipped, lines] = [0, 0, 0];
  for (const { path, size, sha256 } of waiting) {
    if (lines >= wish.limit || (files > 0 && turns.isOver)) break;
    files += 1;
    const bytes = size > mostFileBytes ? null : await blobs.get(sha256);
    if (bytes === null || bytes.includes(0) || !isUtf8(bytes)) {
      skipped += 1;
      continue;
    }
    const { found, count } = await searchText(bytes.toString(), find, turns);
    await turns.next();
    if (count > 0) items.push({ path, sha256, lines: found, count });
    lines += found.length;
  }
  return { items, files, skipped, nextAfter: files < waiting.length ? (waiting[files - 1]?.path ?? null) : null };
}

async function finderOf(wish: FileSearch): Promise<LineFinder> {
  try {
    return await createLineFinder(wish);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : "";
    throw new AppError("invalid_pattern", { cause, fields: [{ path: "query.q", message }] });
  }
}

/** Those that are to be looked at; the order of a tree is that of the bytes of its paths. */
async function entriesOf(entries: readonly TreeEntry[], { include = "", exclude = "", after }: FileSearch): Promise<readonly TreeEntry[]> {
  const isWanted = include.trim() === "" ? () => true : await globMatcher("include", include);
  const isLeftOut = await globMatcher("exclude", exclude);
  const from = after === undefined ? null : Buffer.from(after);
  return entries.filter(({ path }) => (from === null || Buffer.compare(Buffer.from(path), from) > 0) && isWanted(path) && !isLeftOut(path));
}

async function globMatcher(field: string, patterns: string): Promise<(path: string) => boolean> {
  try {
    return await createGlobMatcher(patterns);
  } catch (cause) {
    const message = "is no list of patterns such as `*.py, src/**`";
    throw new AppError("invalid_request", { cause, fields: [{ path: `query.${field}`, message }] });
  }
}

async function searchText(text: string, find: LineFinder, turns: Turns): Promise<{ found: FileMatch[]; count: number }> {
  const found: FileMatch[] = [];
  let count = 0;
  for (let [number, at] = [1, 0]; at <= text.length; number += 1) {
    const end = text.indexOf("\n", at);
    const line = text.slice(at, end < 0 ? text.length : end).replace(/\r$/, "");
    const spans = find(line);
    if (spans.length > 0) {
      count += 1;
      if (found.length < mostFileLines) found.push(toMatch(number, line, spans));
    }
    if (turns.isSliceOver) await turns.next();
    if (end < 0) break;
    at = end + 1;
  }
  return { found, count };
}

function toMatch(line: number, text: string, spans: readonly Span[]): FileMatch {
  const first = spans[0]?.[0] ?? 0;
  const from = text.length <= longestText ? 0 : Math.max(0, first - textBefore);
  const shown = text.slice(from, from + longestText).toWellFormed();
  const matches = spans.flatMap(([begin, end]): [number, number][] => {
    const place: [number, number] = [begin - from, Math.min(end - from, shown.length)];
    return place[0] < shown.length ? [place] : [];
  });
  return { line, column: first + 1, text: shown, matches };
}

/** Gives others their turn, and says when the time of a page is over. */
class Turns {
  readonly #signal: AbortSignal;
  readonly #until = performance.now() + pageMs;
  #began = performance.now();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  get isOver(): boolean {
    return performance.now() > this.#until;
  }

  get isSliceOver(): boolean {
    return performance.now() - this.#began > sliceMs;
  }

  /** @throws the reason, when whoever asked has gone */
  async next(): Promise<void> {
    if (!this.isSliceOver) return;
    await nextTurn();
    this.#signal.throwIfAborted();
    this.#began = performance.now();
  }
}
