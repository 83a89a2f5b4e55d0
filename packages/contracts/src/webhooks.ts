import { z } from "zod";
import { AssetType, ifMatch } from "./asset-fields.ts";
import { pageOf, pageQuery } from "./page.ts";
import { route } from "./route.ts";
import { RunKind } from "./runs.ts";

/** An address that something is sent to. */
export const WebhookUrl = z
  .url({ protocol: /^https?$/ })
  .max(2000)
  .refine((url) => {
    const { username, password } = new URL(url);
    return username === "" && password === "";
  }, "must not hold a name or password");

const EndStatus = z.enum(["succeeded", "failed", "cancelled", "timed_out"]);
const time = z.iso.datetime({ offset: true });

/** A run, without anything that it was given or has said. */
const runFields = {
  runId: z.string(),
  kind: RunKind,
  ownerId: z.string(),
  language: z.string(),
  entrypoint: z.string(),
  attempt: z.int(),
  program: z.object({ id: z.string(), name: z.string(), version: z.string().nullable() }).nullable(),
  createdAt: time,
  startedAt: time.nullable(),
};
const RunStarted = z.object(runFields);
const RunWaiting = z.object({
  ...runFields,
  nodes: z.array(z.string()).describe("the paths of the first 20 nodes of its composition where somebody has to decide"),
});
const RunFinished = z.object({
  ...runFields,
  status: EndStatus,
  finishedAt: time,
  exitCode: z.int().nullable(),
  signal: z.string().nullable(),
  errorCode: z.string().nullable(),
});
const assetFields = { assetId: z.string(), assetType: AssetType, name: z.string(), ownerId: z.string(), revision: z.int() };
const Asset = z.object({ ...assetFields, by: z.string().nullable().describe("who did it") });
const AssetPublished = Asset.extend({ version: z.string() });
const ScheduleFailed = z.object({
  scheduleId: z.string(),
  name: z.string(),
  ownerId: z.string(),
  programId: z.string(),
  at: time.describe("the time that had come"),
  errorCode: z.string(),
  willRetry: z.boolean().describe("the reason may pass: this time is tried again"),
  disabled: z.boolean().describe("no other time comes until its owner enables it again"),
});
const Quota = z.object({
  userId: z.string(),
  quota: z.string(),
  used: z.number(),
  limit: z.number(),
  apiKeyId: z.string().optional().describe("where the quota is one of a key"),
});

/** Everything that a webhook can be told of. A change that a receiver could trip over gets another version. */
export const webhookEvents = {
  "run.started": { version: 1, summary: "A run has begun", data: RunStarted },
  "run.waiting": { version: 1, summary: "A run waits for somebody to decide", data: RunWaiting },
  "run.finished": { version: 1, summary: "A run has ended, however it did", data: RunFinished },
  "asset.created": { version: 1, summary: "A program, model or dataset was created", data: Asset },
  "asset.updated": { version: 1, summary: "One was changed", data: Asset },
  "asset.published": { version: 1, summary: "A version of one was published", data: AssetPublished },
  "asset.deleted": { version: 1, summary: "One was deleted", data: Asset },
  "schedule.failed": { version: 1, summary: "A schedule could not begin its run", data: ScheduleFailed },
  "quota.warning": { version: 1, summary: "A quota is nearly used up", data: Quota },
  "quota.exceeded": { version: 1, summary: "A quota is used up", data: Quota },
  "webhook.test": { version: 1, summary: "You asked for a test", data: z.object({ by: z.string() }) },
} as const;

export type WebhookEventType = keyof typeof webhookEvents;
export const webhookEventTypes = Object.keys(webhookEvents) as WebhookEventType[];
export const WebhookEventType = z.enum(webhookEventTypes).meta({ id: "WebhookEventType" });

/** The tests come whether they are wanted or not. */
export type ChosenEventType = Exclude<WebhookEventType, "webhook.test">;
export const chosenEventTypes = webhookEventTypes.filter((type): type is ChosenEventType => type !== "webhook.test");
const Events = z
  .array(z.enum(chosenEventTypes))
  .min(1)
  .max(50)
  .transform((types) => [...new Set(types)]);

function payloadOf<T extends WebhookEventType, D extends z.ZodType>(type: T, { version, data }: { readonly version: 1; readonly data: D }) {
  return z.object({
    id: z.string().describe("of what happened: the same for every webhook that is told of it"),
    type: z.literal(type),
    version: z.literal(version),
    createdAt: time,
    data,
  });
}

