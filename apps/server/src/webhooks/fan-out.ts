import { setTimeout as sleep } from "node:timers/promises";
import { webhookEvents, WebhookPayload, type WebhookEventType } from "@syla/contracts/webhooks";
import { insertDeliveries, waitingFor, type NewDelivery } from "../deliveries/service.ts";
import type { Database, Work } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import type { Logger } from "../platform/logger.ts";
import type { Notifications } from "../platform/notifications.ts";
import type { Service } from "../platform/service.ts";
import { switchOff } from "./switch-off.ts";
import * as store from "./store.ts";

const atOnce = 100;
const idleMs = 60_000;
/** So much may wait for one webhook. */
const mostWaiting = 10_000;

/**
 * Hands what has happened to the webhooks that want to know: a delivery for each, in the transaction that forgets the event. Several servers
 * share the work; one that is killed leaves it as it was.
 */
export class FanOut implements Service {
  readonly name = "webhook events";
  readonly #context: { readonly database: Database; readonly notifications: Notifications; readonly logger: Logger };
  readonly #stopping = new AbortController();
  #wake = Promise.withResolvers<void>();
  #working: Promise<unknown> = Promise.resolve();

  constructor(context: { readonly database: Database; readonly notifications: Notifications; readonly logger: Logger }) {
    this.#context = context;
  }

  async run(): Promise<void> {
    const { signal } = this.#stopping;
    const wake = () => this.#wake.resolve();
    const unsubscribe = await this.#context.notifications.listen(store.eventsChannel, wake, wake);
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers();
      const work = this.#handOver();
      this.#working = work;
      const waitMs = await work.catch((err: unknown) => {
        this.#context.logger.warn({ err }, "events could not be handed to webhooks");
        return 2000;
      });
      if (waitMs > 0) await Promise.race([this.#wake.promise, sleep(waitMs, undefined, { ref: false, signal })]).catch(() => {});
    }
    unsubscribe();
  }

  async drain(): Promise<void> {
    this.#stopping.abort();
    this.#wake.resolve();
    await this.#working.catch(() => {});
  }

  async stop(): Promise<void> {
    await this.drain();
  }

  /** @returns for how long there is nothing to do */
  async #handOver(): Promise<number> {
    const { database, logger } = this.#context;
    const count = await database.queries.transaction().execute((work) => handOver(work, logger));
    return count === atOnce ? 0 : idleMs;
  }
}

/** An event that cannot be handed over by itself is left out: it would keep back all that come after it. */
async function handOver(work: Work, logger: Logger): Promise<number> {
  const events = await store.takeEvents(work, atOnce);
  if (events.length === 0) return 0;
  const complain = (id: number, err: unknown) => logger.error({ err, eventId: id }, "an event could not be handed to webhooks");
  const payloads = new Map<number, WebhookPayload>();
  for (const event of events)
    try {
      payloads.set(event.id, payloadOf(event));
    } catch (error) {
      complain(event.id, error);
    }
  if ((await store.failureOf(work, () => queue(work, payloads))) !== null)
    for (const [id, payload] of payloads) {
      const failure = await store.failureOf(work, () => queue(work, new Map([[id, payload]])));
      if (failure !== null) complain(id, failure);
    }
  await store.deleteEvents(
    work,
    events.map(({ id }) => id),
  );
  return events.length;
}

async function queue(work: Work, payloads: ReadonlyMap<number, WebhookPayload>): Promise<void> {
  const wanting = await store.findWanting(work, [...payloads.keys()]);
  const full = new Set<string>();
  for (const id of new Set(wanting.map((one) => one.webhook_id)))
    if ((await waitingFor(work, id, mostWaiting)) >= mostWaiting) full.add(id);
  for (const id of full) await switchOff(work, id, `${mostWaiting} events were waiting to be sent`);
  const deliveries = wanting.flatMap(({ event_id, ...webhook }): NewDelivery[] => {
    const payload = payloads.get(event_id);
    return payload === undefined || full.has(webhook.webhook_id) ? [] : [deliveryOf(webhook, payload)];
  });
  await insertDeliveries(work, deliveries);
}

/** A message of a webhook, as it is queued. */
export function deliveryOf(
  { webhook_id: id, owner_id: ownerId, url }: Omit<store.Wanting, "event_id">,
  payload: WebhookPayload,
): NewDelivery {
  const { type: eventType } = payload;
  const message = { url, generation: 0, subject: eventType, payload };
  return { id: newId("msg"), channel: "webhook", userId: null, notificationId: null, message, hook: { id, ownerId, eventType } };
}

function payloadOf(event: store.EventRow): WebhookPayload {
  const type = event.type as WebhookEventType;
  const { version } = webhookEvents[type];
  return WebhookPayload.parse({ id: newId("evt"), type, version, createdAt: event.created_at.toISOString(), data: event.data });
}
