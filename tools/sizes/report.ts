import type { Size } from "./measure.ts";

/** The middle one of the sorted lengths; the mean of the two in the middle when there is an even number. */
export function median(lengths: readonly number[]): number {
  const sorted = lengths.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return 0;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** The longest one; the first of several. */
export function longest(sizes: readonly Size[]): Size | undefined {
  return sizes.reduce<Size | undefined>((best, size) => (best === undefined || size.lines > best.lines ? size : best), undefined);
}

function describe(size: Size | undefined): string {
  if (size === undefined) return "-";
  return size.name === "" ? `${size.lines}  ${size.path}` : `${size.lines}  ${size.path}:${size.line} ${size.name}`;
}

/** One row of the table. */
export function summarise(title: string, sizes: readonly Size[]): Record<string, string> {
  return {
    what: title,
    count: String(sizes.length),
    median: String(median(sizes.map((size) => size.lines))),
    total: String(sizes.reduce((sum, size) => sum + size.lines, 0)),
    longest: describe(longest(sizes)),
  };
}

/** Lays rows out in columns that line up. */
export function formatTable(rows: readonly Readonly<Record<string, string>>[]): string {
  const names = Object.keys(rows[0] ?? {});
  const widths = names.map((name) => Math.max(name.length, ...rows.map((row) => (row[name] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join("  ")
      .trimEnd();
  return [line(names), ...rows.map((row) => line(names.map((name) => row[name] ?? "")))].join("\n");
}
