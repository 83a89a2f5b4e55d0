import { z } from "zod";
import { byId } from "./account-fields.ts";
import { route } from "./route.ts";
import { name } from "./fields.ts";

/** `*`, `<tag>:read`, `<tag>:write`, `<tag>:*`, `models:use`, or `*:read` and `*:write` for all of them. */
const scope = z
  .string()
  .regex(/^(\*|[a-z-]{1,40}:(read|write|\*)|models:use|\*:(read|write))$/, "`*`, `<tag>:read`, `<tag>:write`, `<tag>:*` or `models:use`");

export const ApiKey = z
  .object({
    id: z.string(),
    name: z.string(),
    start: z.string().describe("the first characters, to tell keys apart"),
    scopes: z.array(z.string()).describe("what it may be used for: `<tag>:read`, `<tag>:write`, `<tag>:*`, `*`"),
    requestsPerMinute: z.int().nullable().describe("null: no limit of its own"),
    hasQuotas: z.boolean().describe("it has quotas of its own, besides those of its person"),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable(),
    lastUsedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "ApiKey" });
export type ApiKey = z.infer<typeof ApiKey>;

export const ApiKeyInput = z
  .strictObject({
    name,
    scopes: z.array(scope).min(1).max(64).default(["*"]),
    requestsPerMinute: z.int().min(1).max(1_000_000).optional(),
    expiresInDays: z.int().min(1).max(3650).optional(),
  })
  .meta({ id: "ApiKeyInput" });

/** A part of the API that a key can be made for. */
export const ApiKeyScope = z
  .object({ tag: z.string(), read: z.boolean(), write: z.boolean(), use: z.boolean().describe("calling models") })
  .meta({ id: "ApiKeyScope" });
export type ApiKeyScope = z.infer<typeof ApiKeyScope>;

/** A key as it is shown once, when it is made. */
export const NewApiKey = ApiKey.extend({ key: z.string() }).meta({ id: "NewApiKey" });
export type NewApiKey = z.infer<typeof NewApiKey>;

export const apiKeyRoutes = {
  listApiKeys: route({
    method: "GET",
    path: "/api/v1/api-keys",
    summary: "List your API keys, or those of a person (administrators)",
    tag: "accounts",
    auth: "user",
    query: z.object({ userId: z.string().max(64).optional() }),
    responses: { 200: z.object({ items: z.array(ApiKey) }) },
    errors: ["forbidden"],
  }),
  listApiKeyScopes: route({
    method: "GET",
    path: "/api/v1/api-key-scopes",
    summary: "The parts of the API that a key can be made for",
    tag: "accounts",
    auth: "user",
    responses: { 200: z.object({ items: z.array(ApiKeyScope) }) },
    errors: [],
  }),
  createApiKey: route({
    method: "POST",
    path: "/api/v1/api-keys",
    once: "shown",
    summary: "Create an API key; the key itself is shown this once",
    tag: "accounts",
    auth: "user",
    audit: "auth.api_key_create",
    body: ApiKeyInput,
    responses: { 201: NewApiKey },
    errors: ["scope_missing"],
  }),
  deleteApiKey: route({
    method: "DELETE",
    path: "/api/v1/api-keys/:id",
    summary: "Revoke an API key",
    tag: "accounts",
    auth: "user",
    audit: "auth.api_key_revoke",
    params: byId,
    responses: { 204: "none" },
    errors: ["not_found"],
  }),
};
