import { datasetLimits } from "@syla/contracts/dataset-config";
import { findTooDeep } from "../json-depth.ts";
import { readingProblem } from "./problem.ts";

/** One object of the file: its values, and its text on one line as it was written, so that no number loses a digit. */
export interface JsonRow {
  readonly values: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly line: number;
}

/** The objects of a JSON Lines file, in batches. @throws AppError `dataset_malformed` with the place */
export async function* readJsonLines(text: AsyncIterable<string>): AsyncGenerator<JsonRow[]> {
  // Of a line that has not ended yet: a long one may come in very many pieces.
  let parts: string[] = [];
  let length = 0;
  let line = 1;
  for await (const chunk of text) {
    const [first = "", ...others] = chunk.split("\n");
    parts.push(first);
    length += first.length;
    requireShort(length, line);
    if (others.length === 0) continue;
    const lines = [parts.join(""), ...others];
    const rest = lines.pop() ?? "";
    [parts, length] = [[rest], rest.length];
    const rows: JsonRow[] = [];
    for (const content of lines) {
      if (content.trim() !== "") rows.push(toRow(content, { line, column: 1 }));
      line += 1;
    }
    requireShort(length, line);
    if (rows.length > 0) yield rows;
  }
  const rest = parts.join("");
  if (rest.trim() !== "") yield [toRow(rest, { line, column: 1 })];
}

/**
 * The objects of a JSON array, in batches. Only the ends of its elements are looked for here; each of them is then parsed as JSON.
 *
 * @throws AppError `dataset_malformed` with the place
 */
export async function* readJsonArray(text: AsyncIterable<string>): AsyncGenerator<JsonRow[]> {
  const scan = elementScanner();
  for await (const chunk of text) {
    const rows = scan.push(chunk);
    if (rows.length > 0) yield rows;
  }
  scan.end();
}

/** Where in the array the scanner is. */
type ArrayState = "before" | "first" | "element" | "separator" | "next" | "after";

interface Scanner {
  push(chunk: string): JsonRow[];
  end(): void;
}

function elementScanner(): Scanner {
  let state: ArrayState = "before";
  let [line, column] = [1, 0];
  let start = { line: 1, column: 1 };
  let parts: string[] = [];
  let length = 0;
  let depth = 0;
  let inString = false;
  let escaped = false;
  const wrong = (what: string) => readingProblem("dataset_malformed", what, { line, column });

  const push = (chunk: string): JsonRow[] => {
    const rows: JsonRow[] = [];
    let from = 0;
    const take = (to: number) => {
      parts.push(chunk.slice(from, to));
      length += to - from;
      if (length > datasetLimits.rowBytes) throw tooLong(start.line);
    };
    for (let at = 0; at < chunk.length; at += 1) {
      const mark = chunk[at];
      if (mark === "\n") [line, column] = [line + 1, 0];
      else column += 1;
      if (state === "element") {
        if (inString) {
          if (escaped) escaped = false;
          else if (mark === "\\") escaped = true;
          else if (mark === '"') inString = false;
          continue;
        }
        if (mark === '"') inString = true;
        else if (mark === "{" || mark === "[") depth += 1;
        else if (mark === "}" || mark === "]") depth -= 1;
        if (depth > datasetLimits.depth) throw tooDeep(line, column);
        if (depth > 0) continue;
        take(at + 1);
        rows.push(toRow(parts.join(""), start));
        [parts, length, state] = [[], 0, "separator"];
        continue;
      }
      if (mark === " " || mark === "\n" || mark === "\r" || mark === "\t") continue;
      if (state === "before" && mark === "[") state = "first";
      else if ((state === "first" || state === "separator") && mark === "]") state = "after";
      else if (state === "separator" && mark === ",") state = "next";
      else if ((state === "first" || state === "next") && mark === "{") {
        [state, depth, from, start] = ["element", 1, at, { line, column }];
      } else throw wrong(expected[state]);
    }
    if (state === "element") take(chunk.length);
    return rows;
  };
  return {
    push,
    end: () => {
      if (state !== "after") throw wrong(state === "element" ? "the file ends within an object" : "the file ends before the array does");
    },
  };
}

const expected: Readonly<Record<ArrayState, string>> = {
  before: "an array of objects is expected",
  first: "an object is expected",
  element: "an object is expected",
  separator: "a comma or the end of the array is expected",
  next: "an object is expected",
  after: "something follows the end of the array",
};

/** @throws AppError `dataset_malformed` */
function toRow(content: string, start: { readonly line: number; readonly column: number }): JsonRow {
  requireShort(content.length, start.line);
  const text = content.trim();
  requireShallow(text, start);
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch {
    throw readingProblem("dataset_malformed", "this is not valid JSON", placeOf(content, start));
  }
  if (typeof values !== "object" || values === null || Array.isArray(values))
    throw readingProblem("dataset_malformed", "an object is expected, with the values of the row by their columns", start);
  // Outside of strings, which hold no raw line ends, one space is as good.
  return { values: values as Record<string, unknown>, text: text.replaceAll(/[\r\n]+/g, " "), line: start.line };
}

/** Where the mistake is, counted from where the object begins: after the longest start that could go on to be right. */
function placeOf(content: string, start: { readonly line: number; readonly column: number }) {
  let [good, bad] = [0, content.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (couldGoOn(content.slice(0, middle))) good = middle;
    else bad = middle;
  }
  const before = content.slice(0, good).split("\n");
  const last = before.at(-1) ?? "";
  return before.length === 1
    ? { line: start.line, column: start.column + last.length }
    : { line: start.line + before.length - 1, column: last.length + 1 };
}

/** Whether the only thing wrong with a text is that it ends. The parser tells the place of a mistake, or says that the text ends. */
function couldGoOn(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const message = error instanceof Error ? error.message : "";
    const place = /position (\d+)/.exec(message)?.[1];
    return /end of JSON input|Unterminated/.test(message) || (place !== undefined && Number(place) >= text.length);
  }
}

/** @throws AppError `dataset_malformed` */
export function requireShallow(text: string, start: { readonly line: number; readonly column: number }): void {
  const at = findTooDeep(text);
  if (at >= 0) throw tooDeep(start.line, start.column + at);
}

function requireShort(length: number, line: number): void {
  if (length > datasetLimits.rowBytes) throw tooLong(line);
}

function tooLong(line: number) {
  return readingProblem("dataset_malformed", `the row is longer than ${datasetLimits.rowBytes / 1024 / 1024} MiB`, { line });
}

function tooDeep(line: number, column: number) {
  return readingProblem("dataset_malformed", `values are nested deeper than ${datasetLimits.depth} levels`, { line, column });
}
