import type { Database } from "../platform/database.ts";
import type { RecurringWork } from "../platform/recurring.ts";
import { settleHeld } from "../spend/service.ts";
import { endCall, takeLost } from "./calls/store.ts";
import type { RunTokens } from "./run-tokens/service.ts";

/** No call goes on for so long: whoever made it is gone. */
const longestCallMs = 2 * 3_600_000;

interface SweepContext {
  readonly database: Database;
  readonly runTokens: RunTokens;
}

/** Ends calls whose server is gone. What was held back for them counts as spent: the provider may have done its work. */
export function callSweeping(context: SweepContext): RecurringWork {
  return {
    name: "model calls",
    everyMs: 60_000,
    complaint: "lost model calls could not be ended",
    perform: () => sweepCalls(context),
  };
}

/** @returns how many calls were lost */
export async function sweepCalls({ database, runTokens }: SweepContext, now = new Date()): Promise<number> {
  await runTokens.sweep();
  let count = 0;
  while (await endOne(database, new Date(now.getTime() - longestCallMs))) count += 1;
  return count;
}

async function endOne(database: Database, before: Date): Promise<boolean> {
  return await database.queries.transaction().execute(async (work) => {
    const lost = await takeLost(work, before);
    if (lost === undefined) return false;
    const unknown = { inputTokens: null, outputTokens: null, cachedTokens: null, reasoningTokens: null, priceVersion: null };
    const nothing = { httpStatus: null, responseSha256: null, responseText: null, firstByteMs: null, totalMs: null };
    const error = { errorCode: "lost", errorMessage: "The server that made this call is gone." };
    const end = {
      status: "lost" as const,
      attempts: 1,
      sent: [],
      cached: false,
      isEstimate: true,
      cost: lost.reserved,
      ...unknown,
      ...nothing,
      ...error,
    };
    const held = await endCall(work, lost.id, end);
    if (held !== undefined) await settleHeld(work, held.scopes, held.reserved, lost.reserved);
    return true;
  });
}
