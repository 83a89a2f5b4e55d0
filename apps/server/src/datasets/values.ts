import type { ColumnType } from "@syla/contracts/dataset-config";
import { findTooDeep } from "./json-depth.ts";

/** What one value is. `null`: there is none. */
export type ValueKind = Exclude<ColumnType, "mixed" | "empty"> | "null";

/** Numbers as JSON writes them. `007` and `+1` are names rather than numbers, and stay what they are. */
const numberForm = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const integerForm = /^-?(?:0|[1-9]\d*)$/;
const dateForm = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;

/** The kind of a value of a CSV file, which knows text alone. Integers that a number cannot hold are text. */
export function kindOfText(text: string): ValueKind {
  if (text === "") return "null";
  const first = text.charCodeAt(0);
  if ((first >= 48 && first <= 57) || first === 45) {
    if (integerForm.test(text)) return Number.isSafeInteger(Number(text)) ? "integer" : "string";
    if (numberForm.test(text)) return Number.isFinite(Number(text)) ? "number" : "string";
    return isDate(text) ? "date" : "string";
  }
  if (text === "true" || text === "false") return "boolean";
  return (first === 123 || first === 91) && isJson(text) ? "json" : "string";
}

/** The kind of a value of a JSON file. */
export function kindOfJson(value: unknown): ValueKind {
  switch (typeof value) {
    case "string":
      return isDate(value) ? "date" : "string";
    case "number":
      return Number.isInteger(value) ? "integer" : "number";
    case "boolean":
      return "boolean";
    default:
      return value === null || value === undefined ? "null" : "json";
  }
}

/** A value of a CSV file as its column's type has it. */
export function valueOfText(text: string, type: ColumnType): unknown {
  if (text === "") return null;
  switch (type) {
    case "integer":
    case "number":
      return Number(text);
    case "boolean":
      return text === "true";
    case "json":
      return JSON.parse(text);
    default:
      return text;
  }
}

/** A value as text, as a CSV file has it. */
export function textOfValue(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What the values of a column are, by the kinds that were seen. In a CSV file all is text that is not one thing throughout. */
export function typeOfKinds(kinds: ReadonlySet<ValueKind>, isText: boolean): ColumnType {
  const seen = [...kinds].filter((kind) => kind !== "null");
  const [only] = seen;
  if (only === undefined) return "empty";
  if (seen.length === 1) return only;
  const isAll = (...wanted: ValueKind[]) => seen.every((kind) => wanted.includes(kind));
  if (isAll("integer", "number")) return "number";
  if (isText || isAll("string", "date")) return "string";
  return "mixed";
}

function isDate(text: string): boolean {
  return text.length <= 40 && dateForm.test(text) && !Number.isNaN(Date.parse(text.replace(" ", "T")));
}

function isJson(text: string): boolean {
  if (findTooDeep(text) >= 0) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
