import { setTimeout as sleep } from "node:timers/promises";
import type { Delivery, DeliveryFilter } from "@syla/contracts/admin";
import { AppError } from "@syla/contracts/errors";
import type { Database } from "../../platform/database.ts";
import type { Logger } from "../../platform/logger.ts";
import type { Notifications } from "../../platform/notifications.ts";
import type { Service } from "../../platform/service.ts";
import type { Mail } from "../outbox.ts";
import { deliveriesChannel } from "../store.ts";
import { renderMail } from "./mail-text.ts";
import { isFinalRefusal, type Mailer } from "./mailer.ts";
import { DeliveryMessage, targetOf } from "./message.ts";
import * as store from "./store.ts";
import type { Webhooks } from "./webhook.ts";

const atOnce = 8;
/** Longer than any try takes. */
const leaseMs = 120_000;
const firstDelayMs = 15_000;
const mostDelayMs = 2 * 3_600_000;
/** With these delays the last try is a day after the first. */
const mostAttempts = 20;
const keepSentMs = 14 * 24 * 3_600_000;
const idleMs = 60_000;

/** What sending needs. */
export interface DeliveriesContext {
  readonly database: Database;
  readonly notifications: Notifications;
  readonly logger: Logger;
  readonly mailer: Mailer | null;
  readonly webhooks: Webhooks;
  readonly publicUrl: string;
}

/**
 * Sends what waits in the queue of deliveries. Several servers share it: each takes what no other has. A server that dies after the other
 * side has taken something and before that is recorded leaves it to be sent once more; everything else is sent once. Mails wait while no
 * SMTP server is configured.
 */
export class Deliveries implements Service {
  readonly name = "deliveries";
  readonly #context: DeliveriesContext;
  readonly #stopping = new AbortController();
  readonly #sending = new Set<Promise<void>>();
  #wake = Promise.withResolvers<void>();

  constructor(context: DeliveriesContext) {
    this.#context = context;
  }

  /** Whether mails leave this server. */
  get sendsMail(): boolean {
    return this.#context.mailer !== null;
  }

  async run(): Promise<void> {
    const wake = () => this.#wake.resolve();
    const unsubscribe = await this.#context.notifications.listen(deliveriesChannel, wake, wake);
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
    await Promise.all(this.#sending);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.race([Promise.all(this.#sending), sleep(2000, undefined, { ref: false })]);
    this.#context.mailer?.close();
  }

  /** @returns for how long there is nothing to do */
  async #sendDue(): Promise<number> {
    const { queries } = this.#context.database;
    const channels = this.sendsMail ? (["email", "webhook"] as const) : (["webhook"] as const);
    const rows = await store.claimDeliveries(queries, channels, atOnce, leaseMs);
    for (const row of rows) this.#track(this.#send(row));
    await Promise.all(this.#sending);
    if (rows.length > 0) return 0;
    await store.dropSent(queries, new Date(Date.now() - keepSentMs));
    const nextMs = await store.nextDueMs(queries, channels);
    return Math.min(idleMs, Math.max(50, nextMs ?? idleMs));
  }

  #track(work: Promise<void>): void {
    this.#sending.add(work);
    void work.finally(() => this.#sending.delete(work));
  }

  async #send(row: store.DeliveryRow): Promise<void> {
    const { database, logger } = this.#context;
    const end = await this.#try(row);
    if (end.state !== "sent") logger.info({ deliveryId: row.id, channel: row.channel, state: end.state }, "a delivery was not taken");
    await store.settleDelivery(database.queries, row, end).catch((error: unknown) => {
      logger.warn({ err: error, deliveryId: row.id }, "what came of a delivery could not be recorded");
    });
  }

  async #try(row: store.DeliveryRow): Promise<store.Settlement> {
    const message = DeliveryMessage.parse(row.message);
    try {
      await this.#hand(row, message);
      return { state: "sent", message: { to: targetOf(message), subject: message.subject, sent: true } };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const hopeless = error instanceof AppError || isFinalRefusal(error) || row.attempts >= mostAttempts;
      if (hopeless) return { state: "failed", error: reason };
      const delayMs = Math.min(firstDelayMs * 2 ** (row.attempts - 1), mostDelayMs);
      return { state: "due", error: reason, delayMs: delayMs * (0.9 + Math.random() * 0.2) };
    }
  }

  async #hand(row: store.DeliveryRow, message: DeliveryMessage): Promise<void> {
    if ("sent" in message) return;
    if ("url" in message) return await this.#context.webhooks.send(row.user_id ?? "", row.id, message);
    const host = new URL(this.#context.publicUrl).hostname;
    await this.#context.mailer?.send(this.#mailOf(message), `<${row.id}@${host}>`);
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
    const row = await store.requeueDelivery(queries, id);
    if (row !== undefined) return toDelivery(row);
    if ((await store.findDelivery(queries, id)) === undefined) throw new AppError("not_found");
    throw new AppError("conflict", { message: "It was sent, or is being sent." });
  }

  /** Sends a mail at once, besides the queue. @throws AppError `mail_unavailable`, or Error of the SMTP client */
  async sendNow(mail: Mail, messageId: string): Promise<void> {
    if (this.#context.mailer === null) throw new AppError("mail_unavailable");
    await this.#context.mailer.send(mail, messageId);
  }
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
