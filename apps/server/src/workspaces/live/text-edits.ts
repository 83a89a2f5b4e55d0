import { hunksOf, toLines } from "../../platform/merge-text.ts";

/** In place of `remove` characters at `at` comes `insert`. Characters are UTF-16 units, as in Yjs and in editors. */
export interface TextEdit {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
}

/** Comparing lines takes the server's time: what takes longer is one edit. */
const diffMs = 200;

/** What has to be done to make one text of another, in the order of the places: as little as line by line can be said, and nothing of equal characters. */
export function editsBetween(before: string, after: string): TextEdit[] {
  if (before === after) return [];
  const lines = toLines(before);
  const hunks = hunksOf(lines, toLines(after), performance.now() + diffMs);
  if (hunks === null) return [trimmed(0, before, after)];
  const starts = [0];
  for (const line of lines) starts.push((starts.at(-1) ?? 0) + line.length);
  return hunks.map(({ start, end, lines: put }) => {
    const at = starts[start] ?? 0;
    return trimmed(at, before.slice(at, starts[end]), put.join(""));
  });
}

/** An edit without what is equal at its ends. Nothing is cut inside a pair of surrogates. */
function trimmed(at: number, old: string, now: string): TextEdit {
  let start = 0;
  const most = Math.min(old.length, now.length);
  while (start < most && old[start] === now[start]) start += 1;
  if (isHigh(old[start - 1])) start -= 1;
  let end = 0;
  while (end < most - start && old[old.length - 1 - end] === now[now.length - 1 - end]) end += 1;
  if (isLow(old[old.length - end]) && end > 0) end -= 1;
  return { at: at + start, remove: old.length - start - end, insert: now.slice(start, now.length - end) };
}

function isHigh(unit: string | undefined): boolean {
  return unit !== undefined && unit >= "\uD800" && unit <= "\uDBFF";
}

function isLow(unit: string | undefined): boolean {
  return unit !== undefined && unit >= "\uDC00" && unit <= "\uDFFF";
}
