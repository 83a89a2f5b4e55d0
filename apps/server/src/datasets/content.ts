import { setImmediate as nextTurn } from "node:timers/promises";
import type { DatasetConfig } from "@syla/contracts/dataset-config";
import { ColumnStatistics } from "@syla/contracts/datasets";
import { AppError } from "@syla/contracts/errors";
import { parse } from "csv-parse/sync";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import type { Blobs } from "../platform/blobs.ts";
import type { TreeEntry, Trees } from "../platform/trees.ts";
import { csvLine, type Blocks, type WrittenRows } from "./content-writer.ts";
import { hasRow, splitOf } from "./splits.ts";
import { textOfValue, valueOfText } from "./values.ts";

/** Names in the tree of a dataset: its rows, and what helps to read them. */
const rowsFile = { csv: "rows.csv", jsonl: "rows.jsonl" } as const;
const indexFile = "index.json";
const statisticsFile = "statistics.json";

const Index = z.object({ version: z.literal(1), blocks: z.array(z.tuple([z.int(), z.int()])) });
/** Of all indexes that are remembered together. */
const rememberedBlocks = 500_000;
/** So many blocks are passed by until others have their turn. */
const blocksOfATurn = 200;

/** The stored rows of a version. */
export interface Content {
  readonly config: DatasetConfig;
  readonly rows: { readonly sha256: string; readonly size: number };
  readonly index: string;
  readonly statistics: string;
}

/** A row as it was read: by its columns in their order. */
export interface ReadRow {
  readonly row: number;
  readonly values: readonly unknown[];
}

/** Rows that lie together in the file. */
interface Block {
  readonly firstRow: number;
  readonly rows: number;
  readonly start: number;
  readonly end: number;
}

/** What reading rows needs. */
export interface ContentContext {
  readonly blobs: Blobs;
  readonly trees: Pick<Trees, "read">;
}

/** Finds what a version of a dataset is stored as. @throws AppError `not_found` */
export async function findContent({ trees }: Pick<ContentContext, "trees">, tree: string | null, config: DatasetConfig): Promise<Content> {
  const entries = new Map((tree === null ? [] : await trees.read(tree)).map((entry) => [entry.path, entry]));
  const [rows, index, statistics] = [rowsFile[config.format], indexFile, statisticsFile].map((name) => entries.get(name));
  if (rows === undefined || index === undefined || statistics === undefined) throw new AppError("not_found");
  return { config, rows, index: index.sha256, statistics: statistics.sha256 };
}

/** The files of a dataset's tree, once its rows are stored; what helps to read them is stored here. */
export async function storeContent(
  blobs: Blobs,
  format: DatasetConfig["format"],
  rows: { readonly sha256: string; readonly size: number },
  { blocks, statistics }: WrittenRows,
): Promise<TreeEntry[]> {
  const index = await blobs.put(Buffer.from(JSON.stringify({ version: 1, blocks })));
  const learned = await blobs.put(Buffer.from(JSON.stringify(statistics)));
  const mode = 420 as const;
  return [
    { path: rowsFile[format], mode, ...rows },
    { path: indexFile, mode, ...index },
    { path: statisticsFile, mode, ...learned },
  ];
}

export async function readStatistics(blobs: Blobs, { statistics }: Content): Promise<ColumnStatistics[]> {
  return z.array(ColumnStatistics).parse(JSON.parse((await blobs.get(statistics)).toString()));
}

const indexes = new LRUCache<string, Blocks>({ maxSize: rememberedBlocks, sizeCalculation: (blocks) => blocks.length + 1 });

async function readIndex(blobs: Blobs, sha256: string): Promise<Blocks> {
  const known = indexes.get(sha256);
  if (known !== undefined) return known;
  const { blocks } = Index.parse(JSON.parse((await blobs.get(sha256)).toString()));
  indexes.set(sha256, blocks);
  return blocks;
}

