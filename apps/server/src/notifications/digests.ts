import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import type { Logger } from "../platform/logger.ts";
import type { Service } from "../platform/service.ts";
import { readPreferences } from "./preferences.ts";
import { nextDigest, quietUntil } from "./quiet-hours.ts";
import { toNotification } from "./service.ts";
import * as store from "./store.ts";

const everyMs = 60_000;
/** More than these are counted and not listed. */
const mostEntries = 100;

/** Writes the mail with what came since the last one, to those who want one a day or a week. Several servers share the work. */
export class Digests implements Service {
  readonly name = "digests";
  readonly #database: Database;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();

  constructor({ database, logger }: { database: Database; logger: Logger }) {
    this.#database = database;
    this.#logger = logger;
  }

  async run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.writeDue().catch((error: unknown) => this.#logger.warn({ err: error }, "digests could not be written"));
      await sleep(everyMs, undefined, { ref: false, signal: this.#stopping.signal }).catch(() => {});
    }
  }

  async drain(): Promise<void> {
    this.#stopping.abort();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
  }

  /** Writes all that are due. @returns how many people's were */
  async writeDue(now = new Date()): Promise<number> {
    let count = 0;
    while (!this.#stopping.signal.aborted && (await this.#writeOne(now))) count += 1;
    return count;
  }

  async #writeOne(now: Date): Promise<boolean> {
    return await this.#database.queries.transaction().execute(async (work) => {
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
      await store.insertDeliveries(work, [
        { id: newId("dlv"), channel: "email", userId: due.user_id, notificationId: null, message, dueAt },
      ]);
      return true;
    });
  }
}
