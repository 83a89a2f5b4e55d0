import { datasetLimits, type DatasetConfig } from "@syla/contracts/dataset-config";
import type { ColumnStatistics } from "@syla/contracts/datasets";
import { AppError } from "@syla/contracts/errors";
import { openColumnBook, type ColumnBook } from "./column-book.ts";
import { readingProblem } from "./reading/problem.ts";
import type { JsonRow } from "./reading/json.ts";
import { kindOfJson, kindOfText } from "./values.ts";

/** Rows that are read together: a page needs few of these, and none is large. */
const blockRows = 500;
const blockChars = 128 * 1024;

/** Where blocks of rows begin: the number of the first row, and its offset in the file, bytes. */
export type Blocks = readonly (readonly [row: number, offset: number])[];

/** What is known of the rows when all of them have been written. */
export interface WrittenRows {
  readonly columns: DatasetConfig["columns"];
  readonly statistics: readonly ColumnStatistics[];
  readonly rowCount: number;
  readonly blocks: Blocks;
}

/** Writes rows as they are kept, and learns of them on the way. `finish` may be called when all bytes were taken. */
export interface ContentWriter {
  readonly bytes: AsyncGenerator<Buffer>;
  /** @throws AppError `dataset_empty` */
  finish(): WrittenRows;
}

/** A value as a CSV file has it: in quotes when anything in it means something there. Source: RFC 4180. */
function quoteCsv(text: string, isAlone = false): string {
  if (text === "") return isAlone ? '""' : "";
  return /[",\r\n]|^\s|\s$|^\uFEFF/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csvLine(values: readonly string[]): string {
  return `${values.map((value) => quoteCsv(value, values.length === 1)).join(",")}\n`;
}

/** Rows of a CSV file; the first record is its header. @throws AppError `dataset_columns` */
export function writeCsv(batches: AsyncIterable<string[][]>): ContentWriter {
  let books: ColumnBook[] | null = null;
  const blocks = blockWriter();
  async function* bytes() {
    for await (const batch of batches) {
      for (const record of batch) {
        if (books === null) {
          const names = checkHeader(record);
          books = names.map((name) => openColumnBook(name, true, () => names.length));
          blocks.header(csvLine(names));
          continue;
        }
        for (const [index, text] of record.entries()) books[index]?.add(text, kindOfText(text));
        const block = blocks.add(csvLine(record));
        if (block !== null) yield block;
      }
    }
    const rest = blocks.end();
    if (rest !== null) yield rest;
  }
  return { bytes: bytes(), finish: () => finish(books ?? [], blocks) };
}

/** Objects; their columns are the names in them, in the order in which they come. @throws AppError `dataset_columns` */
export function writeJson(batches: AsyncIterable<readonly JsonRow[]>): ContentWriter {
  const books = new Map<string, ColumnBook>();
  const blocks = blockWriter();
  const open = (name: string, line: number): ColumnBook => {
    const problem = books.size >= datasetLimits.columns ? tooMany : nameProblem(name);
    if (problem !== null) throw readingProblem("dataset_columns", problem, { line });
    const book = openColumnBook(name, false, () => books.size);
    books.set(name, book);
    return book;
  };
  async function* bytes() {
    for await (const batch of batches)
      for (const { values, text, line } of batch) {
        for (const name of Object.keys(values)) (books.get(name) ?? open(name, line)).add(values[name], kindOfJson(values[name]));
        const block = blocks.add(`${text}\n`);
        if (block !== null) yield block;
      }
    const rest = blocks.end();
    if (rest !== null) yield rest;
  }
  return { bytes: bytes(), finish: () => finish([...books.values()], blocks) };
}

const tooMany = `there are more than ${datasetLimits.columns} columns`;

function checkHeader(record: readonly string[]): string[] {
  const names = record.map((name) => name.trim());
  const seen = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    const before = seen.get(name);
    const problem =
      index >= datasetLimits.columns
        ? tooMany
        : (nameProblem(name) ??
          (before === undefined ? null : `the column ${JSON.stringify(name)} is there already, as column ${before + 1}`));
    if (problem !== null) throw readingProblem("dataset_columns", problem, { line: 1, column: index + 1 });
    seen.set(name, index);
  }
  return names;
}

function nameProblem(name: string): string | null {
  if (name.trim() === "") return "the column has no name";
  if (name.length > datasetLimits.nameLength) return `the column's name is longer than ${datasetLimits.nameLength} characters`;
  if (/[\u0000-\u001f\u007f-\u009f]/.test(name) || !name.isWellFormed())
    return "the column's name has control characters or is not valid Unicode";
  return name === "__proto__" ? "a column cannot be called __proto__" : null;
}

interface BlockWriter {
  header(text: string): void;
  /** Bytes to be written, when a block is full. */
  add(line: string): Buffer | null;
  end(): Buffer | null;
  rowCount(): number;
  blocks(): Blocks;
}

function blockWriter(): BlockWriter {
  const blocks: [number, number][] = [];
  let lines: string[] = [];
  let [rows, first, chars, offset] = [0, 0, 0, 0];
  let head = "";
  const end = (): Buffer | null => {
    if (lines.length === 0 && head === "") return null;
    const start = Buffer.from(head);
    const body = Buffer.from(lines.join(""));
    if (lines.length > 0) blocks.push([first, offset + start.length]);
    offset += start.length + body.length;
    [lines, chars, first, head] = [[], 0, rows, ""];
    return Buffer.concat([start, body]);
  };
  return {
    header: (text) => (head = text),
    add: (line) => {
      if (rows === datasetLimits.rows) throw tooManyRows(rows);
      lines.push(line);
      rows += 1;
      chars += line.length;
      return lines.length >= blockRows || chars >= blockChars ? end() : null;
    },
    end,
    rowCount: () => rows,
    blocks: () => blocks,
  };
}

function tooManyRows(most: number): AppError {
  return new AppError("dataset_rows", { fields: [{ path: "body", message: `has more than ${most} rows` }] });
}

function finish(books: readonly ColumnBook[], blocks: BlockWriter): WrittenRows {
  const rowCount = blocks.rowCount();
  if (books.length === 0 || rowCount === 0) throw new AppError("dataset_empty");
  const read = books.map((book) => book.read(rowCount, books.length));
  return {
    columns: read.map(({ column }) => column),
    statistics: read.map(({ statistics }) => statistics),
    rowCount,
    blocks: blocks.blocks(),
  };
}
