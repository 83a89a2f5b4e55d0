import { setImmediate as nextTurn } from "node:timers/promises";
import { AppError } from "@syla/contracts/errors";
import { createLineFinisher, createLineReader, type LogLine } from "@syla/contracts/log-lines";
import {
  createMatcher,
  isWanted,
  type FoundLine,
  type FoundLines,
  type LogFilter,
  type LogPattern,
  type Matcher,
  type Span,
} from "@syla/contracts/log-search";
import type { RunEvent } from "@syla/contracts/runs";

/** Which page of what is found. */
export interface SearchPage {
  readonly after: number;
  readonly limit: number;
}

/** The lines of a log, each when nothing more can come to it. */
export async function* readLogLines(events: AsyncIterable<RunEvent>): AsyncGenerator<LogLine> {
  const ended: LogLine[] = [];
  const finish = createLineFinisher();
  const reader = createLineReader(
    (line) => line,
    (line) => void ended.push(finish(line)),
  );
  for await (const event of events) {
    reader.take(event);
    if (ended.length > 0) yield* ended.splice(0);
  }
  reader.end();
  yield* ended;
}

/** What a pattern stands for. @throws AppError `invalid_pattern` */
export async function matcherOf(pattern: LogPattern): Promise<Matcher | null> {
  try {
    return await createMatcher(pattern);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : "";
    throw new AppError("invalid_pattern", { cause, fields: [{ path: "query.q", message }] });
  }
}

/** After so long others get their turn: a pattern can take its time for each line. */
const sliceMs = 10;

/**
 * Looks through a whole log, which takes as much memory as one page does. `isEnough` ends it early; then what was found so far is told as such.
 */
export async function searchLog(
  lines: AsyncIterable<LogLine>,
  matcher: Matcher | null,
  filter: LogFilter,
  { after, limit }: SearchPage,
  isEnough: () => boolean,
): Promise<FoundLines> {
  const page = new FirstLines(limit + 1);
  let [count, seen, complete, began] = [0, 0, true, performance.now()];
  for await (const line of lines) {
    seen += 1;
    const isSliceOver = performance.now() - began > sliceMs;
    if ((isSliceOver || seen % 256 === 0) && isEnough()) {
      complete = false;
      break;
    }
    if (isSliceOver) {
      await nextTurn();
      began = performance.now();
    }
    if (!isWanted(line, filter)) continue;
    const matches = matcher?.(line.text) ?? [];
    if (matcher !== null && matches.length === 0) continue;
    count += 1;
    if (line.number > after) page.add(line, matches);
  }
  const found = page.lines;
  const items = found.slice(0, limit);
  return { items, count, lines: seen, complete, nextAfter: found.length > limit ? (items.at(-1)?.number ?? null) : null };
}

/** The first of the lines that come, which come nearly in order: a line of one output may end after later ones of the other. */
class FirstLines {
  readonly lines: FoundLine[] = [];
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  add(line: LogLine, matches: readonly Span[]): void {
    const after = this.lines.findLastIndex(({ number }) => number < line.number);
    if (after + 1 >= this.#most) return;
    this.lines.splice(after + 1, 0, { ...line, matches: matches.map(([begin, end]) => [begin, end]) });
    if (this.lines.length > this.#most) this.lines.pop();
  }
}
