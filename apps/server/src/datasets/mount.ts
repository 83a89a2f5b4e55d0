import { DatasetSplits } from "@syla/contracts/dataset-config";
import { AppError } from "@syla/contracts/errors";
import type { RunDatasetInput } from "@syla/contracts/runs";
import type { InputFile } from "@syla/sandbox/spec";
import { z } from "zod";
import type { Blobs } from "../platform/blobs.ts";
import { checkPaths } from "../platform/paths.ts";
import { writeContent, type Content } from "./content.ts";

/** The folder of a workspace that datasets lie in. */
const folder = "datasets";
const readOnly = 0o444;
/** What names of columns may take in a run's record, and all datasets in their variable. */
const mostColumnChars = 16_000;
const mostVariableChars = 100_000;

/** A dataset of a run, as it is stored with the run. */
export const MountedDataset = z.object({
  id: z.string(),
  /** What the run calls it. */
  name: z.string(),
  /** What it is called in the catalog, then. */
  assetName: z.string(),
  version: z.string().nullable(),
  split: z.string().nullable(),
  path: z.string(),
  format: z.enum(["csv", "jsonl"]),
  /** In the file: those of the split. */
  rowCount: z.int(),
  /** Null: too many to be told. */
  columns: z.array(z.string()).nullable(),
  splits: DatasetSplits.nullable(),
  /** All rows of the version. */
  allRows: z.int(),
  rows: z.object({ sha256: z.string(), size: z.int() }),
  index: z.string(),
});
export type MountedDataset = z.infer<typeof MountedDataset>;

/** How a run gets a dataset. */
export function toMount(
  { id, version, split, name }: RunDatasetInput,
  assetName: string,
  { config, rows, index }: Content,
): MountedDataset {
  const called = name ?? fileName(assetName);
  const share = config.splits?.shares.find((one) => one.name === split);
  return {
    id,
    name: called,
    assetName,
    version: version ?? null,
    split: split ?? null,
    path: `${folder}/${called}.${config.format}`,
    format: config.format,
    rowCount: share?.rows ?? config.rowCount,
    columns:
      config.columns.reduce((sum, column) => sum + column.name.length, 0) > mostColumnChars
        ? null
        : config.columns.map((column) => column.name),
    splits: config.splits,
    allRows: config.rowCount,
    rows: { sha256: rows.sha256, size: rows.size },
    index,
  };
}

/** Refuses names that are given twice, and paths that the run's other files take. @throws AppError `invalid_path`, `invalid_request` */
export function checkMounts(mounts: readonly MountedDataset[], taken: readonly string[]): void {
  const names = mounts.map(({ name }) => name);
  const twice = names.findIndex((name, index) => names.indexOf(name) < index);
  if (twice >= 0)
    throw new AppError("invalid_request", {
      message: `Two datasets of the run are called “${names[twice]}”.`,
      hint: "Give one of them another `name`.",
      fields: [{ path: `datasets.${twice}.name`, message: "is given twice" }],
    });
  const others = new Set(taken);
  const hidden = mounts.findIndex(({ path }) => others.has(path));
  if (hidden >= 0)
    throw new AppError("invalid_path", {
      message: `The program has a file ${JSON.stringify(mounts[hidden]?.path)} already.`,
      hint: "Give the dataset another `name`.",
      fields: [{ path: `datasets.${hidden}.name`, message: "is the name of one of the program's files" }],
    });
  if (mounts.length > 0) checkPaths([...taken, ...mounts.map(({ path }) => path)]);
}

/** The rows as files of a workspace. */
export function* mountedFiles(blobs: Blobs, mounts: readonly MountedDataset[]): Generator<InputFile> {
  for (const mount of mounts) yield { path: mount.path, mode: readOnly, content: fileOf(blobs, mount) };
}

function fileOf(blobs: Blobs, { format, split, splits, rows, index, allRows }: MountedDataset): AsyncIterable<Uint8Array> {
  const columns: Content["config"]["columns"] = [];
  const config = { format, source: format, columns, rowCount: allRows, contentSha256: rows.sha256, splits };
  return writeContent(blobs, { config, rows, index, statistics: "" }, { format, split });
}

/** The variable that tells a program which datasets it has. */
export function datasetVariables(mounts: readonly MountedDataset[]): Record<string, string> {
  if (mounts.length === 0) return {};
  const tell = (withColumns: boolean) =>
    JSON.stringify(
      Object.fromEntries(
        mounts.map(({ name, path, format, rowCount, columns, id, version, split }) => [
          name,
          { path, format, rows: rowCount, columns: withColumns ? columns : null, id, version, split },
        ]),
      ),
    );
  const all = tell(true);
  return { SYLA_DATASETS: Buffer.byteLength(all) > mostVariableChars ? tell(false) : all };
}

/** The content that runs refer to by their datasets. */
export function datasetHashes(mounts: readonly MountedDataset[]): string[] {
  return mounts.flatMap(({ rows, index }) => [rows.sha256, index]);
}

/** A name that a file can have. */
function fileName(name: string): string {
  const plain = name
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^a-z0-9_]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  return plain === "" ? "dataset" : plain.slice(0, 60);
}
