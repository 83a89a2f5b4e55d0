import { setImmediate as nextTurn } from "node:timers/promises";
import type { DatasetSplits, DatasetSplitsInput } from "@syla/contracts/dataset-config";
import { AppError } from "@syla/contracts/errors";

/** The last steps of MurmurHash3, which spread every bit over all of them. Source: https://github.com/aappleby/smhasher, MurmurHash3.cpp. */
function mix(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const golden = 0x9e3779b1;

/** Where a row lies between 0 and 1, by a seed. What it answers must never change: versions rely on it. */
function placeOfRow(seed: number, row: number): number {
  return mix(mix(seed ^ golden) ^ Math.imul(row + 1, golden)) / 2 ** 32;
}

/** Tells the split of each row; null where there are none. */
export type SplitOf = (row: number) => string | null;

export function splitOf(splits: Pick<DatasetSplitsInput, "seed" | "shares"> | null): SplitOf {
  if (splits === null) return () => null;
  const { seed, shares } = splits;
  let sum = 0;
  const ends = shares.map(({ name, percent }) => ({ name, end: (sum += percent) / 100 }));
  const last = ends.findLast(({ end }, index) => end > (ends[index - 1]?.end ?? 0))?.name ?? null;
  return (row) => {
    const place = placeOfRow(seed, row);
    return ends.find(({ end }) => place < end)?.name ?? last;
  };
}

/** Whether any row of these is one that is looked for. */
export function hasRow(from: number, to: number, isIn: (row: number) => boolean): boolean {
  for (let row = from; row < to; row += 1) if (isIn(row)) return true;
  return false;
}

/** So many rows are looked at until others have their turn. */
const rowsOfATurn = 100_000;

/** The first row of these that is looked for, after some of them that are passed by; `to` when there is none. */
export async function findRow(from: number, to: number, isIn: (row: number) => boolean, passing = 0): Promise<number> {
  let left = passing;
  for (let row = from; row < to; row += 1) {
    if (row % rowsOfATurn === rowsOfATurn - 1) await nextTurn();
    if (!isIn(row)) continue;
    if (left === 0) return row;
    left -= 1;
  }
  return to;
}

/** The splits with the number of rows that each has. */
export async function countSplits({ seed, shares }: DatasetSplitsInput, rowCount: number): Promise<DatasetSplits> {
  const nameOf = splitOf({ seed, shares });
  const counts = new Map<string | null, number>();
  for (let row = 0; row < rowCount; row += 1) {
    if (row % rowsOfATurn === rowsOfATurn - 1) await nextTurn();
    const name = nameOf(row);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return { seed, shares: shares.map(({ name, percent }) => ({ name, percent, rows: counts.get(name) ?? 0 })) };
}

/** The split of that name, with its rows. @throws AppError `split_unknown` */
export function requireSplit(splits: DatasetSplits | null, name: string, path = "split"): DatasetSplits["shares"][number] {
  const share = splits?.shares.find((one) => one.name === name);
  if (share !== undefined) return share;
  const known = splits?.shares.map((one) => one.name) ?? [];
  const message = known.length === 0 ? "the dataset has no splits" : `is none of ${known.join(", ")}`;
  throw new AppError("split_unknown", { message: `There is no split “${name}”: ${message}.`, fields: [{ path, message }] });
}
