import { z } from "zod";
import { ifMatch } from "./asset-fields.ts";
import { pageOf, pageQuery } from "./page.ts";
import { route } from "./route.ts";
import { RunStatus } from "./runs.ts";

/** How a call proves that it comes from whoever has the secret. */
export const triggerAuths = ["standard", "github", "bearer"] as const;
const TriggerAuth = z
  .enum(triggerAuths)
  .describe("`standard`: signed as Standard Webhooks; `github`: `X-Hub-Signature-256`; `bearer`: the secret itself in `Authorization`");
export type TriggerAuth = z.infer<typeof TriggerAuth>;

const name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, "no control characters");
const version = z.string().min(1).max(64).nullable();
const input = z.enum(["stdin", "file"]).describe("where a run gets the body: on standard input, or in `input/event.json` of its folder");
/** What proves the call stays outside of it. */
const kept = new Set(["authorization", "cookie", "proxy-authorization", "webhook-signature", "x-hub-signature", "x-hub-signature-256"]);
const headers = z
  .array(
    z
      .string()
      .toLowerCase()
      .regex(/^[a-z0-9-]{1,64}$/, "must be the name of a header")
      .refine((header) => !kept.has(header), "is never handed to a run"),
  )
  .max(20)
  .transform((names) => [...new Set(names)]);
const ratePerMinute = z.int().min(1).max(6000);

export const Trigger = z
  .object({
    id: z.string(),
    name: z.string(),
    url: z.string().describe("where calls are sent to"),
    ownerId: z.string().describe("runs are started as this person, with what they may at that time"),
    program: z.object({ id: z.string(), name: z.string().nullable().describe("null when it is gone") }),
    version: version.describe("a published version; null: the working tree"),
    auth: TriggerAuth,
    input,
    headers: z.array(z.string()).describe("headers of the call that a run gets, as a JSON object in `SYLA_EVENT_HEADERS`"),
    ratePerMinute,
    enabled: z.boolean(),
    disabledReason: z.string().nullable().describe("why the server has switched it off; null where a person did"),
    previousSecretUntil: z.iso.datetime().nullable().describe("until then the secret before is good as well"),
    lastCalledAt: z.iso.datetime().nullable(),
    revision: z.int().describe("its `ETag`"),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "Trigger" });
export type Trigger = z.infer<typeof Trigger>;

const TriggerWithSecret = Trigger.extend({ secret: z.string() }).meta({ id: "TriggerWithSecret" });

export const TriggerInput = z
  .strictObject({
    name,
    programId: z.string().min(1).max(64),
    version: version.default(null),
    auth: TriggerAuth.default("standard"),
    input: input.default("stdin"),
    headers: headers.default([]),
    ratePerMinute: ratePerMinute.default(60),
  })
  .meta({ id: "TriggerInput" });
export type TriggerInput = z.output<typeof TriggerInput>;

export const TriggerChange = z
  .strictObject({ name, version, auth: TriggerAuth, input, headers, ratePerMinute, enabled: z.boolean() })
  .partial()
  .describe("what is left out stays")
  .meta({ id: "TriggerChange" });
export type TriggerChange = z.output<typeof TriggerChange>;

/** A call, as it is kept: nothing of what it said. */
export const TriggerCall = z
  .object({
    id: z.string(),
    at: z.iso.datetime(),
    outcome: z
      .enum(["started", "duplicate", "refused", "unauthenticated"])
      .describe("`refused`: it was genuine, and no run came of it; `unauthenticated`: it was not proved to be"),
    deliveryId: z.string().nullable().describe("what the caller named it; of two of the same name one starts a run"),
    runId: z.string().nullable(),
    errorCode: z.string().nullable(),
    ip: z.string(),
    bytes: z.int(),
  })
  .meta({ id: "TriggerCall" });
export type TriggerCall = z.infer<typeof TriggerCall>;

