import { notifyEach } from "../notifications/service.ts";
import type { Database } from "../platform/database.ts";
import type { RecurringWork } from "../platform/recurring.ts";
import { takeExpiring } from "./store.ts";

/** How long before the end its owners are told. */
const aheadMs = 7 * 24 * 3_600_000;

/** Tells owners of credentials that expire soon, once. Several servers share the work. */
export function expiryWarnings(database: Database): RecurringWork {
  return {
    name: "expiry warnings",
    everyMs: 3_600_000,
    complaint: "owners of credentials could not be told",
    perform: () => warnOfExpiry(database),
  };
}

/** @returns how many credentials somebody was told of */
export async function warnOfExpiry(database: Database, now = new Date()): Promise<number> {
  return await database.queries.transaction().execute(async (work) => {
    const rows = await takeExpiring(work, new Date(now.getTime() + aheadMs));
    for (const { id, name, expires_at: expiresAt, user_ids: userIds } of rows) {
      const isOver = expiresAt <= now;
      await notifyEach(work, userIds, {
        type: "system",
        title: isOver ? `The credential “${name}” has expired` : `The credential “${name}” expires soon`,
        body: `${isOver ? "It expired" : "It expires"} at ${expiresAt.toISOString()}. What uses it fails from then on: replace its value.`,
        link: "/credentials",
        details: { credentialId: id },
      });
    }
    return rows.length;
  });
}
