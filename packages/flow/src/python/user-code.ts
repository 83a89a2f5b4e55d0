/** What a scan of Python source has found. */
interface Scan {
  /** Of each line, whether it begins inside a string of several lines, where spaces count. */
  isInString: boolean[];
  /** Why it cannot be put into a function; undefined when it can, as far as strings and brackets go. */
  problem: string | undefined;
}

const closing = new Map([
  [")", "("],
  ["]", "["],
  ["}", "{"],
]);

/** Where the string that begins at `at` ends: behind its quotes, or at the end of the line when it is not closed there. */
function stringEnd(source: string, at: number): { end: number; isClosed: boolean } {
  const quote = source.slice(at, at + 3) === (source[at] ?? "").repeat(3) ? source.slice(at, at + 3) : (source[at] ?? "");
  for (let index = at + quote.length; index < source.length; index += 1) {
    if (source[index] === "\\") index += 1;
    else if (source.startsWith(quote, index)) return { end: index + quote.length, isClosed: true };
    else if (source[index] === "\n" && quote.length === 1) return { end: index, isClosed: false };
  }
  return { end: source.length, isClosed: false };
}

/** Finds strings and brackets, as far as it takes to indent the source and to know that what follows it stays outside. */
export function scanPython(source: string): Scan {
  const isInString = [false];
  const open: string[] = [];
  let problem: string | undefined;
  for (let at = 0; at < source.length; at += 1) {
    const character = source[at] ?? "";
    if (character === "\n") isInString.push(false);
    else if (character === "#") {
      const end = source.indexOf("\n", at);
      at = (end === -1 ? source.length : end) - 1;
    } else if (character === '"' || character === "'") {
      const { end, isClosed } = stringEnd(source, at);
      if (!isClosed) problem ??= `A string is not closed on line ${isInString.length}.`;
      for (const inner of source.slice(at, end)) if (inner === "\n") isInString.push(true);
      at = end - 1;
    } else if ("([{".includes(character)) open.push(character);
    else if (closing.has(character) && open.pop() !== closing.get(character))
      problem ??= `A bracket too much on line ${isInString.length}.`;
  }
  if (open.length > 0) problem ??= "A bracket is not closed.";
  if (/\\\s*$/.test(source)) problem ??= "It ends with a backslash.";
  return { isInString, problem };
}

/** Line ends of one kind, and nothing that cannot be in a file. */
export function normalizeSource(source: string): string {
  return source
    .replace(/\r\n?|[\u2028\u2029\f\v]/g, "\n")
    .replace(/\0/g, "")
    .toWellFormed();
}

/** The source as the body of a function: common indentation removed, four spaces before each line that begins outside of strings. */
export function indentPython(source: string): string[] {
  const text = normalizeSource(source)
    .replace(/^(?:[ \t]*\n)+/, "")
    .trimEnd();
  const { isInString } = scanPython(text);
  const lines = text.split("\n");
  const code = lines.filter((line, index) => isInString[index] !== true && line.trim() !== "");
  const depth = Math.min(...code.map((line) => /^[ \t]*/.exec(line)?.[0].length ?? 0));
  const indented = lines.map((line, index) => {
    if (isInString[index] === true) return line;
    return line.trim() === "" ? "" : `    ${line.slice(depth)}`;
  });
  const isEmpty = code.every((line) => line.trimStart().startsWith("#"));
  return isEmpty ? [...indented.filter((line) => line !== ""), "    pass"] : indented;
}
