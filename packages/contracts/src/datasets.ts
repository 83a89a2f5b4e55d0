import { z } from "zod";
import { Visibility } from "./access.ts";
import { ifMatch, version } from "./asset-fields.ts";
import { Asset } from "./assets.ts";
import { ColumnType, DatasetSplitsInput, splitName } from "./dataset-config.ts";
import { pageQuery } from "./page.ts";
import { route } from "./route.ts";
import { description, name } from "./fields.ts";

/** A row: its number, and its values by the names of their columns. What is missing is null. */
export const DatasetRow = z
  .object({
    row: z.int().describe("counted from 0, in all rows of the version"),
    split: z.string().nullable(),
    values: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "DatasetRow" });
export type DatasetRow = z.infer<typeof DatasetRow>;

const number = z.number().nullable();

/** What the values of one column are like. */
export const ColumnStatistics = z
  .object({
    name: z.string(),
    type: ColumnType,
    count: z.int().describe("rows with a value"),
    empty: z.int().describe("rows without one"),
    emptyShare: z.number(),
    distinct: z.int().nullable().describe("how many different values there are; null: more than are counted"),
    distinctBound: z.int().describe("so many are counted"),
    top: z.array(z.object({ value: z.string(), count: z.int() })).describe("the most frequent ones; none when not all are counted"),
    examples: z.array(z.string()).describe("the first different values, as text"),
    min: z.union([z.number(), z.string()]).nullable().describe("of numbers and dates"),
    max: z.union([z.number(), z.string()]).nullable(),
    mean: number.describe("of numbers"),
    longest: z.int().nullable().describe("of text: the most characters"),
    histogram: z
      .array(z.object({ from: z.number(), to: z.number(), count: z.int() }))
      .nullable()
      .describe("of numbers: how many lie in each of up to 16 parts, nearly equal ones"),
  })
  .meta({ id: "ColumnStatistics" });
export type ColumnStatistics = z.infer<typeof ColumnStatistics>;

const DatasetEncoding = z.enum(["auto", "utf-8", "utf-16le", "utf-16be", "latin1"]);
export const DatasetFormat = z.enum(["auto", "csv", "tsv", "json", "jsonl", "parquet"]);
export type DatasetFormat = z.infer<typeof DatasetFormat>;

/** How uploaded bytes are to be read. */
const reading = {
  format: DatasetFormat.default("auto").describe("told by the file's name and its first bytes when left out"),
  encoding: DatasetEncoding.default("auto").describe(
    "UTF-8, or UTF-16 where its marks are found, when left out; `latin1` is never guessed",
  ),
  filename: z.string().max(255).optional(),
};
const message = z
  .string()
  .max(2000)
  .refine((text) => !text.includes("\0") && text.isWellFormed(), "no NUL, valid Unicode")
  .optional();

const NewDatasetQuery = z.object({
  ...reading,
  name: name,
  description: description.default(""),
  tags: z
    .string()
    .regex(/^([a-z0-9-]{1,30}(,[a-z0-9-]{1,30}){0,9})?$/, "at most 10, separated by commas")
    .default(""),
  ownerId: z.string().min(1).max(64).optional().describe("you, or one of your teams; you when left out"),
  visibility: Visibility.default("private"),
});
export type NewDatasetQuery = z.output<typeof NewDatasetQuery>;

const DatasetContentQuery = z.object({ ...reading, message, version: version.optional() });
export type DatasetContentQuery = z.output<typeof DatasetContentQuery>;

const atVersion = { version: z.string().max(64).optional().describe("a published version; what is there now when left out") };

/** Which rows. */
const RowsQuery = z.object({
  ...pageQuery,
  ...atVersion,
  offset: z.coerce.number().int().min(0).max(1_000_000_000).optional().describe("rows to leave out, in place of a cursor"),
  columns: z.string().max(20_000).optional().describe("names, separated by commas; or a JSON array of them"),
  split: splitName.optional(),
  column: z.string().max(200).optional().describe("where `equals` or `contains` looks"),
  equals: z.string().max(1000).optional().describe("only rows whose value, as text, is this"),
  contains: z.string().max(1000).optional().describe("only rows whose value, as text, has this in it, whatever the case"),
});
export type RowsQuery = z.output<typeof RowsQuery>;

const ExportQuery = z.object({ ...atVersion, format: z.enum(["csv", "jsonl"]).optional(), split: splitName.optional() });
export type ExportQuery = z.output<typeof ExportQuery>;

const common = { tag: "datasets", auth: "user" } as const;
const params = z.object({ id: z.string().max(64) });
const readingErrors = [
  "dataset_format",
  "dataset_encoding",
  "dataset_malformed",
  "dataset_columns",
  "dataset_rows",
  "dataset_empty",
  "dataset_busy",
  "payload_too_large",
  "quota_exceeded",
  "storage_full",
] as const;

/** What is particular to datasets; everything else is done with them as with any asset. */
export const datasetRoutes = {
  createDataset: route({
    ...common,
    audit: "dataset.create",
    once: "answer",
    method: "POST",
    path: "/api/v1/datasets",
    summary: "Upload rows as a new dataset (CSV, TSV, JSON, JSON Lines, Parquet), and publish its first version",
    query: NewDatasetQuery,
    body: "bytes",
    responses: { 201: Asset },
    errors: [...readingErrors, "forbidden", "not_found", "name_taken"],
  }),
  replaceDatasetContent: route({
    ...common,
    audit: "dataset.replace",
    method: "POST",
    path: "/api/v1/datasets/:id/content",
    summary: "Upload other rows, and publish them as the next version; the splits are shared out anew with the same seed",
    params,
    headers: ifMatch,
    query: DatasetContentQuery,
    body: "bytes",
    responses: { 200: Asset },
    errors: [...readingErrors, "not_found", "forbidden", "asset_deleted", "revision_conflict", "revision_required", "version_taken"],
  }),
  splitDataset: route({
    ...common,
    audit: "dataset.split",
    method: "POST",
    path: "/api/v1/datasets/:id/splits",
    summary: "Share the rows out into splits by a seed, and publish that as the next version",
    params,
    headers: ifMatch,
    body: z.strictObject({ splits: DatasetSplitsInput.nullable().describe("null: none"), message }),
    responses: { 200: Asset },
    errors: ["not_found", "forbidden", "asset_deleted", "revision_conflict", "revision_required"],
  }),
  listDatasetRows: route({
    ...common,
    link: "asset",
    method: "GET",
    path: "/api/v1/datasets/:id/rows",
    summary: "Read rows of a dataset by the page; a page may be short, the last one has no `nextCursor`",
    params,
    query: RowsQuery,
    responses: {
      200: z.object({
        items: z.array(DatasetRow),
        nextCursor: z.string().nullable(),
        total: z.int().nullable().describe("rows of the version, or of its split; null when rows are looked for"),
      }),
    },
    errors: ["not_found", "invalid_cursor", "split_unknown", "column_unknown"],
  }),
  getDatasetStatistics: route({
    ...common,
    method: "GET",
    path: "/api/v1/datasets/:id/statistics",
    summary: "What the values of each column are like",
    params,
    query: z.object(atVersion),
    responses: { 200: z.object({ rowCount: z.int(), columns: z.array(ColumnStatistics) }) },
    errors: ["not_found"],
  }),
  exportDataset: route({
    ...common,
    method: "GET",
    path: "/api/v1/datasets/:id/export",
    summary: "Download the rows, or those of a split, as CSV or JSON Lines",
    params,
    query: ExportQuery,
    responses: { 200: "bytes" },
    errors: ["not_found", "split_unknown"],
  }),
};
