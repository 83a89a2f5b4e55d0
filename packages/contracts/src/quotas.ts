import { z } from "zod";
import { route } from "./route.ts";

export const quotaNames = ["concurrentRuns", "runsPerDay", "cpuSecondsPerMonth", "storageMb", "executionsPerMinute"] as const;
export const QuotaName = z.enum(quotaNames);
export type QuotaName = z.infer<typeof QuotaName>;

/** One quota of a person: what they may use, and what they have used. */
export const Quota = z
  .object({
    name: QuotaName,
    limit: z.number().describe("-1: no limit"),
    used: z.number().nullable().describe("null: it is counted for each key by itself"),
    isDefault: z.boolean().describe("the limit is that of the person's role"),
    resetsAt: z.iso.datetime().nullable().describe("when it is counted anew; null for what is not counted by time"),
    warning: z.boolean().describe("80 % or more are used"),
  })
  .meta({ id: "Quota" });
export type Quota = z.infer<typeof Quota>;

const limit = z.int().min(-1).max(2_000_000_000).nullable();

/** Limits that differ from those of the role. */
export const QuotaInput = z
  .strictObject({
    concurrentRuns: limit,
    runsPerDay: limit.describe("when set, executions count too"),
    cpuSecondsPerMonth: limit,
    storageMb: limit,
    executionsPerMinute: limit,
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
