/**
 * Whether a path is one of those that patterns name: `*`, `?`, `**`, `{a,b}`, separated by commas. One without `/` is of a name at any depth; one of a
 * folder is of all in it. They become RE2 patterns: those that libraries make look around and back, and a hostile one could take for ever.
 *
 * @throws an error that says what is wrong with them
 */
export async function createGlobMatcher(patterns: string): Promise<(path: string) => boolean> {
  const { RE2JS } = await import("re2js");
  const sources = splitPatterns(patterns).map((pattern) => sourceOf(pattern, RE2JS.quote));
  if (sources.length === 0) return () => false;
  const pattern = RE2JS.compile(sources.map((source) => `(?:${source})`).join("|"), RE2JS.DOTALL);
  return (path) => pattern.matcher(path).matches();
}

/** At commas, but not those within braces. */
function splitPatterns(patterns: string): string[] {
  const parts: string[] = [];
  let [depth, from] = [0, 0];
  for (let at = 0; at <= patterns.length; at += 1) {
    const sign = patterns[at];
    if (sign === "{") depth += 1;
    else if (sign === "}") depth -= 1;
    else if (sign === undefined || (sign === "," && depth <= 0)) {
      parts.push(patterns.slice(from, at).trim());
      from = at + 1;
    }
  }
  return parts.filter((part) => part !== "");
}

const signs: Readonly<Record<string, string>> = {
  "**/": "(?:.*/)?",
  "**": ".*",
  "*": "[^/]*",
  "?": "[^/]",
  "{": "(?:",
  "}": ")",
  ",": "|",
};

function sourceOf(pattern: string, quote: (text: string) => string): string {
  const path = pattern.replace(/^\.?\//, "").replace(/\/$/, "");
  const source = path.replaceAll(/\*\*\/|\*\*|[*?{},]|[^*?{},]+/g, (part) => signs[part] ?? quote(part));
  const isName = !pattern.replace(/\/$/, "").includes("/");
  return `${isName ? "(?:.*/)?" : ""}${source}(?:/.*)?`;
}
