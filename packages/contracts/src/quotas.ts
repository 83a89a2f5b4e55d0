import { z } from "zod";
import { byId } from "./account-fields.ts";
import { route } from "./route.ts";

/** What a person has quotas of; an API key can have quotas of its own of the same. */
export const quotaNames = [
  "concurrentRuns",
  "runsPerDay",
  "cpuSecondsPerMonth",
  "storageMb",
  "executionsPerMinute",
  "llmSpendPerMonth",
] as const;
export const keyQuotaNames = [...quotaNames] as const;
export type KeyQuotaName = (typeof keyQuotaNames)[number];
export const QuotaName = z.enum(quotaNames);
export type QuotaName = z.infer<typeof QuotaName>;

/** One quota of a person: what they may use, and what they have used. */
export const Quota = z
  .object({
    name: QuotaName,
    limit: z.number().describe("-1: no limit"),
    used: z.number().nullable().describe("null: it is counted for each key by itself"),
    isDefault: z.boolean().describe("the limit is that of the person's role"),
    default: z.number().describe("the limit of the person's role: what holds where nothing else is set; -1: no limit"),
    resetsAt: z.iso.datetime().nullable().describe("when it is counted anew; null for what is not counted by time"),
    warning: z.boolean().describe("80 % or more are used"),
  })
  .meta({ id: "Quota" });
export type Quota = z.infer<typeof Quota>;

/** A quota of an API key's own, besides that of its person. */
export const KeyQuota = z
  .object({
    name: z.enum(keyQuotaNames),
    limit: z.number().nullable().describe("null: none of its own"),
    used: z.number().nullable().describe("null: it is not counted; counting begins when the key gets a quota of its own"),
    resetsAt: z.iso.datetime().nullable(),
    warning: z.boolean().describe("80 % or more are used"),
  })
  .meta({ id: "KeyQuota" });
export type KeyQuota = z.infer<typeof KeyQuota>;

/** The quotas of an API key, and whose it is. */
export const KeyQuotas = z
  .object({ apiKeyId: z.string(), name: z.string(), userId: z.string(), items: z.array(KeyQuota) })
  .meta({ id: "KeyQuotas" });
export type KeyQuotas = z.infer<typeof KeyQuotas>;

const keyLimit = z.int().min(0).max(2_000_000_000).nullable();

export const KeyQuotaInput = z
  .strictObject({
    concurrentRuns: keyLimit,
    runsPerDay: keyLimit.describe("of every kind"),
    cpuSecondsPerMonth: keyLimit,
    storageMb: keyLimit,
    executionsPerMinute: keyLimit,
    llmSpendPerMonth: keyLimit.describe("US dollars for models"),
  })
  .partial()
  .describe("what is left out stays; null: none of its own, so that only the person's holds")
  .meta({ id: "KeyQuotaInput" });
export type KeyQuotaInput = z.infer<typeof KeyQuotaInput>;

const limit = z.int().min(-1).max(2_000_000_000).nullable();

/** Limits that differ from those of the role. */
export const QuotaInput = z
  .strictObject({
    concurrentRuns: limit,
    runsPerDay: limit.describe("when set, executions count too"),
    cpuSecondsPerMonth: limit,
    storageMb: limit,
    executionsPerMinute: limit,
    llmSpendPerMonth: limit.describe("US dollars for models"),
  })
  .partial()
  .describe("what is left out stays; null: the role's default; -1: no limit")
  .meta({ id: "QuotaInput" });
export type QuotaInput = z.infer<typeof QuotaInput>;

const quotaList = z.object({ userId: z.string(), items: z.array(Quota) });
const params = z.object({ userId: z.string().max(64) });

export const quotaRoutes = {
  listQuotas: route({
    method: "GET",
    path: "/api/v1/quotas",
    summary: "Your quotas, and what of them is used",
    tag: "quotas",
    auth: "user",
    responses: { 200: quotaList },
    errors: [],
  }),
  getQuotas: route({
    method: "GET",
    path: "/api/v1/quotas/:userId",
    summary: "The quotas of a person (administrators; your own)",
    tag: "quotas",
    auth: "user",
    params,
    responses: { 200: quotaList },
    errors: ["not_found"],
  }),
  getKeyQuotas: route({
    method: "GET",
    path: "/api/v1/api-keys/:id/quotas",
    summary: "The quotas of one of your API keys, and what of them is used (administrators: of anybody's)",
    tag: "quotas",
    auth: "user",
    params: byId,
    responses: { 200: KeyQuotas },
    errors: ["not_found"],
  }),
  updateKeyQuotas: route({
    method: "PATCH",
    path: "/api/v1/api-keys/:id/quotas",
    summary: "Change the quotas of one of your API keys, within your own (administrators: of anybody's, as they like)",
    tag: "quotas",
    auth: "user",
    audit: "auth.key_quota_update",
    params: byId,
    body: KeyQuotaInput,
    responses: { 200: KeyQuotas },
    errors: ["forbidden", "not_found"],
  }),
  updateQuotas: route({
    method: "PATCH",
    path: "/api/v1/quotas/:userId",
    summary: "Change the quotas of a person (administrators)",
    tag: "quotas",
    auth: "admin",
    audit: "admin.quota_update",
    params,
    body: QuotaInput,
    responses: { 200: quotaList },
    errors: ["forbidden", "not_found"],
  }),
};
