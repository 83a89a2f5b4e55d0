import { AppError } from "@syla/contracts/errors";
import type { Notification, NotificationFilter, NotificationPreferences, notificationRoutes } from "@syla/contracts/notifications";
import type { RouteInput } from "@syla/contracts/route";
import type { Actor } from "../access/actor.ts";
import type { Deliveries } from "../deliveries/service.ts";
import type { Database, Queries } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import type { DeriveSecret } from "../platform/standard-webhooks.ts";
import { readPreferences, showPreferences, writePreferences, type Preferences } from "./preferences.ts";
import { nextDigest } from "./quiet-hours.ts";
import { toNotification } from "./service.ts";
import * as store from "./store.ts";

const testsPerMinute = 5;

type PreferencesChange = RouteInput<typeof notificationRoutes.updateNotificationPreferences>["body"];

/** What the inbox is made of. */
interface InboxContext {
  readonly database: Database;
  readonly deliveries: Deliveries;
  readonly secretOf: DeriveSecret;
  /** Why an address may not be used; null when it may. */
  readonly refusal: (url: string) => Promise<string | null>;
}

/** A person's own notifications and what they chose. */
export class Inbox {
  readonly #context: InboxContext;
  readonly #queries: Queries;
  readonly #tests = new Map<string, { count: number; until: number }>();

  constructor(context: InboxContext) {
    this.#context = context;
    this.#queries = context.database.queries;
  }

  async list(actor: Actor, filter: NotificationFilter): Promise<{ items: Notification[]; nextCursor: string | null }> {
    const rows = await store.listNotifications(this.#queries, actor.userId, filter, decodeCursor(filter.cursor));
    const items = rows.slice(0, filter.limit).map(toNotification);
    const last = rows.length > filter.limit ? items.at(-1) : undefined;
    return { items, nextCursor: last === undefined ? null : String(last.seq) };
  }

  async count(actor: Actor): Promise<{ unread: number; seq: number }> {
    return await store.countUnread(this.#queries, actor.userId);
  }

  /** @throws AppError `not_found` */
  async setRead(actor: Actor, id: string, read: boolean): Promise<Notification> {
    const row = await store.setRead(this.#queries, actor.userId, id, read);
    if (row === undefined) throw new AppError("not_found");
    return toNotification(row);
  }

  async setAllRead(actor: Actor, upTo: number | undefined): Promise<number> {
    return await store.setAllRead(this.#queries, actor.userId, upTo);
  }

  /** @throws AppError `not_found` */
  async delete(actor: Actor, id: string): Promise<void> {
    if (!(await store.deleteNotification(this.#queries, actor.userId, id))) throw new AppError("not_found");
  }

  async preferences(actor: Actor): Promise<NotificationPreferences> {
    return showPreferences((await this.#recipient(this.#queries, actor)).preferences);
  }

  /** @throws AppError `webhook_refused` */
  async changePreferences(actor: Actor, change: PreferencesChange): Promise<NotificationPreferences> {
    if (typeof change.webhookUrl === "string") await this.#checkWebhook(change.webhookUrl);
    const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
    return showPreferences(await this.#change(actor, (before) => ({ ...before, ...given, types: { ...before.types, ...change.types } })));
  }

  /** @throws AppError `impersonating` */
  async rotateWebhookSecret(actor: Actor): Promise<string> {
    if (actor.impersonatorId !== undefined) throw new AppError("impersonating");
    const { webhookGeneration } = await this.#change(actor, (before) => ({ ...before, webhookGeneration: before.webhookGeneration + 1 }));
    return this.#context.secretOf("notification", actor.userId, webhookGeneration);
  }

  /** Sends something now. @throws AppError `mail_unavailable`, `channel_not_set`, `rate_limited` */
  async test(actor: Actor, channel: "email" | "webhook"): Promise<{ sent: boolean; problem: string | null }> {
    this.#countTest(actor.userId);
    const { email, preferences } = await this.#recipient(this.#queries, actor);
    const createdAt = new Date().toISOString();
    const entry = { type: "system", title: "A test of your notifications", body: "It arrived.", link: null, createdAt } as const;
    const { webhookUrl: url, webhookGeneration: generation } = preferences;
    if (channel === "email" ? email === null : url === null) throw new AppError("channel_not_set");
    if (channel === "email" && !this.#context.deliveries.sendsMail) throw new AppError("mail_unavailable");
    try {
      if (channel === "email") await this.#context.deliveries.mailNow(email ?? "", entry);
      else {
        const payload = { ...entry, id: newId("ntf"), seq: 0, details: {} };
        await this.#context.deliveries.postNow(actor.userId, { url: url ?? "", generation, payload });
      }
      return { sent: true, problem: null };
    } catch (error) {
      return { sent: false, problem: error instanceof Error ? error.message.slice(0, 300) : "it failed" };
    }
  }

  async #checkWebhook(url: string): Promise<void> {
    const refused = await this.#context.refusal(url);
    if (refused !== null) throw new AppError("webhook_refused", { message: `The address of the webhook is not allowed: ${refused}.` });
  }

  async #change(actor: Actor, change: (before: Preferences) => Preferences): Promise<Preferences> {
    return await this.#context.database.queries.transaction().execute(async (work) => {
      const recipient = await store.lockRecipient(work, actor.userId);
      if (recipient === undefined) throw new AppError("unauthenticated");
      const after = change(readPreferences(recipient.value, recipient.time_zone));
      const digestDueAt = nextDigest(new Date(), after.digest, after.timeZone);
      await store.savePreferences(work, actor.userId, { value: writePreferences(after), timeZone: after.timeZone, digestDueAt });
      return after;
    });
  }

  async #recipient(queries: Queries, actor: Actor): Promise<{ email: string | null; preferences: Preferences }> {
    const [recipient] = await store.findRecipients(queries, [actor.userId]);
    if (recipient === undefined) throw new AppError("unauthenticated");
    return { email: recipient.email, preferences: readPreferences(recipient.value, recipient.time_zone) };
  }

  #countTest(userId: string): void {
    const now = Date.now();
    for (const [id, { until }] of this.#tests) if (until <= now) this.#tests.delete(id);
    const tests = this.#tests.get(userId) ?? { count: 0, until: now + 60_000 };
    if (tests.count >= testsPerMinute) throw new AppError("rate_limited", { retryAfter: (tests.until - now) / 1000 });
    this.#tests.set(userId, { ...tests, count: tests.count + 1 });
  }
}

function decodeCursor(cursor: string | undefined): number | null {
  if (cursor === undefined) return null;
  if (!/^\d{1,15}$/.test(cursor)) throw new AppError("invalid_cursor");
  return Number(cursor);
}
