import { isUtf8 } from "node:buffer";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { AssetDiff, FileDiff } from "@syla/contracts/assets";
import { structuredPatch, type StructuredPatchHunk } from "diff";
import type { Blobs } from "./blobs.ts";
import type { TreeDiff, TreeEntry } from "./trees.ts";

/** Larger files are told to differ, without how. */
const mostFileBytes = 256 * 1024;
/** Of all the text in one answer. */
const mostTextBytes = 2 * 1024 * 1024;
const mostFiles = 1000;
/** Comparing takes the server's time: one pair of files may have so much of it, and one answer. */
const fileMs = 100;
const answerMs = 1000;
const contextLines = 3;

/** How files differ, line by line where they are text of a size that people read. */
export async function diffFiles(blobs: Blobs, { added, removed, changed }: TreeDiff): Promise<Pick<AssetDiff, "files" | "omitted">> {
  const all: Pair[] = [...added.map((to) => ({ from: null, to })), ...removed.map((from) => ({ from, to: null })), ...changed].toSorted(
    (a, b) => (pathOf(a) < pathOf(b) ? -1 : 1),
  );
  const files: FileDiff[] = [];
  const budget = { bytes: mostTextBytes, until: Date.now() + answerMs };
  for (const pair of all.slice(0, mostFiles)) {
    const file = await diffFile(blobs, pair, budget);
    budget.bytes -= file.hunks?.reduce((sum, hunk) => sum + hunk.lines.reduce((size, line) => size + line.length, 0), 0) ?? 0;
    files.push(file);
    await nextTurn(); // others have their turn between two files
  }
  return { files, omitted: Math.max(all.length - mostFiles, 0) };
}

interface Pair {
  readonly from: TreeEntry | null;
  readonly to: TreeEntry | null;
}

async function diffFile(blobs: Blobs, pair: Pair, budget: { readonly bytes: number; readonly until: number }): Promise<FileDiff> {
  const { from, to } = pair;
  const status = from === null ? "added" : to === null ? "removed" : "changed";
  const file = { path: pathOf(pair), status, from: toSide(from), to: toSide(to) } as const;
  const untold = (note: FileDiff["note"]): FileDiff => ({ ...file, hunks: null, additions: 0, deletions: 0, note });
  if (Math.max(from?.size ?? 0, to?.size ?? 0) > mostFileBytes) return untold("large");
  if (budget.bytes <= 0 || Date.now() > budget.until) return untold("omitted");
  const [before, after] = await Promise.all(
    [from, to].map(async (entry) => (entry === null ? Buffer.alloc(0) : await blobs.get(entry.sha256))),
  );
  if (before === undefined || after === undefined || isBinary(before) || isBinary(after)) return untold("binary");
  const patch = structuredPatch("", "", before.toString(), after.toString(), "", "", { context: contextLines, timeout: fileMs });
  if (patch === undefined) return untold("large");
  return { ...file, hunks: patch.hunks.map(toHunk), additions: count(patch.hunks, "+"), deletions: count(patch.hunks, "-"), note: null };
}

function toHunk({ oldStart, oldLines, newStart, newLines, lines }: StructuredPatchHunk) {
  return { oldStart, oldLines, newStart, newLines, lines };
}

function count(hunks: readonly StructuredPatchHunk[], sign: string): number {
  return hunks.reduce((sum, hunk) => sum + hunk.lines.filter((line) => line.startsWith(sign)).length, 0);
}

function isBinary(bytes: Buffer): boolean {
  return bytes.includes(0) || !isUtf8(bytes);
}

function toSide(entry: TreeEntry | null): FileDiff["from"] {
  return entry === null ? null : { size: entry.size, sha256: entry.sha256, executable: entry.mode === 493 };
}

function pathOf({ from, to }: Pair): string {
  return to?.path ?? from?.path ?? "";
}

/** Which fields of a configuration differ. */
export function diffConfigs(before: object, after: object): AssetDiff["config"] {
  const [from, to] = [before, after].map((config) => new Map<string, unknown>(Object.entries(config)));
  const fields = new Set([...(from?.keys() ?? []), ...(to?.keys() ?? [])]);
  return [...fields].flatMap((field) => {
    const [old, current] = [from?.get(field) ?? null, to?.get(field) ?? null];
    return JSON.stringify(old) === JSON.stringify(current) ? [] : [{ field, from: old, to: current }];
  });
}
