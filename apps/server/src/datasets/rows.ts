import { setImmediate as nextTurn } from "node:timers/promises";
import type { DatasetRow, RowsQuery } from "@syla/contracts/datasets";
import { AppError } from "@syla/contracts/errors";
import type { Blobs } from "../platform/blobs.ts";
import { readCursor } from "../platform/page-cursor.ts";
import { blocksFrom, readBlock, type Content, type ReadRow } from "./content.ts";
import { findRow, hasRow, requireSplit, splitOf } from "./splits.ts";
import { textOfValue } from "./values.ts";

/** A page ends when it has so much text in it, or when so much was read to find what is looked for. */
const mostPageChars = 4 * 1024 * 1024;
const mostScannedBytes = 16 * 1024 * 1024;
/** So many blocks are passed by until others have their turn. */
const blocksOfATurn = 200;

/** A page of rows. */
export interface RowPage {
  readonly items: DatasetRow[];
  readonly nextCursor: string | null;
  readonly total: number | null;
}

/** Reads a page of rows. @throws AppError `invalid_cursor`, `split_unknown`, `column_unknown` */
export async function readRows(blobs: Blobs, content: Content, query: RowsQuery): Promise<RowPage> {
  const { config } = content;
  const share = query.split === undefined ? null : requireSplit(config.splits, query.split);
  const nameOf = splitOf(config.splits);
  const isIn = (row: number) => share === null || nameOf(row) === share.name;
  const matches = matcherOf(content, query);
  const shown = chooseColumns(content, query.columns);
  const first = await firstRow(query, config.rowCount, isIn, share !== null);
  const total = matches === null ? (share?.rows ?? config.rowCount) : null;

  const items: DatasetRow[] = [];
  let [chars, scanned] = [0, 0];
  const present = ({ row, values }: ReadRow): DatasetRow => ({
    row,
    split: nameOf(row),
    values: Object.fromEntries(shown.map(({ name, index }) => [name, values[index] ?? null])),
  });
  const blocks = first >= config.rowCount ? [] : await blocksFrom(blobs, content, first);
  for (const [at, block] of blocks.entries()) {
    if (at % blocksOfATurn === blocksOfATurn - 1) await nextTurn();
    const last = block.firstRow + block.rows;
    if (!hasRow(Math.max(first, block.firstRow), last, isIn)) continue;
    for (const read of await readBlock(blobs, content, block)) {
      if (read.row < first || !isIn(read.row) || matches?.(read) === false) continue;
      if (items.length === query.limit || chars > mostPageChars) return { items, nextCursor: cursorAt(read.row), total };
      const item = present(read);
      chars += JSON.stringify(item.values).length;
      items.push(item);
    }
    scanned += block.end - block.start;
    if (last < config.rowCount && (scanned > mostScannedBytes || items.length === query.limit)) {
      if (matches === null && (await findRow(last, config.rowCount, isIn)) === config.rowCount) break;
      return { items, nextCursor: cursorAt(last), total };
    }
  }
  return { items, nextCursor: null, total };
}

function cursorAt(row: number): string {
  return Buffer.from(`row ${row}`).toString("base64url");
}

/** The row that a page begins with. */
async function firstRow(
  { cursor, offset = 0 }: Pick<RowsQuery, "cursor" | "offset">,
  rowCount: number,
  isIn: (row: number) => boolean,
  isSplit: boolean,
): Promise<number> {
  const key = readCursor(cursor, /^row \d{1,10}$/);
  if (key !== null) return Number(key.slice("row ".length));
  return isSplit ? await findRow(0, rowCount, isIn, offset) : offset;
}

/** Whether a row is one that is looked for; null when all are. */
function matcherOf({ config }: Content, { column, equals, contains }: RowsQuery): ((row: ReadRow) => boolean) | null {
  if (equals === undefined && contains === undefined) return null;
  const index = column === undefined ? -1 : indexOfColumn(config.columns, column, "column");
  const wanted = contains?.toLowerCase();
  const fits = (value: unknown): boolean => {
    const text = textOfValue(value);
    return (equals === undefined || text === equals) && (wanted === undefined || text.toLowerCase().includes(wanted));
  };
  return ({ values }) => (index >= 0 ? fits(values[index]) : values.some(fits));
}

function chooseColumns({ config }: Content, wish: string | undefined): { name: string; index: number }[] {
  if (wish === undefined) return config.columns.map(({ name }, index) => ({ name, index }));
  return namesOf(wish).map((name) => ({ name, index: indexOfColumn(config.columns, name, "columns") }));
}

function namesOf(wish: string): string[] {
  if (!wish.startsWith("[")) return wish.split(",");
  try {
    const names: unknown = JSON.parse(wish);
    if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
  } catch {
    // Told below, like everything else that is no array of names.
  }
  throw new AppError("invalid_request", {
    fields: [{ path: "columns", message: "must be names, separated by commas, or a JSON array of them" }],
  });
}

function indexOfColumn(columns: readonly { readonly name: string }[], name: string, path: string): number {
  const index = columns.findIndex((column) => column.name === name);
  if (index >= 0) return index;
  const message = `there is no column ${JSON.stringify(name)}`;
  throw new AppError("column_unknown", { message: `T${message.slice(1)}.`, fields: [{ path, message }] });
}
