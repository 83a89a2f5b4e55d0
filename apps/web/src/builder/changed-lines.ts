/** The lines between those with which both texts begin and end. */
export function changedLines(before: string, after: string): { readonly removed: readonly string[]; readonly added: readonly string[] } {
  const [old, now] = [linesOf(before), linesOf(after)];
  let start = 0;
  while (start < Math.min(old.length, now.length) && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < Math.min(old.length, now.length) - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  return { removed: old.slice(start, old.length - end), added: now.slice(start, now.length - end) };
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.split("\n");
}
