import type { Page } from "./runs.ts";

/** The items of all pages, one after another. */
export async function* iteratePages<T>(fetchPage: (cursor: string | null) => Promise<Page<T>>): AsyncGenerator<T, void, void> {
  let cursor: string | null | undefined = null;
  do {
    const page: Page<T> = await fetchPage(cursor ?? null);
    yield* page.items;
    cursor = page.nextCursor; // undefined: a server from when this list had one page
  } while (cursor != null);
}
