import { AppError } from "@syla/contracts/errors";

/** A page of rows, of which there is one more than `limit` when there is a next page. `keyOf`: what the rows are in the order of. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => string,
  present: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return { items: shown.map(present), nextCursor: last === undefined ? null : toCursor(keyOf(last)) };
}

/** Where a page starts that comes after this key. */
export function toCursor(key: string): string {
  return Buffer.from(key).toString("base64url");
}

/** The key after which a page starts; null at the first. @throws AppError `invalid_cursor` */
export function readCursor(cursor: string | undefined, form = /^[^\0]+$/): string | null {
  if (cursor === undefined) return null;
  const key = Buffer.from(cursor, "base64url").toString();
  if (!form.test(key)) throw new AppError("invalid_cursor");
  return key;
}
