import { setImmediate as nextTurn } from "node:timers/promises";
import { AppError } from "@syla/contracts/errors";
import type { BlobRef, Blobs } from "./blobs.ts";
import { mergeText } from "./merge-text.ts";
import { checkPaths } from "./paths.ts";
import type { TreeEntry } from "./trees.ts";

/** Three trees: what somebody saw, what they made of it, and what is there now. */
export interface TreesToMerge {
  readonly base: readonly TreeEntry[];
  readonly mine: readonly TreeEntry[];
  readonly theirs: readonly TreeEntry[];
}

/** Whose side stays where both have changed a file and their changes cannot be put together. */
export type ConflictRule = "refuse" | "mine" | "theirs";

/** What came of it. `conflicts`: paths of which neither side could be taken; `merged`: content that was made on the way. */
export interface MergedTree {
  readonly entries: readonly TreeEntry[];
  readonly conflicts: readonly string[];
  readonly merged: readonly BlobRef[];
}

/** More files than this that both have changed are not looked into line by line. */
const mostTexts = 500;
/** So much of the server's time goes into looking at lines; files that are left then are not looked into. */
const mergeMs = 1000;

/** Puts the changes of two people to one tree together, path by path; text that both have changed, line by line. */
export async function mergeTrees(blobs: Blobs, { base, mine, theirs }: TreesToMerge, rule: ConflictRule): Promise<MergedTree> {
  const [was, ours, others] = [base, mine, theirs].map((entries) => new Map(entries.map((entry) => [entry.path, entry]))) as [
    Map<string, TreeEntry>,
    Map<string, TreeEntry>,
    Map<string, TreeEntry>,
  ];
  const result = new Map(others);
  const conflicts: string[] = [];
  const merged: BlobRef[] = [];
  let texts = 0;
  const budget = { leftMs: mergeMs };
  for (const path of new Set([...was.keys(), ...ours.keys()])) {
    const [old, my, their] = [was.get(path), ours.get(path), others.get(path)];
    if (isSame(old, my) || isSame(my, their)) continue;
    if (isSame(old, their)) {
      put(result, path, my);
      continue;
    }
    const both = old !== undefined && my !== undefined && their !== undefined && (texts += 1) <= mostTexts;
    const content = both ? await mergeContent(blobs, old, my, their, budget) : null;
    if (content !== null && both) {
      result.set(path, { path, mode: my.mode === old.mode ? their.mode : my.mode, ...content });
      merged.push(content);
    } else if (rule === "mine") put(result, path, my);
    else if (rule === "refuse") conflicts.push(path);
  }
  const entries = [...result.values()];
  return { entries, conflicts: conflicts.length > 0 ? conflicts : findClashes(mine, entries), merged };
}

/** Only the time that it takes from others is spent: a busy server makes no conflicts. */
async function mergeContent(
  blobs: Blobs,
  old: TreeEntry,
  my: TreeEntry,
  their: TreeEntry,
  budget: { leftMs: number },
): Promise<BlobRef | null> {
  if (my.sha256 === their.sha256 || their.sha256 === old.sha256) return { sha256: my.sha256, size: my.size };
  if (my.sha256 === old.sha256) return { sha256: their.sha256, size: their.size };
  const most = 1024 * 1024;
  if (budget.leftMs <= 0 || Math.max(old.size, my.size, their.size) > most) return null;
  const [base, mine, theirs] = await Promise.all([blobs.get(old.sha256), blobs.get(my.sha256), blobs.get(their.sha256)]);
  const begun = performance.now();
  const text = mergeText(base, mine, theirs, budget.leftMs);
  budget.leftMs -= performance.now() - begun;
  await nextTurn();
  return text === null ? null : await blobs.put(text);
}

function isSame(a: TreeEntry | undefined, b: TreeEntry | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.sha256 === b.sha256 && a.mode === b.mode;
}

function put(entries: Map<string, TreeEntry>, path: string, entry: TreeEntry | undefined): void {
  if (entry === undefined) entries.delete(path);
  else entries.set(path, entry);
}

/** A file of one side where the other has made a folder. What is wrong on my side alone is no conflict. */
function findClashes(mine: readonly TreeEntry[], entries: readonly TreeEntry[]): string[] {
  if (isTree(entries) || !isTree(mine)) return [];
  const paths = new Set(entries.map(({ path }) => path));
  return [...paths].filter((path) => path.split("/").some((_, level, parts) => level > 0 && paths.has(parts.slice(0, level).join("/"))));
}

function isTree(entries: readonly TreeEntry[]): boolean {
  try {
    checkPaths(entries.map(({ path }) => path));
    return true;
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}