/** The blocks of rows from one row on. */
export async function blocksFrom(blobs: Blobs, { index, rows, config }: Content, row: number): Promise<Block[]> {
  const blocks = await readIndex(blobs, index);
  let [low, high] = [0, blocks.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((blocks[middle]?.[0] ?? 0) <= row) low = middle;
    else high = middle;
  }
  return blocks.slice(low).map(([firstRow, start], at) => {
    const next = blocks[low + at + 1];
    return { firstRow, rows: (next?.[0] ?? config.rowCount) - firstRow, start, end: next?.[1] ?? rows.size };
  });
}

/** The rows of a block, as text and by their values. */
export async function readBlock(blobs: Blobs, { rows, config }: Content, block: Block): Promise<ReadRow[]> {
  const bytes = await readPart(blobs, rows.sha256, block);
  const { columns } = config;
  if (config.format === "csv") {
    const records = parse(bytes, { skip_empty_lines: true, record_delimiter: "\n" });
    return records.map((texts, at) => ({
      row: block.firstRow + at,
      values: columns.map(({ type }, index) => valueOfText(texts[index] ?? "", type)),
    }));
  }
  const lines = bytes.toString().split("\n").slice(0, block.rows);
  return lines.map((line, at) => {
    const values = JSON.parse(line) as Record<string, unknown>;
    return { row: block.firstRow + at, values: columns.map(({ name }) => (Object.hasOwn(values, name) ? values[name] : null) ?? null) };
  });
}

async function readPart(blobs: Blobs, sha256: string, { start, end }: Pick<Block, "start" | "end">): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of await blobs.open(sha256, { start, end })) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** The rows, or those of a split, as a file. Nothing is held in memory but a block of them. */
export async function* writeContent(
  blobs: Blobs,
  content: Content,
  { format, split }: { readonly format: DatasetConfig["format"]; readonly split: string | null },
): AsyncGenerator<Uint8Array> {
  const { config, rows } = content;
  if (split === null && format === config.format) return yield* (await blobs.open(rows.sha256)) as AsyncIterable<Uint8Array>;
  const names = config.columns.map(({ name }) => name);
  const nameOf = splitOf(config.splits);
  const isIn = (row: number) => split === null || nameOf(row) === split;
  const keep = format === config.format ? textsOf(blobs, content) : null;
  const blocks = await blocksFrom(blobs, content, 0);
  if (keep === null && format === "csv") yield Buffer.from(csvLine(names));
  // As it is kept: what a run knows of a dataset may leave out the names of its columns. Files of JSON have none of it.
  else if (format === "csv") yield await readPart(blobs, rows.sha256, { start: 0, end: blocks[0]?.start ?? rows.size });
  for (const [passed, block] of blocks.entries()) {
    if (passed % blocksOfATurn === blocksOfATurn - 1) await nextTurn();
    if (!hasRow(block.firstRow, block.firstRow + block.rows, isIn)) continue;
    const lines =
      keep === null
        ? (await readBlock(blobs, content, block)).filter(({ row }) => isIn(row)).map(({ values }) => lineOf(values, names, format))
        : (await keep(block)).filter((_, at) => isIn(block.firstRow + at));
    yield Buffer.from(lines.join(""));
  }
}

/** The lines of a block as they are kept: no digit changes on the way. */
function textsOf(blobs: Blobs, { config, rows }: Content): (block: Block) => Promise<string[]> {
  return async (block) => {
    const bytes = await readPart(blobs, rows.sha256, block);
    if (config.format === "csv") return parse(bytes, { skip_empty_lines: true, record_delimiter: "\n" }).map(csvLine);
    return bytes
      .toString()
      .split("\n")
      .slice(0, block.rows)
      .map((line) => `${line}\n`);
  };
}

function lineOf(values: readonly unknown[], names: readonly string[], format: DatasetConfig["format"]): string {
  if (format === "csv") return csvLine(values.map(textOfValue));
  return `${JSON.stringify(Object.fromEntries(names.map((name, index) => [name, values[index] ?? null])))}\n`;
}
