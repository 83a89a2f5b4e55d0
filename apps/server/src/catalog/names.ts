const maxName = 100;
const maxSlug = 60;

/** A name as names are compared: two that look alike are the same. */
export function nameKey(name: string): string {
  return name.normalize("NFKC").toLowerCase().replaceAll(/\s+/g, " ").trim();
}

/** The part of an address that people can read. `fallback` when nothing of the name can be written in it. */
export function slugify(name: string, fallback: string): string {
  const words = name
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, maxSlug)
    .replaceAll(/-+$/g, "");
  return words === "" ? fallback : words;
}

/** The first of `wish`, `wish 2`, `wish 3` … that is not taken. */
export function freeName(wish: string, taken: ReadonlySet<string>): string {
  return firstFree((count) => nameAt(wish, count), taken, nameKey);
}

/** The first of `wish`, `wish-2`, `wish-3` … that is not taken. */
export function freeSlug(wish: string, taken: ReadonlySet<string>): string {
  return firstFree(
    (count) => slugAt(wish, count),
    taken,
    (slug) => slug,
  );
}

/** How the keys of all names begin, the number left out, that `freeName` may look for after the first. */
export function nameStems(wish: string): string[] {
  return stemsOf((count) => nameKey(nameAt(wish, count)));
}

/** How all slugs begin, the number left out, that `freeSlug` may look for after the first. */
export function slugStems(wish: string): string[] {
  return stemsOf((count) => slugAt(wish, count));
}

/** A longer number leaves less room for what is in front of it. */
function stemsOf(keyOf: (count: number) => string): string[] {
  return [...new Set([2, 10, 100, 1000, 10_000, 100_000].map((count) => keyOf(count).slice(0, -String(count).length)))];
}

function nameAt(wish: string, count: number): string {
  return count === 1 ? wish : `${cut(wish.replace(/ \d+$/, ""), ` ${count}`, maxName)} ${count}`;
}

function slugAt(wish: string, count: number): string {
  return count === 1 ? wish : `${cut(wish, `-${count}`, maxSlug)}-${count}`;
}

function firstFree(wishOf: (count: number) => string, taken: ReadonlySet<string>, keyOf: (wish: string) => string): string {
  for (let count = 1; ; count++) {
    const wish = wishOf(count);
    if (!taken.has(keyOf(wish))) return wish;
  }
}

/** The text with room for an end, no character cut in two. */
function cut(text: string, end: string, most: number): string {
  const short = text.slice(0, most - end.length);
  return short.isWellFormed() ? short : short.slice(0, -1);
}
