import { z } from "zod";

/** Parses a JSON column, unless the value is one that was parsed before, or made here: most rows are looked at by those who made them. */
export interface ColumnParser<T> {
  parse(column: unknown): T;
  /** Says that a value which was made here has the shape. It must not change any more. */
  trust(value: T): T;
}

/** A parser that knows its values as long as somebody has them. */
export function columnParser<T extends object>(schema: z.ZodType<T>): ColumnParser<T> {
  const known = new WeakSet<object>();
  const trust = (value: T): T => {
    known.add(value);
    return value;
  };
  return {
    trust,
    parse: (column) =>
      typeof column === "object" && column !== null && known.has(column) ? (column as T) : trust(z.parse(schema, column)),
  };
}
