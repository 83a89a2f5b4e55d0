import { insertDeliveries } from "../deliveries/service.ts";
import type { Database } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import type { RecurringWork } from "../platform/recurring.ts";
import { readPreferences } from "./preferences.ts";
import { nextDigest, quietUntil } from "./quiet-hours.ts";
import { toNotification } from "./service.ts";
import * as store from "./store.ts";

/** More than these are counted and not listed. */
const mostEntries = 100;

/** Writes the mail with what came since the last one, to those who want one a day or a week. Several servers share the work. */
export function digests(database: Database): RecurringWork {
  return {
    name: "digests",
    everyMs: 60_000,
    complaint: "digests could not be written",
    perform: (signal) => writeDueDigests(database, signal),
  };
}

/** Writes all that are due. @returns how many people's were */
export async function writeDueDigests(database: Database, signal?: AbortSignal, now = new Date()): Promise<number> {
  const isOver = () => signal?.aborted === true;
  let count = 0;
  while (!isOver() && (await writeOne(database, now))) count += 1;
  return count;
}

async function writeOne(database: Database, now: Date): Promise<boolean> {
  return await database.queries.transaction().execute(async (work) => {
    const due = await store.takeDueDigest(work);
    if (due === undefined) return false;
    const [recipient] = await store.findRecipients(work, [due.user_id]);
    const preferences = recipient === undefined ? null : readPreferences(recipient.value, recipient.time_zone);
    const next = preferences === null ? null : nextDigest(now, preferences.digest, preferences.timeZone);
    const rows = await store.listAfter(work, due.user_id, due.digest_seq, mostEntries + 1);
    const { seq } = await store.countUnread(work, due.user_id);
    await store.settleDigest(work, due.user_id, Math.max(seq, due.digest_seq), next);
    const told = rows.map(toNotification).filter(({ type }) => preferences?.types[type].email === true);
    if (recipient?.email == null || preferences === null || told.length === 0) return true;
    const entries = told.slice(0, mostEntries).map(({ type, title, body, link, createdAt }) => ({ type, title, body, link, createdAt }));
    const subject =
      told.length === 1
        ? (told[0]?.title ?? "")
        : `${told.length > mostEntries ? `More than ${mostEntries}` : told.length} notifications from Syla`;
    const message = { to: recipient.email, subject, entries };
    const dueAt = quietUntil(now, preferences.quietHours, preferences.timeZone) ?? now;
    await insertDeliveries(work, [{ id: newId("dlv"), channel: "email", userId: due.user_id, notificationId: null, message, dueAt }]);
    return true;
  });
}