/** What a caller learns: of the run as much as is known by then. */
export const TriggerAnswer = z
  .object({
    runId: z.string(),
    status: RunStatus.nullable().describe("null: the run has been deleted"),
    duplicate: z.boolean().describe("the call has been made before, and this is its run"),
    exitCode: z.int().nullable(),
    stdout: z.string().nullable().describe("its beginning, when the run has ended within the wait"),
  })
  .meta({ id: "TriggerAnswer" });
export type TriggerAnswer = z.infer<typeof TriggerAnswer>;

const TriggerFilter = z.object({ ...pageQuery, programId: z.string().max(64).optional().describe("only those of this program") });
export type TriggerFilter = z.output<typeof TriggerFilter>;

/** The longest wait of a caller, seconds. */
const longestWait = 60;

const base = "/api/v1/triggers";
const common = { tag: "triggers", auth: "user" } as const;
const params = z.object({ id: z.string().max(64) });

export const triggerRoutes = {
  listTriggers: route({
    ...common,
    method: "GET",
    path: base,
    summary: "List your triggers, newest first",
    query: TriggerFilter,
    responses: { 200: pageOf(Trigger) },
    errors: ["invalid_cursor"],
  }),
  createTrigger: route({
    ...common,
    audit: "trigger.create",
    method: "POST",
    path: base,
    once: "shown",
    summary: "Give a program an address whose calls start runs of it; the secret is shown this once",
    body: TriggerInput,
    responses: { 201: TriggerWithSecret },
    errors: ["not_found", "forbidden", "asset_deleted", "conflict", "impersonating"],
  }),
  getTrigger: route({
    ...common,
    method: "GET",
    path: `${base}/:id`,
    summary: "Read a trigger",
    params,
    responses: { 200: Trigger },
    errors: ["not_found"],
  }),
  updateTrigger: route({
    ...common,
    audit: "trigger.update",
    method: "PATCH",
    path: `${base}/:id`,
    summary: "Change a trigger, switch it off or on",
    params,
    headers: ifMatch,
    body: TriggerChange,
    responses: { 200: Trigger },
    errors: ["not_found", "forbidden", "asset_deleted", "revision_conflict"],
  }),
  deleteTrigger: route({
    ...common,
    audit: "trigger.delete",
    method: "DELETE",
    path: `${base}/:id`,
    summary: "Delete a trigger, with the list of its calls; its runs stay",
    params,
    responses: { 204: "none" },
    errors: ["not_found"],
  }),
  rotateTrigger: route({
    ...common,
    audit: "trigger.rotate",
    method: "POST",
    path: `${base}/:id/rotate`,
    summary: "A new secret, shown this once; for a day the one before is good as well",
    params,
    responses: { 201: TriggerWithSecret },
    errors: ["not_found", "impersonating"],
  }),
  listTriggerCalls: route({
    ...common,
    method: "GET",
    path: `${base}/:id/calls`,
    summary: "The last calls, newest first: 200 genuine ones and 50 others at most",
    params,
    query: z.object(pageQuery),
    responses: { 200: pageOf(TriggerCall) },
    errors: ["not_found", "invalid_cursor"],
  }),
  callTrigger: route({
    tag: "triggers",
    auth: "none",
    audit: "trigger.call",
    method: "POST",
    path: `${base}/:id/calls`,
    summary: "Start a run: for whoever has the trigger's secret; the body, 1 MiB at most, is what the run gets",
    params,
    query: z.object({
      wait: z.coerce.number().int().min(0).max(longestWait).default(0).describe("seconds to wait for the end of the run"),
    }),
    body: "bytes",
    responses: { 202: TriggerAnswer, 200: TriggerAnswer },
    errors: [
      "not_found",
      "signature_invalid",
      "trigger_disabled",
      "payload_too_large",
      "rate_limited",
      "quota_exceeded",
      "queue_full",
      "idempotency_conflict",
      "runtime_unavailable",
      "tier_unavailable",
      "tier_too_weak",
      "storage_full",
      "entrypoint_missing",
    ],
  }),
};
