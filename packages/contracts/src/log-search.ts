import { z } from "zod";
import { isAtLeast, LogLevel } from "./log-levels.ts";
import { LogLine, logStreams } from "./log-lines.ts";

/** Which lines of a log. */
export const LogFilter = z.object({
  stream: z.enum(["all", ...logStreams]).default("all"),
  level: LogLevel.optional().describe("of this level or graver"),
  node: z.string().min(1).max(64).optional().describe("only what this node of a composition has written"),
});
export type LogFilter = z.output<typeof LogFilter>;

/** A longer pattern would take too long for each line. */
const longestPattern = 200;

/** What is looked for in lines. */
export const LogPattern = z.object({
  q: z.string().max(1000).optional().describe("what a line holds; every line when left out"),
  regex: z.stringbool().default(false).describe("`q` is a regular expression in RE2's syntax, which takes linear time"),
  matchCase: z.stringbool().default(false),
});
export type LogPattern = z.output<typeof LogPattern>;

/** Begin and end of a match in a text, in UTF-16 units. */
export type Span = readonly [number, number];

export const FoundLine = LogLine.extend({
  matches: z.array(z.tuple([z.int(), z.int()])).describe("begin and end of each match in the text, in UTF-16 units; the first hundred"),
}).meta({ id: "FoundLine" });
export type FoundLine = z.infer<typeof FoundLine>;

/** A page of the lines that match, in order. */
export const FoundLines = z
  .object({
    items: z.array(FoundLine),
    count: z.int().describe("lines that match, on all pages"),
    lines: z.int().describe("lines that were looked at"),
    complete: z
      .boolean()
      .describe("false: there was no time for the rest of the log; what is told holds for the lines that were looked at"),
    nextAfter: z.int().nullable().describe("`after` of the next page; null on the last one"),
  })
  .meta({ id: "FoundLines" });
export type FoundLines = z.infer<typeof FoundLines>;

/** Whether a line is one of those. Its level is looked at only where it matters: to tell it is work. */
export function isWanted(line: Pick<LogLine, "stream" | "level" | "nodeId">, filter: LogFilter): boolean {
  if (filter.stream !== "all" && line.stream !== filter.stream) return false;
  if (filter.node !== undefined && line.nodeId !== filter.node) return false;
  return filter.level === undefined || isAtLeast(line.level, filter.level);
}

const mostMatches = 100;

/** Finds the matches of a pattern in a text. */
export type Matcher = (text: string) => readonly Span[];

/** A matcher that takes time linear in the text, whatever the pattern. @throws an error that says what is wrong with the pattern */
export async function createMatcher({ q, regex, matchCase }: LogPattern): Promise<Matcher | null> {
  if (q === undefined || q === "") return null;
  return regex ? await createRegexMatcher(q, matchCase) : createTextMatcher(q, matchCase);
}

/** The same for plain text, at once. */
export function createTextMatcher(wanted: string, matchCase: boolean): Matcher {
  const pattern = new RegExp(wanted.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`), matchCase ? "gu" : "giu");
  return (text) => {
    const found: Span[] = [];
    pattern.lastIndex = 0;
    for (let match = pattern.exec(text); match !== null && found.length < mostMatches; match = pattern.exec(text))
      found.push([match.index, match.index + match[0].length]);
    return found;
  };
}

async function createRegexMatcher(source: string, matchCase: boolean): Promise<Matcher> {
  if (source.length > longestPattern) throw new Error(`a pattern has at most ${longestPattern} characters`);
  const { RE2JS } = await import("re2js");
  const pattern = RE2JS.compile(source, matchCase ? 0 : RE2JS.CASE_INSENSITIVE);
  return (text) => {
    const found: Span[] = [];
    const matcher = pattern.matcher(text);
    while (found.length < mostMatches && matcher.find()) found.push([matcher.start(), matcher.end()]);
    return found;
  };
}
