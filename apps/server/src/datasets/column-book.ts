import { hash } from "node:crypto";
import type { DatasetColumn } from "@syla/contracts/dataset-config";
import type { ColumnStatistics } from "@syla/contracts/datasets";
import { createHistogram } from "./histogram.ts";
import { textOfValue, typeOfKinds, type ValueKind } from "./values.ts";

/** Different values that are counted: of one column, and of all together. */
const mostDistinct = 1000;
const mostDistinctOfAll = 50_000;
const topValues = 10;
const exampleValues = 3;
/** Longer text is shown shortened, and told apart by its hash. */
const shownLength = 200;

/** What is learned of one column while its values pass by. */
export interface ColumnBook {
  readonly name: string;
  add(value: unknown, kind: ValueKind): void;
  /** `rows`: how many there are in all; those in which it was never seen are empty. */
  read(rows: number, columns: number): { readonly column: DatasetColumn; readonly statistics: ColumnStatistics };
}

/** `isText`: values come as the text of a CSV file. `columns`: how many share the room for different values. */
export function openColumnBook(name: string, isText: boolean, columns: () => number): ColumnBook {
  const kinds = new Set<ValueKind>();
  const distinct = new Map<string, { text: string; count: number }>();
  const histogram = createHistogram();
  const examples: string[] = [];
  let isOver = false;
  let count = 0;
  let [sum, least, most] = [0, Infinity, -Infinity];
  let dates: { first: string; last: string } | null = null;
  let longest = 0;

  const addNumber = (value: number) => {
    sum += value;
    least = Math.min(least, value);
    most = Math.max(most, value);
    if (Number.isFinite(value)) histogram.add(value);
  };
  const addDistinct = (text: string) => {
    const isLong = text.length > shownLength;
    const key = isLong ? hash("sha1", text) : text;
    const known = distinct.get(key);
    if (known !== undefined) known.count += 1;
    else if (!isOver) {
      if (distinct.size >= boundOf(columns())) {
        isOver = true;
        return distinct.clear();
      }
      const shown = isLong ? `${text.slice(0, shownLength)}…`.toWellFormed() : text;
      distinct.set(key, { text: shown, count: 1 });
      if (examples.length < exampleValues) examples.push(shown);
    }
  };
  return {
    name,
    add: (value, kind) => {
      if (kind === "null") return;
      count += 1;
      kinds.add(kind);
      const text = textOfValue(value);
      if (kind === "integer" || kind === "number") addNumber(Number(value));
      else if (kind === "date") {
        if (dates === null) dates = { first: text, last: text };
        else if (text < dates.first) dates.first = text;
        else if (text > dates.last) dates.last = text;
      }
      longest = Math.max(longest, text.length);
      if (!isOver) addDistinct(text);
    },
    read: (rows, columnCount) => {
      const type = typeOfKinds(kinds, isText);
      const empty = rows - count;
      const isNumber = type === "integer" || type === "number";
      const top = [...distinct.values()].toSorted((a, b) => b.count - a.count || (a.text < b.text ? -1 : 1)).slice(0, topValues);
      return {
        column: { name, type, empty },
        statistics: {
          name,
          type,
          count,
          empty,
          emptyShare: rows === 0 ? 0 : empty / rows,
          distinct: isOver ? null : distinct.size,
          distinctBound: boundOf(columnCount),
          top: top.map((value) => ({ value: value.text, count: value.count })),
          examples,
          min: isNumber ? finite(least) : type === "date" ? (dates?.first ?? null) : null,
          max: isNumber ? finite(most) : type === "date" ? (dates?.last ?? null) : null,
          mean: isNumber ? finite(sum / count) : null,
          longest: type === "string" || type === "mixed" ? longest : null,
          histogram: isNumber ? histogram.read() : null,
        },
      };
    },
  };
}

function boundOf(columns: number): number {
  return Math.min(mostDistinct, Math.max(50, Math.floor(mostDistinctOfAll / Math.max(1, columns))));
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
