import { z } from "zod";

/** Query fields of every list: an opaque cursor and a page size. */
export const pageQuery = {
  cursor: z.string().max(512).optional().describe("`nextCursor` of the page before"),
  limit: z.coerce.number().int().min(1).max(200).default(50),
};

/** One page of a list. `nextCursor` is null on the last page. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}
