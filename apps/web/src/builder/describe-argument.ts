const mostLines = 2000;
/** Longer ones are no descriptions, and would take long to look through. */
const longestLine = 500;

const head = /^(args|arguments|keyword args|keyword arguments|parameters|params|other parameters)\s*:?$/i;
const underline = /^-{3,}$/;
const listed = /^\*{0,2}(\w+) *(?:\([^()]*\))? *:\s*(.*)$/;
const tagged = /^:(?:param|parameter|arg|argument|key|keyword) +(?:[^\s:]+ +)?\*{0,2}(\w+) *:\s*(.*)$/;

const indentOf = (line: string) => line.length - line.trimStart().length;

/** What a docstring says of an argument, in Google's, NumPy's or Sphinx's way; empty: nothing. */
export function describeArgument(docstring: string, name: string): string {
  const lines = docstring.split("\n", mostLines).map((line) => line.slice(0, longestLine).trimEnd());
  let isList = false;
  let hasTypes = false;
  for (const [index, line] of lines.entries()) {
    const text = line.trim();
    if (head.test(text)) {
      isList = true;
      // NumPy has a line below its heads, and types behind the names.
      hasTypes = underline.test(lines[index + 1]?.trim() ?? "");
    }
    const tag = tagged.exec(text);
    const item = tag ?? (isList ? listed.exec(text) : null);
    if (item?.[1] !== name) continue;
    const rest = lines.slice(index + 1);
    const end = rest.findIndex((next) => next === "" || indentOf(next) <= indentOf(line));
    const more = rest.slice(0, end < 0 ? rest.length : end).map((next) => next.trim());
    const first = tag === null && hasTypes ? [] : [item[2] ?? ""];
    return [...first, ...more].filter((part) => part !== "").join(" ");
  }
  return "";
}
