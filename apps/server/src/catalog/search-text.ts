/** Words as they are compared: no case, no accents, one form for each letter. */
function fold(text: string): string {
  return text.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
}

/** Scripts that put no spaces between words: each character is a word of its own, and several are looked for in a row. */
const unspaced = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}`;
const isUnspaced = new RegExp(`^[${unspaced}]`, "u");
const runs = new RegExp(`[${unspaced}]+|(?:(?![${unspaced}])[\\p{L}\\p{N}])+`, "gu");

const maxWordLength = 60;
/** PostgreSQL keeps that many places of one word, and numbers them so far. */
const maxPlaces = 200;
const maxWords = 5000;

/** The words of a text; those of unspaced scripts one by one. */
function wordsOf(text: string): string[] {
  return (fold(text).match(runs) ?? []).flatMap((run) => (isUnspaced.test(run) ? Array.from(run) : [run.slice(0, maxWordLength)]));
}

/** Names of code are also found by their parts: `fetchData`. */
function withParts(text: string): string {
  const parts = text.replaceAll(/(\p{Ll}|\p{N})(\p{Lu})/gu, "$1 $2");
  return parts === text ? text : `${text} ${parts}`;
}

/** What of an asset can be found. */
export interface Findable {
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly slots: readonly string[];
}

/** The text of a `tsvector`: made here, so that any language is found, whatever the locale of the database. */
export function toSearchVector({ name, description, tags, slots }: Findable): string {
  const places = new Map<string, string[]>();
  let place = 0;
  const add = (text: string, weight: string) => {
    for (const word of wordsOf(text)) {
      if (++place > maxWords) return;
      const known = places.get(word) ?? [];
      if (known.length < maxPlaces) known.push(`${place}${weight}`);
      places.set(word, known);
    }
    place += 1; // no phrase reaches over the end of a text
  };
  add(withParts(name), "A");
  for (const word of [...tags, ...slots]) add(withParts(word), "B");
  add(description, "C");
  return [...places].map(([word, at]) => `'${word}':${at.join(",")}`).join(" ");
}

const maxQueryWords = 20;

/** The words that are looked for. */
export function soughtWords(text: string): string[] {
  return (fold(text).match(runs) ?? []).slice(0, maxQueryWords).map((run) => (isUnspaced.test(run) ? run : run.slice(0, maxWordLength)));
}

/**
 * The text of a `tsquery` that finds every word, or how it begins; null when there is none in it. `alike`: words that will do instead of one.
 */
export function toSearchQuery(words: readonly string[], alike: ReadonlyMap<string, readonly string[]> = new Map()): string | null {
  const terms = words.map((word) => {
    if (isUnspaced.test(word)) return `(${Array.from(word, (one) => `'${one}'`).join(" <-> ")})`;
    const beginnings = [word, ...(alike.get(word) ?? [])].map((one) => `'${one}':*`);
    return beginnings.length === 1 ? beginnings.join("") : `(${beginnings.join(" | ")})`;
  });
  return terms.length === 0 ? null : terms.join(" & ");
}