/** The body of a request to a webhook. */
export const WebhookPayload = z
  .discriminatedUnion("type", [
    payloadOf("run.started", webhookEvents["run.started"]),
    payloadOf("run.waiting", webhookEvents["run.waiting"]),
    payloadOf("run.finished", webhookEvents["run.finished"]),
    payloadOf("asset.created", webhookEvents["asset.created"]),
    payloadOf("asset.updated", webhookEvents["asset.updated"]),
    payloadOf("asset.published", webhookEvents["asset.published"]),
    payloadOf("asset.deleted", webhookEvents["asset.deleted"]),
    payloadOf("schedule.failed", webhookEvents["schedule.failed"]),
    payloadOf("quota.warning", webhookEvents["quota.warning"]),
    payloadOf("quota.exceeded", webhookEvents["quota.exceeded"]),
    payloadOf("webhook.test", webhookEvents["webhook.test"]),
  ])
  .meta({ id: "WebhookPayload" });
export type WebhookPayload = z.infer<typeof WebhookPayload>;

const name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, "no control characters");
const programIds = z.array(z.string().min(1).max(64)).min(1).max(100).nullable();
const runStatuses = z.array(EndStatus).min(1).max(4).nullable();
const assetTypes = z.array(AssetType).min(1).max(4).nullable();

export const Webhook = z
  .object({
    id: z.string(),
    name: z.string(),
    url: z.string(),
    owner: z.object({ id: z.string(), name: z.string() }).describe("a person or a team"),
    mayManage: z.boolean().describe("whether you may change, replay and delete it"),
    events: z.array(z.enum(chosenEventTypes)),
    programIds: z.array(z.string()).nullable().describe("of runs and assets only those of these programs; null: of all"),
    runStatuses: z.array(EndStatus).nullable().describe("of runs that have ended only those that ended so; null: of all"),
    assetTypes: z.array(AssetType).nullable().describe("of assets only these; null: of all"),
    enabled: z.boolean(),
    disabledReason: z.string().nullable().describe("why the server has switched it off; null where a person did"),
    failingSince: z.iso.datetime().nullable().describe("since when nothing has been taken"),
    lastTakenAt: z.iso.datetime().nullable(),
    previousSecretUntil: z.iso.datetime().nullable().describe("until then messages are signed with the secret before as well"),
    revision: z.int().describe("its `ETag`"),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "Webhook" });
export type Webhook = z.infer<typeof Webhook>;

/** The one time that the secret is shown. */
const WebhookWithSecret = Webhook.extend({ secret: z.string() }).meta({ id: "WebhookWithSecret" });

export const WebhookInput = z
  .strictObject({
    name,
    url: WebhookUrl,
    events: Events,
    programIds: programIds.default(null),
    runStatuses: runStatuses.default(null),
    assetTypes: assetTypes.default(null),
    ownerId: z.string().max(64).optional().describe("a team that you own; yourself when left out"),
  })
  .meta({ id: "WebhookInput" });
export type WebhookInput = z.output<typeof WebhookInput>;

export const WebhookChange = z
  .strictObject({ name, url: WebhookUrl, events: Events, programIds, runStatuses, assetTypes, enabled: z.boolean() })
  .partial()
  .describe("what is left out stays")
  .meta({ id: "WebhookChange" });
export type WebhookChange = z.output<typeof WebhookChange>;

const DeliveryState = z.enum(["due", "sent", "failed"]).describe("`due`: it waits for its first try or the next; `failed`: given up");

/** Something that a webhook was told, or is about to be. */
export const WebhookDelivery = z
  .object({
    id: z.string().describe("the header `webhook-id`: the same however often it is sent"),
    eventType: WebhookEventType,
    state: DeliveryState,
    attempts: z.int().describe("since it was queued, or sent again"),
    lastStatus: z.int().nullable().describe("of the newest answer; null when there was none"),
    lastDurationMs: z.int().nullable(),
    lastError: z.string().nullable(),
    dueAt: z.iso.datetime(),
    createdAt: z.iso.datetime(),
    sentAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "WebhookDelivery" });
export type WebhookDelivery = z.infer<typeof WebhookDelivery>;

const WebhookAttempt = z
  .object({
    at: z.iso.datetime(),
    url: z.string(),
    durationMs: z.int(),
    status: z.int().nullable().describe("null: there was no answer"),
    error: z.string().nullable(),
    headers: z.record(z.string(), z.string()).describe("some of those of the answer"),
    head: z.string().describe("the beginning of the answer, 1 KiB at most; what looks like a secret is left out"),
  })
  .meta({ id: "WebhookAttempt" });

export const WebhookDeliveryDetail = WebhookDelivery.extend({
  request: z.object({ headers: z.record(z.string(), z.string()), body: z.string() }),
  tries: z.array(WebhookAttempt).describe("the newest twenty, the newest first"),
}).meta({ id: "WebhookDeliveryDetail" });
export type WebhookDeliveryDetail = z.infer<typeof WebhookDeliveryDetail>;

