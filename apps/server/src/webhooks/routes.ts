import { webhookRoutes as routes } from "@syla/contracts/webhooks";
import type { Http } from "../access/http.ts";
import { answer } from "../platform/http-call.ts";
import { readRevision, withEtag } from "../platform/revision.ts";
import type { Webhooks } from "./service.ts";

/** Binds webhooks. Secrets are in no trail; addresses may hold some, and stay out of it. */
export function registerWebhookRoutes(http: Http, webhooks: Webhooks): void {
  http.bind(routes.listWebhooks, ({ query }, { actor }) => webhooks.list(actor, query));
  http.bind(routes.createWebhook, async ({ body }, call) => {
    call.trail.details = { name: body.name, ownerId: body.ownerId ?? call.actor.userId, events: body.events };
    return await webhooks.create(call.actor, body);
  });
  http.bind(routes.getWebhook, async ({ params }, { actor }) => withEtag(await webhooks.get(actor, params.id)));
  http.bind(routes.updateWebhook, async ({ params, headers, body }, call) => {
    call.trail.details = { changed: Object.keys(body) };
    return withEtag(await webhooks.update(call.actor, params.id, body, readRevision(headers)));
  });
  http.bind(routes.deleteWebhook, async ({ params }, { actor }) => {
    await webhooks.delete(actor, params.id);
    return answer(204);
  });
  http.bind(routes.rotateWebhook, ({ params }, { actor }) => webhooks.rotate(actor, params.id));
  http.bind(routes.testWebhook, async ({ params }, call) => {
    call.trail.resourceId = params.id;
    return await webhooks.test(call.actor, params.id);
  });
  http.bind(routes.listWebhookDeliveries, ({ params, query }, { actor }) => webhooks.deliveries(actor, params.id, query));
  http.bind(routes.getWebhookDelivery, ({ params }, { actor }) => webhooks.delivery(actor, params.id, params.deliveryId));
  http.bind(routes.replayWebhookDelivery, async ({ params }, call) => {
    call.trail.resourceId = params.id;
    call.trail.details = { deliveryId: params.deliveryId };
    return await webhooks.replay(call.actor, params.id, params.deliveryId);
  });
  http.bind(routes.replayWebhook, async ({ params, body }, call) => {
    const replayed = await webhooks.replayMany(call.actor, params.id, body);
    call.trail.details = { ...body, replayed };
    return { replayed };
  });
}
