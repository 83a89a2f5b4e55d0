import type { RouteBody, RouteOutput, RouteQuery } from "@syla/contracts/route";
import type { Webhook, WebhookDelivery, WebhookDeliveryDetail, webhookRoutes } from "@syla/contracts/webhooks";
import { iteratePages } from "./pages.ts";
import type { Page } from "./runs.ts";
import type { CallOptions, ChangeOptions, CreateOptions, Transport } from "./transport.ts";

/** A webhook with the secret that signs what it is sent: shown this once. */
export type WebhookWithSecret = RouteOutput<typeof webhookRoutes.createWebhook>;

/** Addresses that are told of what happens. */
export interface Webhooks {
  /** Yours and those of your teams, newest first. */
  list(
    query?: Omit<RouteQuery<typeof webhookRoutes.listWebhooks>, "cursor" | "limit">,
    options?: CallOptions,
  ): AsyncGenerator<Webhook, void, void>;
  create(input: RouteBody<typeof webhookRoutes.createWebhook>, options?: CreateOptions): Promise<WebhookWithSecret>;
  get(id: string, options?: CallOptions): Promise<Webhook>;
  update(id: string, change: RouteBody<typeof webhookRoutes.updateWebhook>, options?: ChangeOptions): Promise<Webhook>;
  /** With what waits for it and its log. */
  delete(id: string, options?: CallOptions): Promise<void>;
  /** A new secret; for a day messages are signed with the one before as well. */
  rotate(id: string, options?: CallOptions): Promise<WebhookWithSecret>;
  /** Sends an event of the type `webhook.test`. */
  test(id: string, options?: CallOptions): Promise<WebhookDelivery>;
  /** What it was sent, newest first, one page. */
  deliveries(
    id: string,
    query?: RouteQuery<typeof webhookRoutes.listWebhookDeliveries>,
    options?: CallOptions,
  ): Promise<Page<WebhookDelivery>>;
  /** One with what was sent and what was answered. */
  delivery(id: string, deliveryId: string, options?: CallOptions): Promise<WebhookDeliveryDetail>;
  /** Sends it again, under the same id. */
  replay(id: string, deliveryId: string, options?: CallOptions): Promise<WebhookDelivery>;
  /** Sends many again. Answers how many. */
  replayMany(id: string, which: RouteBody<typeof webhookRoutes.replayWebhook>, options?: CallOptions): Promise<number>;
}

export function createWebhooks(transport: Transport): Webhooks {
  return {
    list: (query = {}, options = {}) =>
      iteratePages((cursor): Promise<Page<Webhook>> =>
        transport.json("listWebhooks", { ...options, query: { ...query, limit: 200, ...(cursor !== null && { cursor }) } }),
      ),
    create: (input, options = {}) => transport.json("createWebhook", { ...options, body: input }),
    get: (id, options = {}) => transport.json("getWebhook", { ...options, params: { id } }),
    update: (id, change, options = {}) => transport.json("updateWebhook", { ...options, params: { id }, body: change, repeatable: true }),
    delete: async (id, options = {}) => void (await transport.json("deleteWebhook", { ...options, params: { id } })),
    rotate: (id, options = {}) => transport.json("rotateWebhook", { ...options, params: { id } }),
    test: (id, options = {}) => transport.json("testWebhook", { ...options, params: { id } }),
    deliveries: (id, query = {}, options = {}) => transport.json("listWebhookDeliveries", { ...options, params: { id }, query }),
    delivery: (id, deliveryId, options = {}) => transport.json("getWebhookDelivery", { ...options, params: { id, deliveryId } }),
    replay: (id, deliveryId, options = {}) => transport.json("replayWebhookDelivery", { ...options, params: { id, deliveryId } }),
    replayMany: async (id, which, options = {}) =>
      (await transport.json("replayWebhook", { ...options, params: { id }, body: which })).replayed,
  };
}