const WebhookFilter = z.object({ ...pageQuery, ownerId: z.string().max(64).optional().describe("only those of this owner") });
export type WebhookFilter = z.output<typeof WebhookFilter>;
const WebhookDeliveryFilter = z.object({ ...pageQuery, state: DeliveryState.optional(), eventType: WebhookEventType.optional() });
export type WebhookDeliveryFilter = z.output<typeof WebhookDeliveryFilter>;

export const WebhookReplay = z
  .strictObject({
    state: z.enum(["sent", "failed"]).default("failed"),
    since: z.iso.datetime().describe("what was queued since then"),
  })
  .meta({ id: "WebhookReplay" });
export type WebhookReplay = z.output<typeof WebhookReplay>;

const base = "/api/v1/webhooks";
const common = { tag: "webhooks", auth: "user" } as const;
const params = z.object({ id: z.string().max(64) });
const deliveryParams = z.object({ id: z.string().max(64), deliveryId: z.string().max(64) });
const refusals = ["not_found", "forbidden"] as const;

export const webhookRoutes = {
  listWebhooks: route({
    ...common,
    method: "GET",
    path: base,
    summary: "List your webhooks and those of your teams, newest first",
    query: WebhookFilter,
    responses: { 200: pageOf(Webhook) },
    errors: ["invalid_cursor"],
  }),
  createWebhook: route({
    ...common,
    audit: "webhook.create",
    method: "POST",
    path: base,
    once: "shown",
    summary: "Have events sent to an address; the secret that signs them is shown this once",
    body: WebhookInput,
    responses: { 201: WebhookWithSecret },
    errors: ["forbidden", "not_found", "webhook_refused", "conflict", "impersonating"],
  }),
  getWebhook: route({
    ...common,
    method: "GET",
    path: `${base}/:id`,
    summary: "Read a webhook",
    params,
    responses: { 200: Webhook },
    errors: ["not_found"],
  }),
  updateWebhook: route({
    ...common,
    audit: "webhook.update",
    method: "PATCH",
    path: `${base}/:id`,
    summary: "Change a webhook, switch it off or on",
    params,
    headers: ifMatch,
    body: WebhookChange,
    responses: { 200: Webhook },
    errors: [...refusals, "webhook_refused", "revision_conflict"],
  }),
  deleteWebhook: route({
    ...common,
    audit: "webhook.delete",
    method: "DELETE",
    path: `${base}/:id`,
    summary: "Delete a webhook, with what waits for it and the log",
    params,
    responses: { 204: "none" },
    errors: refusals,
  }),
  rotateWebhook: route({
    ...common,
    audit: "webhook.rotate",
    method: "POST",
    path: `${base}/:id/rotate`,
    summary: "A new secret, shown this once; for a day messages are signed with the one before as well",
    params,
    responses: { 201: WebhookWithSecret },
    errors: [...refusals, "impersonating"],
  }),
  testWebhook: route({
    ...common,
    audit: "webhook.test",
    method: "POST",
    path: `${base}/:id/test`,
    summary: "Send an event of the type `webhook.test`, also while the webhook is switched off; the log tells what came of it",
    params,
    responses: { 202: WebhookDelivery },
    errors: refusals,
  }),
  listWebhookDeliveries: route({
    ...common,
    method: "GET",
    path: `${base}/:id/deliveries`,
    summary: "What a webhook was sent in the last two weeks, newest first",
    params,
    query: WebhookDeliveryFilter,
    responses: { 200: pageOf(WebhookDelivery) },
    errors: ["not_found", "invalid_cursor"],
  }),
  getWebhookDelivery: route({
    ...common,
    method: "GET",
    path: `${base}/:id/deliveries/:deliveryId`,
    summary: "One with what was sent and what was answered to each try",
    params: deliveryParams,
    responses: { 200: WebhookDeliveryDetail },
    errors: ["not_found"],
  }),
  replayWebhookDelivery: route({
    ...common,
    audit: "webhook.replay",
    method: "POST",
    path: `${base}/:id/deliveries/:deliveryId/replay`,
    summary: "Send it again now, under the same id",
    params: deliveryParams,
    responses: { 202: WebhookDelivery },
    errors: [...refusals, "conflict"],
  }),
  replayWebhook: route({
    ...common,
    audit: "webhook.replay_many",
    method: "POST",
    path: `${base}/:id/replay`,
    summary: "Send many again, the oldest first, a thousand at most",
    params,
    body: WebhookReplay,
    responses: { 202: z.object({ replayed: z.int() }) },
    errors: [...refusals, "conflict"],
  }),
};
