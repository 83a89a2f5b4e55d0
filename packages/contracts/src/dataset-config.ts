import { z } from "zod";
import { sha256 } from "./asset-fields.ts";

/** What the values of a column are. `mixed`: of more than one type. */
export const ColumnType = z.enum(["string", "integer", "number", "boolean", "date", "json", "mixed", "empty"]).meta({ id: "ColumnType" });
export type ColumnType = z.infer<typeof ColumnType>;

/** One column of a dataset. */
export const DatasetColumn = z
  .strictObject({
    name: z.string().max(200),
    type: ColumnType,
    empty: z.int().describe("rows without a value"),
  })
  .meta({ id: "DatasetColumn" });
export type DatasetColumn = z.infer<typeof DatasetColumn>;

export const splitName = z
  .string()
  .regex(/^[a-z0-9_-]+$/, "lower-case letters, digits, - and _")
  .max(30);

const seed = z.int().min(0).max(2_147_483_647);
const percent = z.number().min(0).max(100);

/** How rows are to be shared out. */
export const DatasetSplitsInput = z
  .strictObject({
    seed: seed.default(0),
    shares: z
      .array(z.strictObject({ name: splitName, percent }))
      .min(1)
      .max(10),
  })
  .refine(({ shares }) => new Set(shares.map(({ name }) => name)).size === shares.length, {
    path: ["shares"],
    message: "every split needs a name of its own",
  })
  .refine(({ shares }) => Math.abs(shares.reduce((sum, share) => sum + share.percent, 0) - 100) < 1e-6, {
    path: ["shares"],
    message: "must add up to 100 percent",
  })
  .meta({ id: "DatasetSplitsInput" });
export type DatasetSplitsInput = z.output<typeof DatasetSplitsInput>;

/** Shares of the rows, chosen by a hash of the seed and the row's number: the same seed gives the same rows. */
export const DatasetSplits = z
  .strictObject({
    seed,
    shares: z
      .array(z.strictObject({ name: splitName, percent, rows: z.int().describe("how many rows it has") }))
      .min(1)
      .max(10),
  })
  .meta({ id: "DatasetSplits" });
export type DatasetSplits = z.infer<typeof DatasetSplits>;

/** What a dataset may have at most. */
export const datasetLimits = { columns: 1000, rows: 10_000_000, rowBytes: 1024 * 1024, depth: 100, nameLength: 200 } as const;

/** What a dataset is: its rows are `rows.csv` or `rows.jsonl` of its tree; what lies beside them helps to read them. */
export const DatasetConfig = z
  .strictObject({
    format: z.enum(["csv", "jsonl"]).describe("how the rows are kept"),
    source: z.enum(["csv", "tsv", "json", "jsonl", "parquet"]).describe("what was uploaded"),
    columns: z.array(DatasetColumn).max(datasetLimits.columns),
    rowCount: z.int().min(0),
    contentSha256: sha256.describe("of the rows as they are kept: UTF-8, lines that end in LF"),
    splits: DatasetSplits.nullable().default(null),
  })
  .meta({ id: "DatasetConfig" });
export type DatasetConfig = z.output<typeof DatasetConfig>;
