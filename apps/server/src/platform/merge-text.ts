import { isUtf8 } from "node:buffer";
import { diffArrays } from "diff";

/** Larger files are not merged line by line. */
const mostBytes = 1024 * 1024;
/** Comparing takes the server's time: of one text at most so long, twice. */
const diffMs = 200;

/** Lines of the base, from `start` up to `end`, that `lines` take the place of. */
export interface Hunk {
  readonly start: number;
  readonly end: number;
  readonly lines: readonly string[];
}

/**
 * Puts the changes of two people to one text together. Null where it cannot be: it is no text, it is too large, or both have changed the same lines or
 * lines beside each other; or it takes longer than `leftMs`, which are spent without a turn for others.
 */
export function mergeText(base: Buffer, mine: Buffer, theirs: Buffer, leftMs = 2 * diffMs): Buffer | null {
  const until = performance.now() + leftMs;
  if (![base, mine, theirs].every(isText)) return null;
  const lines = toLines(base);
  const ours = hunksOf(lines, toLines(mine), until);
  const others = ours === null ? null : hunksOf(lines, toLines(theirs), until);
  if (ours === null || others === null) return null;
  const hunks = combine(ours, others);
  if (hunks === null) return null;
  const merged: string[] = [];
  let at = 0;
  for (const hunk of hunks) {
    merged.push(lines.slice(at, hunk.start).join(""), hunk.lines.join(""));
    at = hunk.end;
  }
  return Buffer.from([...merged, lines.slice(at).join("")].join(""));
}

function isText(bytes: Buffer): boolean {
  return bytes.length <= mostBytes && !bytes.includes(0) && isUtf8(bytes);
}

/** Each with its end, so that joining them gives the text again. */
export function toLines(bytes: Buffer | string): string[] {
  return bytes.length === 0 ? [] : bytes.toString().split(/(?<=\n)/);
}

/** What has become of lines; null when that cannot be said until then (`performance.now`). */
export function hunksOf(before: readonly string[], after: readonly string[], until: number): Hunk[] | null {
  const leftMs = Math.min(diffMs, until - performance.now());
  if (leftMs <= 0) return null;
  const parts = diffArrays([...before], [...after], { timeout: leftMs });
  if (parts === undefined) return null;
  const hunks: { start: number; end: number; lines: string[] }[] = [];
  let at = 0;
  let open: { start: number; end: number; lines: string[] } | null = null;
  for (const { added, removed, value } of parts) {
    if (!added && !removed) {
      at += value.length;
      open = null;
      continue;
    }
    if (open === null) hunks.push((open = { start: at, end: at, lines: [] }));
    if (removed) open.end = at += value.length;
    else open.lines = open.lines.concat(value);
  }
  return hunks;
}

/** All hunks in their order; null where two of them meet and are not the same. */
function combine(mine: readonly Hunk[], theirs: readonly Hunk[]): Hunk[] | null {
  const combined: Hunk[] = [];
  let [one, other] = [0, 0];
  while (one < mine.length || other < theirs.length) {
    const [a, b] = [mine[one], theirs[other]];
    if (a !== undefined && b !== undefined && a.start <= b.end && b.start <= a.end) {
      if (a.start !== b.start || a.end !== b.end || a.lines.join("") !== b.lines.join("")) return null;
      combined.push(a);
      one += 1;
      other += 1;
    } else if (b === undefined || (a !== undefined && a.start < b.start)) {
      if (a !== undefined) combined.push(a);
      one += 1;
    } else {
      combined.push(b);
      other += 1;
    }
  }
  return combined;
}
