/** The words of a line as a shell splits it: blanks, both kinds of quotes, `\`. Null when a quote is not closed. */
export function splitWords(line: string): string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quote = "";
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at] as string;
    if (character === "\\" && quote !== "'" && at + 1 < line.length) word = (word ?? "") + (line[(at += 1)] as string);
    else if (quote !== "") {
      if (character === quote) quote = "";
      else word = (word ?? "") + character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= "";
    } else if (/\s/.test(character)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? "") + character;
  }
  if (quote !== "") return null;
  if (word !== null) words.push(word);
  return words;
}

/** The line that `splitWords` splits into these words. */
export function joinWords(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`)).join(" ");
}

/** Lines of `NAME=value`, and the first that is none. */
export function readVariables(text: string): { readonly values: Record<string, string>; readonly problem: string | null } {
  const values: Record<string, string> = {};
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const parts = /^\s*([A-Za-z_]\w*)=(.*)$/.exec(line);
    if (parts?.[1] === undefined) return { values, problem: `Not a variable: ${line.trim().slice(0, 60)}` };
    values[parts[1]] = parts[2] ?? "";
  }
  return { values, problem: null };
}
