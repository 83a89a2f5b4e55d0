import type { Database } from "../../platform/database.ts";
import type { RecurringWork } from "../../platform/recurring.ts";
import { settling } from "../../quotas/service.ts";
import type { Settings } from "../../settings/service.ts";
import { expireHashes, expireTexts, listKeepingModels } from "./store.ts";

const everyMs = 3_600_000;
const dayMs = 86_400_000;
const mostAtOnce = 500;

/** What is kept of calls is cleared in this. */
export interface CallRetentionContext {
  readonly database: Database;
  readonly settings: Pick<Settings, "get">;
}

/** Removes what was kept of calls for as long as the server, or their model, says; 0: it is kept. */
export async function expireKept({ database, settings }: CallRetentionContext, signal: AbortSignal, now = Date.now()): Promise<void> {
  const { queries } = database;
  const owners = new Set<string>();
  const expire = async (days: number, modelId: string | null, isText: boolean) => {
    const before = new Date(now - days * dayMs);
    for (let count = mostAtOnce; count === mostAtOnce && !signal.aborted;) {
      const gone = await (isText ? expireTexts : expireHashes)(queries, { before, modelId, limit: mostAtOnce });
      count = gone.length;
      if (isText) for (const ownerId of gone) owners.add(ownerId);
    }
  };
  const [textDays, hashDays] = [settings.get("modelTextDays"), settings.get("modelHashDays")];
  if (textDays > 0) await expire(textDays, null, true);
  if (hashDays > 0) await expire(hashDays, null, false);
  for (const { id, days } of await listKeepingModels(queries)) {
    await expire(days, id, true);
    await expire(days, id, false);
  }
  for (const ownerId of owners) await queries.transaction().execute(async (work) => await settling(work, [ownerId], async () => {}));
}

/** Does so every hour. */
export function expiringCalls(context: CallRetentionContext): RecurringWork {
  return {
    name: "model call retention",
    everyMs,
    complaint: "what is kept of old model calls could not be removed",
    perform: (signal) => expireKept(context, signal),
  };
}
