import { stripVTControlCharacters } from "node:util";

/** Writes a line to stdout. */
export function printLine(line = ""): void {
  process.stdout.write(`${line}\n`);
}

/** Writes one JSON document to stdout. C1 controls and DEL are escaped too: a terminal would obey them. */
export function printJson(value: unknown): void {
  const text = JSON.stringify(value, null, process.stdout.isTTY ? 2 : undefined);
  printLine(text.replaceAll(/[\u007f-\u009f\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`));
}

/** A column of a table. */
export interface Column<T> {
  readonly title: string;
  readonly value: (row: T) => string;
  readonly align?: "right";
}

/** Prints aligned columns on a terminal; tab-separated values without a heading when piped, so that `cut` and `awk` work. */
export function printTable<T>(columns: readonly Column<T>[], rows: readonly T[]): void {
  const cells = rows.map((row) => columns.map((column) => column.value(row)));
  if (!process.stdout.isTTY) {
    for (const row of cells) printLine(row.map(stripVTControlCharacters).join("\t"));
    return;
  }
  const all = [columns.map((column) => column.title.toUpperCase()), ...cells];
  const widths = columns.map((_, index) => Math.max(...all.map((row) => width(row[index] ?? ""))));
  for (const row of all) {
    const line = row.map((cell, index) => {
      const padding = " ".repeat((widths[index] ?? 0) - width(cell));
      return columns[index]?.align === "right" ? padding + cell : cell + padding;
    });
    printLine(line.join("  ").trimEnd());
  }
}

/** Prints `name  value` lines, aligned. */
export function printFields(fields: readonly (readonly [name: string, value: string])[]): void {
  const widest = Math.max(...fields.map(([name]) => name.length));
  for (const [name, value] of fields) printLine(`${name.padEnd(widest)}  ${value}`);
}

function width(text: string): number {
  return Array.from(stripVTControlCharacters(text)).length;
}
