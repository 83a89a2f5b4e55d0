import { z } from "zod";
import { createMatcher, LogPattern, type Matcher, type Span } from "./log-search.ts";
import { TreeFile } from "./programs.ts";

const globs = z.string().max(1000).optional();

/** What is looked for in files, and in which of them. */
export const FileSearch = LogPattern.extend({
  q: z.string().min(1).max(1000).describe("what a line holds; nothing is found across lines"),
  wholeWord: z.stringbool().default(false).describe("what is found is no part of a longer word"),
  include: globs.describe("only these files: patterns with `*`, `**`, `?` and `{a,b}`, separated by commas; one without `/` is of a name"),
  exclude: globs.describe("not these files"),
  after: z.string().max(4096).optional().describe("the path after which to go on: `nextAfter` of the page before"),
  limit: z.coerce.number().int().min(1).max(2000).default(500).describe("so many lines of a page; the file that they end in is told whole"),
});
export type FileSearch = z.output<typeof FileSearch>;

/** A line in which something was found. */
export const FileMatch = z
  .object({
    line: z.int().describe("from 1"),
    column: z.int().describe("where the first match begins, from 1, in UTF-16 units"),
    text: z.string().describe("the line, or the part of it around the first match"),
    matches: z.array(z.tuple([z.int(), z.int()])).describe("begin and end of each match in the text, in UTF-16 units"),
  })
  .meta({ id: "FileMatch" });
export type FileMatch = z.infer<typeof FileMatch>;

/** A file in which something was found. */
export const FoundFile = z
  .object({
    path: z.string(),
    sha256: TreeFile.shape.sha256,
    lines: z.array(FileMatch).describe("the first 200"),
    count: z.int().describe("how many lines there are"),
  })
  .meta({ id: "FoundFile" });
export type FoundFile = z.infer<typeof FoundFile>;

/** A page of what was found, in the order of the paths. */
export const FoundFiles = z
  .object({
    revision: z.int().describe("what a change of these files is made on"),
    items: z.array(FoundFile),
    files: z.int().describe("files that were looked at for this page"),
    skipped: z.int().describe("of those that were to be looked at: no text, or larger than 5 MiB"),
    nextAfter: z
      .string()
      .nullable()
      .describe("`after` of the next page, as there is more, or there was no time for more; null on the last one"),
  })
  .meta({ id: "FoundFiles" });
export type FoundFiles = z.infer<typeof FoundFiles>;

/** Of a longer line so many characters are looked at: minified code has lines of megabytes. */
const longestLine = 20_000;

/** How a line is looked through. */
export type LineFinder = (line: string) => readonly Span[];

/** Looks for a pattern in lines, in the server and in the page alike. @throws an error that says what is wrong with the pattern */
export async function createLineFinder(wish: Pick<FileSearch, "q" | "regex" | "matchCase" | "wholeWord">): Promise<LineFinder> {
  const matcher: Matcher = (await createMatcher(wish)) ?? (() => []);
  return (whole) => {
    const line = whole.slice(0, longestLine);
    // What has no length cannot be shown, or replaced; what ends where the line was cut may be more, or nothing.
    const isFound = ([begin, end]: Span) =>
      end > begin && (end < line.length || line.length === whole.length) && (!wish.wholeWord || isWord(line, begin, end));
    return matcher(line).filter(isFound);
  };
}

const wordBefore = /[\p{L}\p{N}_]$/u;
const wordAfter = /^[\p{L}\p{N}_]/u;

function isWord(line: string, begin: number, end: number): boolean {
  return !wordBefore.test(line.slice(Math.max(0, begin - 2), begin)) && !wordAfter.test(line.slice(end, end + 2));
}

/** The text with something else in the place of what is found, which is taken as it is written. Ends of lines stay. */
export function replaceFound(text: string, find: LineFinder, replacement: string): { readonly text: string; readonly count: number } {
  let count = 0;
  const lines = text.split("\n").map((line) => {
    const ending = line.endsWith("\r") ? "\r" : "";
    const body = ending === "" ? line : line.slice(0, -1);
    let [made, from] = ["", 0];
    for (const [begin, end] of find(body)) {
      made += body.slice(from, begin) + replacement;
      from = end;
      count += 1;
    }
    return made + body.slice(from) + ending;
  });
  return { text: lines.join("\n"), count };
}
