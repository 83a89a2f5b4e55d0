import type { Page } from "./runs.ts";

/** The items of all pages, one after another. */
export async function* iteratePages<T>(fetchPage: (cursor: string | null) => Promise<Page<T>>): AsyncGenerator<T, void, void> {
  let cursor: string | null = null;
  do {
    const page: Page<T> = await fetchPage(cursor);
    yield* page.items;
    cursor = page.nextCursor;
  } while (cursor !== null);
}
