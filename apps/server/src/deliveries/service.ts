import { setTimeout as sleep } from "node:timers/promises";
import type { Delivery, DeliveryFilter } from "@syla/contracts/admin";
import { AppError } from "@syla/contracts/errors";
import type { Database, Work } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import type { Logger } from "../platform/logger.ts";
import type { Notifications } from "../platform/notifications.ts";
import type { Service } from "../platform/service.ts";
import { signedHeaders, type DeriveSecret } from "../platform/standard-webhooks.ts";
import { renderMail } from "./mail-text.ts";
import { isFinalRefusal, type Mailer } from "./mailer.ts";
import { DeliveryMessage, targetOf, type Entry, type HookMessage } from "./message.ts";
import type { Mail } from "./outbox.ts";
import type { Post, PostAnswer } from "./post.ts";
import * as store from "./store.ts";

export { queueMail, type Mail } from "./outbox.ts";
export {
  findDelivery,
  insertDeliveries,
  listHookDeliveries,
  requeueDelivery,
  requeueHookDeliveries,
  waitingFor,
  type DeliveryRow,
  type NewDelivery,
} from "./store.ts";
export { Attempts } from "./attempts.ts";
export { DeliveryMessage } from "./message.ts";

type Channel = "email" | "webhook";

/**
 * Tries at once of each channel, which never wait for each other, for one owner, and to one address: whoever lets us wait holds up themselves. Each mail
 * is a connection to the SMTP server.
 */
const tries = {
  email: { atOnce: 3, ofOwner: 3, toTarget: 3 },
  webhook: { atOnce: 32, ofOwner: 8, toTarget: 4 },
} as const satisfies Record<Channel, object>;
/** Longer than any try takes. */
const leaseMs = 120_000;
const firstDelayMs = 15_000;
const mostDelayMs = 2 * 3_600_000;
/** With the delays above the last try is a day after the first. */
const mostAttempts = 20;
/** However long the other side asks us to wait, nothing is tried for longer. */
const mostAgeMs = 26 * 3_600_000;
const keepSentMs = 14 * 24 * 3_600_000;
const idleMs = 60_000;
/** What is old is looked for no more often than this: it takes a walk through all that was sent. */
const forgetEveryMs = 600_000;

/** Where a webhook is, and the secrets that sign for it. */
export interface OpenHook {
  readonly url: string;
  readonly secrets: readonly string[];
}

/** How a try to reach a webhook went, as far as it is a matter of the webhook. `gaveUp`: it is not tried again. */
export interface HookOutcome {
  readonly ok: boolean;
  readonly status: number | null;
  readonly gaveUp: boolean;
  readonly error: string | null;
}

/** The webhooks that people have made. */
export interface Hooks {
  /** A string says why nothing is sent there. */
  open(webhookId: string, eventType: string): Promise<OpenHook | string>;
  /** In the transaction that records the try. */
  tried(work: Work, webhookId: string, outcome: HookOutcome): Promise<void>;
}

/** What sending needs. */
export interface DeliveriesContext {
  readonly database: Database;
  readonly notifications: Notifications;
  readonly logger: Logger;
  readonly mailer: Mailer | null;
  readonly post: Post;
  readonly secretOf: DeriveSecret;
  readonly hooks: Hooks;
  readonly publicUrl: string;
}

/** What came of a try. */
interface Tried {
  readonly end: store.Settlement;
  readonly attempt: store.NewAttempt | null;
}

/**
 * Sends what waits in the queue of deliveries: mails, notifications and events to webhooks. Several servers share it: each takes what no other
 * has. A server that dies after the other side has taken something and before that is recorded leaves it to be sent once more, under the same
 * id; everything else is sent once. Mails wait while no SMTP server is configured.
 */
export class Deliveries implements Service {
  readonly name = "deliveries";
  readonly #context: DeliveriesContext;
  readonly #stopping = new AbortController();
  readonly #sending = new Map<Promise<void>, store.DeliveryRow>();
  /** The last owner who had a turn. */
  readonly #lastOwner: Record<Channel, string | null> = { email: null, webhook: null };
  #wake = Promise.withResolvers<void>();
  #forgotAt = 0;

  constructor(context: DeliveriesContext) {
    this.#context = context;
  }

  /** Whether mails leave this server. */
  get sendsMail(): boolean {
    return this.#context.mailer !== null;
  }

  async run(): Promise<void> {
    const wake = () => this.#wake.resolve();
    const unsubscribe = await this.#context.notifications.listen(store.deliveriesChannel, wake, wake);
    while (!this.#stopping.signal.aborted) {
      this.#wake = Promise.withResolvers();
      const waitMs = await this.#sendDue().catch((error: unknown) => {
        this.#context.logger.warn({ err: error }, "the queue of deliveries could not be read");
        return 2000;
      });
      if (waitMs > 0)
        await Promise.race([this.#wake.promise, sleep(waitMs, undefined, { ref: false, signal: this.#stopping.signal })]).catch(() => {});
    }
    unsubscribe();
  }

