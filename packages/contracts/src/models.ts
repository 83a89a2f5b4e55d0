import { z } from "zod";
import { ifMatch } from "./asset-fields.ts";
import { AccessLevel, Visibility } from "./access.ts";
import { Role } from "./accounts.ts";
import { ModelConfig, ModelProvider } from "./model-config.ts";
import { pageOf, pageQuery } from "./page.ts";
import { route } from "./route.ts";
import { description, name } from "./fields.ts";
import { SpendCapInput, SpendPeriod } from "./spend-caps.ts";

export { SpendCapInput, SpendPeriod };

/** A cap, and what of it is used. */
export const SpendCap = z
  .object({
    subject: z.string().describe("the id of a grant, or `public`"),
    name: z.string().describe("whom the grant is for"),
    amount: z.number(),
    period: SpendPeriod,
    spent: z.number(),
    held: z.number().describe("held back for calls that go on"),
    revision: z.int().describe("its `ETag`"),
    resetsAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "SpendCap" });
export type SpendCap = z.infer<typeof SpendCap>;

export const Model = z
  .object({
    id: z.string(),
    name: z.string(),
    slug: z.string(),
    description: z.string(),
    owner: z.object({ id: z.string(), name: z.string() }),
    visibility: Visibility,
    level: AccessLevel.describe("what you may do with it"),
    usable: z.boolean().describe("whether you may call it: that needs leave to spend"),
    provider: ModelProvider,
    modelId: z.string(),
    config: ModelConfig.nullable().describe("null for those who may not change it"),
    capabilities: z.object({
      contextWindow: z.int().nullable(),
      streaming: z.boolean(),
      tools: z.boolean().nullable(),
      json: z.boolean().nullable(),
      modalities: z.array(z.string()),
    }),
    prices: z.object({ input: z.number().nullable(), output: z.number().nullable(), cachedInput: z.number().nullable() }),
    roles: z.array(Role),
    revision: z.int(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: "Model" });
export type Model = z.infer<typeof Model>;

export const ModelInput = z
  .strictObject({
    name,
    description: description.default(""),
    ownerId: z.string().max(64).optional().describe("a team of yours; `system` for administrators; yourself when left out"),
    visibility: Visibility.optional().describe(
      "of a model of the system: `public` for everybody (when left out), `private` for those alone with whom it is shared; others are private at first",
    ),
    config: ModelConfig,
  })
  .meta({ id: "ModelInput" });
export type ModelInput = z.output<typeof ModelInput>;

export const ModelChange = z
  .strictObject({
    name: name.optional(),
    description: description.optional(),
    config: ModelConfig.optional(),
    visibility: Visibility.optional(),
    publicCap: SpendCapInput.nullable()
      .optional()
      .describe("what everybody together may spend; a public model needs one, unless it is the system's"),
    revision: z.int().optional().describe("refused when it was changed since"),
  })
  .meta({ id: "ModelChange" });
export type ModelChange = z.output<typeof ModelChange>;

/** How a model answered a short call. */
export const ModelTest = z
  .object({
    ok: z.boolean(),
    code: z
      .enum(["invalid_api_key", "unreachable", "unknown_model", "rate_limited", "timeout", "garbled", "credential", "failed"])
      .nullable()
      .describe("why it did not; null when it did"),
    message: z.string().nullable(),
    latencyMs: z.number().nullable().describe("to the end of the answer"),
    firstByteMs: z.number().nullable(),
    capabilities: z
      .object({
        streaming: z.boolean().nullable(),
        tools: z.boolean().nullable(),
        json: z.boolean().nullable(),
        vision: z.boolean().nullable(),
        embeddings: z.boolean().nullable(),
      })
      .describe("what it was seen to do; null: not known"),
    answer: z.string().nullable(),
  })
  .meta({ id: "ModelTest" });
export type ModelTest = z.infer<typeof ModelTest>;

const tokens = {
  inputTokens: z.int().nullable(),
  outputTokens: z.int().nullable(),
  cachedTokens: z.int().nullable(),
  reasoningTokens: z.int().nullable(),
};

/** One call of a model through the gateway. */
export const LlmCall = z
  .object({
    id: z.string(),
    runId: z.string().nullable(),
    sandboxId: z.string().nullable().describe("the sandbox that it came from"),
    nodePath: z.string().nullable().describe("the node of a composition that made it, as the run says; null: of no node"),
    user: z.object({ id: z.string(), name: z.string() }),
    model: z.object({ id: z.string(), name: z.string(), owner: z.string().describe("who may raise its caps") }),
    provider: z.string(),
    upstreamModel: z.string(),
    protocol: z.string(),
    operation: z.string(),
    streamed: z.boolean(),
    status: z.enum(["running", "succeeded", "failed", "cancelled", "refused", "lost"]),
    httpStatus: z.int().nullable(),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    attempts: z.int(),
    cached: z.boolean().describe("answered from memory, and free"),
    ...tokens,
    isEstimate: z.boolean().describe("some of the tokens are our own estimate"),
    cost: z.number().nullable().describe("US dollars; null: unknown"),
    priceVersion: z.int().nullable(),
    startedAt: z.iso.datetime(),
    firstByteMs: z.number().nullable(),
    totalMs: z.number().nullable(),
  })
  .meta({ id: "LlmCall" });
export type LlmCall = z.infer<typeof LlmCall>;

/** A call with what was said in it, where the model keeps that. */
export const LlmCallText = LlmCall.extend({
  request: z.string().nullable().describe("the body as it came in, the first 256 KiB; null where it was not kept"),
  response: z.string().nullable().describe("what the model wrote"),
  requestSha256: z.string().nullable(),
  responseSha256: z.string().nullable(),
}).meta({ id: "LlmCallText" });
export type LlmCallText = z.infer<typeof LlmCallText>;

/** Calls in numbers. */
export const LlmTotals = z
  .object({
    calls: z.int(),
    failed: z.int(),
    inputTokens: z.int(),
    outputTokens: z.int(),
    cachedTokens: z.int(),
    cost: z.number().nullable().describe("US dollars of the calls whose cost is known; null: of none"),
    unknownCosts: z.int().describe("calls whose cost nobody knows"),
    estimates: z.int(),
  })
  .meta({ id: "LlmTotals" });
export type LlmTotals = z.infer<typeof LlmTotals>;

const Share = LlmTotals.extend({ id: z.string(), name: z.string() });
export const ModelUsage = z
  .object({
    days: z.array(LlmTotals.extend({ day: z.iso.date() })),
    total: LlmTotals,
    people: z.array(Share).describe("those who spent the most"),
    programs: z.array(Share),
    caps: z.array(SpendCap),
  })
  .meta({ id: "ModelUsage" });
export type ModelUsage = z.infer<typeof ModelUsage>;

const base = "/api/v1/models";
const common = { tag: "models", auth: "user" } as const;
const params = z.object({ id: z.string().max(64) });
const capParams = z.object({ id: z.string().max(64), subject: z.string().max(64) });
const refusals = ["not_found", "forbidden"] as const;
const ModelFilter = z.object({
  ...pageQuery,
  owner: z.string().max(64).optional().describe("`me`, `system`, or the id of a user or a team"),
});
export type ModelFilter = z.output<typeof ModelFilter>;

export const modelRoutes = {
  listModels: route({
    ...common,
    method: "GET",
    path: base,
    summary: "List the models that you may see, newest first",
    query: ModelFilter,
    responses: { 200: pageOf(Model) },
    errors: ["invalid_cursor"],
  }),
  createModel: route({
    ...common,
    audit: "model.create",
    method: "POST",
    path: base,
    once: "answer",
    summary: "Add a model",
    body: ModelInput,
    responses: { 201: Model },
    errors: ["forbidden", "not_found", "conflict", "credential_unusable"],
  }),
  testModelConfig: route({
    ...common,
    audit: "model.test",
    method: "POST",
    path: `${base}/test`,
    summary: "Try a configuration before it is stored, with short calls",
    body: z.strictObject({ config: ModelConfig, ownerId: z.string().max(64).optional() }),
    responses: { 200: ModelTest },
    errors: ["forbidden", "credential_unusable"],
  }),
  getModel: route({
    ...common,
    method: "GET",
    path: `${base}/:id`,
    summary: "Read a model",
    params,
    responses: { 200: Model },
    errors: ["not_found"],
  }),
  updateModel: route({
    ...common,
    audit: "model.update",
    method: "PATCH",
    path: `${base}/:id`,
    summary: "Change a model; to make it public, a cap on what everybody may spend is needed",
    params,
    headers: ifMatch,
    body: ModelChange,
    responses: { 200: Model },
    errors: [...refusals, "conflict", "credential_unusable", "price_unknown", "revision_conflict"],
  }),
  deleteModel: route({
    ...common,
    audit: "model.delete",
    method: "DELETE",
    path: `${base}/:id`,
    summary: "Delete a model; what is bound to it fails from then on",
    params,
    responses: { 204: "none" },
    errors: [...refusals],
  }),
  testModel: route({
    ...common,
    audit: "model.test",
    method: "POST",
    path: `${base}/:id/test`,
    summary: "Try a model with short calls: how fast it is, or what is wrong; what it can do is noted in its configuration",
    params,
    responses: { 200: ModelTest },
    errors: [...refusals],
  }),
  getModelUsage: route({
    ...common,
    method: "GET",
    path: `${base}/:id/usage`,
    summary: "What was spent on a model, by day, person and program (those who may change it)",
    params,
    query: z.object({ days: z.coerce.number().int().min(1).max(366).default(30) }),
    responses: { 200: ModelUsage },
    errors: [...refusals],
  }),
  listModelCalls: route({
    ...common,
    method: "GET",
    path: `${base}/:id/calls`,
    summary: "List the calls of a model, newest first: all of them for those who may change it, your own otherwise",
    params,
    query: z.object(pageQuery),
    responses: { 200: pageOf(LlmCall) },
    errors: [...refusals, "invalid_cursor"],
  }),
  getModelCall: route({
    ...common,
    method: "GET",
    path: `${base}/:id/calls/:callId`,
    summary: "Read a call of a model, with prompt and answer where they were kept (those who may change it)",
    params: z.object({ id: z.string().max(64), callId: z.string().max(64) }),
    responses: { 200: LlmCallText },
    errors: [...refusals],
  }),
  setSpendCap: route({
    ...common,
    audit: "model.cap_set",
    method: "PATCH",
    path: `${base}/:id/caps/:subject`,
    summary: "Set what a grant on a model lets its people spend together",
    params: capParams,
    headers: ifMatch,
    body: SpendCapInput,
    responses: { 200: SpendCap },
    errors: [...refusals, "price_unknown", "revision_conflict"],
  }),
  deleteSpendCap: route({
    ...common,
    audit: "model.cap_remove",
    method: "DELETE",
    path: `${base}/:id/caps/:subject`,
    summary: "Let a grant on a model spend without a cap",
    params: capParams,
    responses: { 204: "none" },
    errors: [...refusals, "conflict"],
  }),
  listRunCalls: route({
    tag: "runs",
    auth: "user",
    method: "GET",
    path: "/api/v1/runs/:id/llm-calls",
    summary: "List the calls of models that a run made, in their order, with what they add up to",
    params,
    query: z.object(pageQuery),
    responses: { 200: pageOf(LlmCall).extend({ total: LlmTotals }) },
    errors: ["not_found", "invalid_cursor"],
  }),
};
