import type { Database } from "../platform/database.ts";
import type { RecurringWork } from "../platform/recurring.ts";
import { settling } from "../quotas/service.ts";
import { keptDays } from "./presenter.ts";
import { findDeleted, findStorers, purgeDeleted, removeUnusedWords } from "./store.ts";

const hourMs = 60 * 60_000;
const atOnce = 100;

/** Removes for good what was deleted so long ago that it can no longer be restored. Several servers share the work. */
export function purging(database: Database): RecurringWork {
  return {
    name: "purge",
    everyMs: hourMs,
    complaint: "deleted assets could not be removed",
    perform: (signal) => purgeAssets(database, signal),
  };
}

/** @returns how many were removed */
export async function purgeAssets(database: Database, signal?: AbortSignal, now = new Date()): Promise<number> {
  const before = new Date(now.getTime() - keptDays * 24 * hourMs);
  for (let count = 0; ;) {
    const ids = await findDeleted(database.queries, before, atOnce);
    const storers = await findStorers(database.queries, ids);
    const removed = await database.queries.transaction().execute((work) => settling(work, storers, () => purgeDeleted(work, ids, before)));
    count += removed;
    if (removed < atOnce || signal?.aborted === true) return count;
  }
}

/** Forgets the words that no asset has any more. */
export function forgettingWords(database: Database): RecurringWork {
  return {
    name: "search words",
    everyMs: 24 * hourMs,
    complaint: "words that no asset has could not be removed",
    perform: () => removeUnusedWords(database.queries),
  };
}
