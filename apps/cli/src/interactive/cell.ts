import type { SandboxContext } from "@syla/sdk";

/** A language that an interpreter of a sandbox keeps variables of. */
export type CellLanguage = SandboxContext["language"];

interface Scan {
  /** Brackets that are open. */
  readonly depth: number;
  /** A string or comment that goes on. */
  readonly open: boolean;
  /** What is left of the last line without comments. */
  readonly lastCode: string;
}

/**
 * Whether what was typed so far is to be run. Brackets and strings go on until they are closed; a block of Python ends with an empty line,
 * as at Python's own prompt. What is wrong in other ways is the interpreter's to tell.
 */
export function isComplete(language: CellLanguage, lines: readonly string[]): boolean {
  const { depth, open, lastCode } = scan(language, lines.join("\n"));
  if (open || depth > 0) return false;
  if (language === "javascript") return true;
  if (lines.at(-1)?.endsWith("\\") === true) return false;
  const opensBlock = lines.some((line) => /^\s+\S/.test(line)) || /:\s*$/.test(lastCode) || /^\s*@/.test(lines[0] ?? "");
  return !opensBlock || lines.at(-1)?.trim() === "";
}

const quotes: Readonly<Record<CellLanguage, readonly string[]>> = {
  python: ['"""', "'''", '"', "'"],
  javascript: ["`", '"', "'"],
};

function scan(language: CellLanguage, text: string): Scan {
  let depth = 0;
  let quote: string | null = null;
  let inComment = false;
  let code = "";
  for (let at = 0; at < text.length; at++) {
    const rest = text.slice(at, at + 3);
    const character = rest[0] ?? "";
    if (inComment) {
      if (rest.startsWith("*/")) [inComment, at] = [false, at + 1];
    } else if (quote !== null) {
      if (character === "\\") at += 1;
      else if (rest.startsWith(quote)) [at, quote] = [at + quote.length - 1, null];
      // a short string ends with its line: what is wrong with it is not for us to wait for
      else if (character === "\n" && quote.length === 1 && quote !== "`") quote = null;
    } else if (startsComment(language, rest)) {
      const end = text.indexOf("\n", at);
      at = (end < 0 ? text.length : end) - 1;
    } else if (language === "javascript" && rest.startsWith("/*")) [inComment, at] = [true, at + 1];
    else {
      const opened = quotes[language].find((mark) => rest.startsWith(mark));
      if (opened !== undefined) [quote, at] = [opened, at + opened.length - 1];
      if ("([{".includes(character)) depth += 1;
      if (")]}".includes(character)) depth = Math.max(0, depth - 1);
      code = character === "\n" ? "" : code + character;
    }
  }
  return { depth, open: quote !== null && (quote.length === 3 || quote === "`") ? true : inComment, lastCode: code };
}

function startsComment(language: CellLanguage, rest: string): boolean {
  return language === "python" ? rest.startsWith("#") : rest.startsWith("//");
}
