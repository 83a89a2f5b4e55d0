import type { ResultCache } from "../../cache/service.ts";
import type { Database } from "../../platform/database.ts";
import type { RecurringWork } from "../../platform/recurring.ts";
import { settling } from "../../quotas/service.ts";
import { expireRuns, forgetDeleted } from "./store.ts";

const everyMs = 3_600_000;
const dayMs = 86_400_000;
const mostAtOnce = 200;

/** What old runs are cleared in. */
export interface RetentionContext {
  readonly database: Database;
  readonly cache: Pick<ResultCache, "dropRuns" | "forget">;
}

/** Removes the logs and artifacts of runs that ended more than `days` ago and are not pinned; 0: they are kept. */
export async function expireOldRuns(context: RetentionContext, days: number, signal: AbortSignal, now = Date.now()): Promise<void> {
  const { queries } = context.database;
  await forgetDeleted(queries, new Date(now - 3 * dayMs));
  if (days === 0) return;
  // Counted once for each at the end: what somebody has stored may be a million contents.
  const owners = new Set<string>();
  for (let after: string | null = ""; after !== null && !signal.aborted;) {
    const part = await expirePart(context, new Date(now - days * dayMs), after);
    for (const { owner_id: ownerId } of part) owners.add(ownerId);
    after = part.at(-1)?.id ?? null;
  }
  for (const ownerId of owners) await queries.transaction().execute((work) => settling(work, [ownerId], () => Promise.resolve()));
}

async function expirePart({ database, cache }: RetentionContext, before: Date, after: string) {
  const { due, cached } = await database.queries.transaction().execute(async (work) => {
    const found = await expireRuns(work, before, after, mostAtOnce);
    const ids = found.map(({ id }) => id);
    return { due: found, cached: ids.length === 0 ? [] : await cache.dropRuns(work, ids) };
  });
  await cache.forget(cached);
  return due;
}

/** Does so every hour. */
export function expiringRuns(context: RetentionContext, days: number): RecurringWork {
  return {
    name: "run retention",
    everyMs,
    complaint: "old runs could not be cleared of their logs",
    perform: (signal) => expireOldRuns(context, days, signal),
  };
}