  async drain(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#sending.keys());
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.race([Promise.all(this.#sending.keys()), sleep(2000, undefined, { ref: false })]);
    this.#context.mailer?.close();
  }

  /** @returns for how long there is nothing to do, unless something ends before */
  async #sendDue(): Promise<number> {
    const waits = [await this.#sendDueOf("webhook"), this.sendsMail ? await this.#sendDueOf("email") : idleMs];
    if (!waits.includes(0) && Date.now() - this.#forgotAt > forgetEveryMs) {
      this.#forgotAt = Date.now();
      await store.dropOld(this.#context.database.queries, new Date(Date.now() - keepSentMs));
    }
    return Math.min(...waits);
  }

  async #sendDueOf(channel: Channel): Promise<number> {
    const { queries } = this.#context.database;
    const { atOnce, ofOwner, toTarget } = tries[channel];
    const sending = [...this.#sending.values()].filter((row) => row.channel === channel);
    const count = atOnce - sending.length;
    if (count <= 0) return idleMs;
    const after = this.#lastOwner[channel];
    const claim = {
      channel,
      owners: { running: countBy(sending, (row) => row.owner_id), most: ofOwner },
      targets: { running: countBy(sending, store.targetOfRow), most: toTarget },
    };
    const rows = await store.claimDeliveries(queries, claim, { count, after, leaseMs });
    for (const row of rows) this.#track(this.#send(row), row);
    this.#lastOwner[channel] = rows.length < count ? null : rows.reduce((last, row) => (row.owner_id > last ? row.owner_id : last), "");
    // Those before the last one have not been looked at.
    if (rows.length > 0 || after !== null) return 0;
    return Math.min(idleMs, Math.max(50, (await store.nextDueMs(queries, claim)) ?? idleMs));
  }

  #track(work: Promise<void>, row: store.DeliveryRow): void {
    this.#sending.set(work, row);
    void work.finally(() => {
      this.#sending.delete(work);
      this.#wake.resolve();
    });
  }

  async #send(row: store.DeliveryRow): Promise<void> {
    const { database, logger, hooks } = this.#context;
    const { end, attempt } = await this.#try(row);
    if (end.state !== "sent") logger.info({ deliveryId: row.id, channel: row.channel, state: end.state }, "a delivery was not taken");
    const settle = async (work: Work) => {
      if (!(await store.settleDelivery(work, row, end, attempt)) || row.webhook_id === null) return;
      const error = end.state === "sent" ? null : end.error;
      await hooks.tried(work, row.webhook_id, {
        ok: error === null,
        status: attempt?.status ?? null,
        gaveUp: end.state === "failed",
        error,
      });
    };
    await database.queries
      .transaction()
      .execute(settle)
      .catch((error: unknown) => {
        logger.warn({ err: error, deliveryId: row.id }, "what came of a delivery could not be recorded");
      });
  }

  async #try(row: store.DeliveryRow): Promise<Tried> {
    const message = DeliveryMessage.parse(row.message);
    if ("url" in message) return await this.#tryHook(row, message);
    try {
      if (!("sent" in message)) await this.#context.mailer?.send(this.#mailOf(message), this.#messageId(row.id));
      return { end: { state: "sent", message: { to: message.to, subject: message.subject, sent: true } }, attempt: null };
    } catch (error) {
      return { end: this.#failure(row, reasonOf(error), error instanceof AppError || isFinalRefusal(error)), attempt: null };
    }
  }

  async #tryHook(row: store.DeliveryRow, message: HookMessage): Promise<Tried> {
    const open = await this.#open(row, message).catch((error: unknown) => error);
    if (open instanceof Error) return { end: this.#failure(row, open.message, false), attempt: null };
    if (typeof open === "string") return { end: { state: "failed", error: open }, attempt: null };
    const { url, secrets } = open as OpenHook;
    const at = new Date();
    const began = performance.now();
    const record = { at: at.toISOString(), url };
    const took = () => Math.round(performance.now() - began);
    try {
      const answer = await this.#post(row.id, url, secrets, message.payload);
      const attempt = { ...record, durationMs: took(), status: answer.status, error: null, headers: answer.headers, head: answer.head };
      if (answer.status >= 200 && answer.status <= 299) {
        // What a webhook was sent can be sent again; of a notification no more is kept than of a mail.
        const kept = row.webhook_id === null ? { to: url, subject: message.subject, sent: true } : message;
        return { end: { state: "sent", message: kept }, attempt };
      }
      const error = `it answered with ${answer.status}`;
      return { end: this.#failure(row, error, answer.status === 410, answer.retryAfterMs), attempt: { ...attempt, error } };
    } catch (thrown) {
      const error = reasonOf(thrown);
      return {
        end: this.#failure(row, error, false),
        attempt: { ...record, durationMs: took(), status: null, error, headers: {}, head: "" },
      };
    }
  }

  async #open(row: store.DeliveryRow, { url, generation }: HookMessage): Promise<OpenHook | string> {
    if (row.webhook_id !== null) return await this.#context.hooks.open(row.webhook_id, row.event_type ?? "");
    return { url, secrets: [this.#context.secretOf("notification", row.user_id ?? "", generation)] };
  }

  async #post(id: string, url: string, secrets: readonly string[], payload: object): Promise<PostAnswer> {
    const body = JSON.stringify(payload);
    const timestamp = Math.floor(Date.now() / 1000);
    const signed = signedHeaders(secrets, { id, timestamp, body });
    return await this.#context.post.send(url, body, { ...hookHeaders, ...signed });
  }

  #failure(row: store.DeliveryRow, error: string, hopeless: boolean, retryAfterMs: number | null = null): store.Settlement {
    const own = Math.min(firstDelayMs * 2 ** (row.attempts - 1), mostDelayMs) * (0.9 + Math.random() * 0.2);
    const delayMs = Math.max(own, retryAfterMs ?? 0);
    const age = Date.now() - row.tries_from.getTime();
    if (hopeless || row.attempts >= mostAttempts || age + delayMs > mostAgeMs) return { state: "failed", error };
    return { state: "due", error, delayMs };
  }

  #messageId(id: string): string {
    return `<${id}@${new URL(this.#context.publicUrl).hostname}>`;
  }

  #mailOf(message: Exclude<DeliveryMessage, { sent: true } | { url: string }>): Mail {
    return "text" in message ? message : renderMail(message.to, message.subject, message.entries, this.#context.publicUrl);
  }

  /** One page of the queue. */
  async list(filter: DeliveryFilter, before: string | null): Promise<{ items: Delivery[]; nextCursor: string | null }> {
    const rows = await store.listDeliveries(this.#context.database.queries, filter, before);
    const items = rows.slice(0, filter.limit).map(toDelivery);
    return { items, nextCursor: rows.length > filter.limit ? (items.at(-1)?.id ?? null) : null };
  }

  /** One with what it says, as long as that is kept. */
  async read(id: string): Promise<Delivery & { text: string | null }> {
    const row = await store.findDelivery(this.#context.database.queries, id);
    if (row === undefined) throw new AppError("not_found");
    const message = DeliveryMessage.parse(row.message);
    if ("sent" in message) return { ...toDelivery(row), text: null };
    const text = "url" in message ? JSON.stringify(message.payload, null, 2) : this.#mailOf(message).text;
    return { ...toDelivery(row), text };
  }

  /** Sends it again. @throws AppError `not_found`, `conflict` when it was sent or is on its way */
  async retry(id: string): Promise<Delivery> {
    const { queries } = this.#context.database;
    const row = await store.requeueDelivery(queries, id, ["due", "failed"]);
    if (row !== undefined) return toDelivery(row);
    if ((await store.findDelivery(queries, id)) === undefined) throw new AppError("not_found");
    throw new AppError("conflict", { message: "It was sent, or is being sent." });
  }

  /** Sends a mail of one notification at once, besides the queue. @throws AppError `mail_unavailable`, or Error of the SMTP client */
  async mailNow(to: string, entry: Entry): Promise<void> {
    if (this.#context.mailer === null) throw new AppError("mail_unavailable");
    await this.#context.mailer.send(renderMail(to, entry.title, [entry], this.#context.publicUrl), this.#messageId(newId("dlv")));
  }

  /** Sends a notification to a person's webhook at once, besides the queue. @throws Error that says why it was not taken */
  async postNow(userId: string, { url, generation, payload }: Omit<HookMessage, "subject">): Promise<void> {
    const { status } = await this.#post(newId("dlv"), url, [this.#context.secretOf("notification", userId, generation)], payload);
    if (status < 200 || status > 299) throw new Error(`it answered with ${status}`);
  }
}

/** Of every message to a webhook, besides those of its signature. */
export const hookHeaders = { "content-type": "application/json", "user-agent": "Syla-Webhooks/1" } as const;

function countBy(rows: readonly store.DeliveryRow[], keyOf: (row: store.DeliveryRow) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(keyOf(row), (counts.get(keyOf(row)) ?? 0) + 1);
  return counts;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function toDelivery(row: store.DeliveryRow): Delivery {
  const message = DeliveryMessage.parse(row.message);
  return {
    id: row.id,
    channel: row.channel,
    to: targetOf(message),
    subject: message.subject,
    state: row.state,
    attempts: row.attempts,
    dueAt: row.due_at.toISOString(),
    lastError: row.last_error,
    createdAt: row.created_at.toISOString(),
    sentAt: row.sent_at?.toISOString() ?? null,
  };
}
