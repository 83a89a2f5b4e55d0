import { z } from "zod";
import { route } from "./route.ts";

const figures = {
  runs: z.int().describe("runs that ended, executions among them"),
  executions: z.int(),
  failed: z.int().describe("of them, those that failed or ran too long"),
  cpuMs: z.number(),
  runMs: z.number(),
  networkBytes: z.number(),
  storedBytes: z.number().describe("uploads, artifacts and logs that were added, less what was removed"),
};
export const UsageFigures = z.object(figures).meta({ id: "UsageFigures" });
export type UsageFigures = z.infer<typeof UsageFigures>;

export const UsageDay = z.object({ day: z.iso.date(), ...figures }).meta({ id: "UsageDay" });
export type UsageDay = z.infer<typeof UsageDay>;

export const Usage = z
  .object({
    from: z.iso.date(),
    to: z.iso.date(),
    days: z.array(UsageDay).describe("days on which anything was used, oldest first; a day is one of UTC"),
    total: UsageFigures,
    people: z
      .array(z.object({ userId: z.string(), name: z.string(), ...figures }))
      .describe("with `user=all`: who used most CPU time, at most 100; else empty"),
  })
  .meta({ id: "Usage" });
export type Usage = z.infer<typeof Usage>;

const days = {
  from: z.iso.date().optional().describe("first day; 30 days ago when left out"),
  to: z.iso.date().optional().describe("last day; today when left out"),
};
export const UsageQuery = z.object({
  user: z.string().max(64).default("me").describe("`me`; for administrators also `all` or the id of a person"),
  ...days,
});
export type UsageQuery = z.output<typeof UsageQuery>;

export const usageGroupings = ["day", "user", "team", "program", "model"] as const;
export const UsageBy = z.enum(usageGroupings);
export type UsageBy = z.infer<typeof UsageBy>;

const duration = z.number().nullable().describe("ms, to within 5 %; null where nothing ran");

/** What runs and calls of models came to. */
export const UsageGroupFigures = z
  .object({
    runs: z.int().describe("runs that ended; none belongs to a model"),
    succeeded: z.int(),
    cancelled: z.int(),
    failures: z
      .object({ userCode: z.int(), limit: z.int(), infrastructure: z.int(), denied: z.int() })
      .describe("by the class of the error"),
    cpuMs: z.number(),
    runMs: z.number(),
    p50Ms: duration.describe("half of the programs ran no longer, ms, to within 5 %; null where none ran"),
    p95Ms: duration,
    calls: z.int().describe("calls of models, those outside of runs too"),
    failedCalls: z.int().describe("of them, those that failed or were refused"),
    callP50Ms: duration,
    callP95Ms: duration,
    inputTokens: z.number(),
    outputTokens: z.number(),
    cachedTokens: z.number().describe("of the input"),
    cost: z.number().describe("US dollars, of the calls whose cost is known"),
    unknownCosts: z.int().describe("calls of which nobody knows what they cost"),
    estimates: z.int().describe("calls whose tokens are estimates"),
  })
  .meta({ id: "UsageGroupFigures" });
export type UsageGroupFigures = z.infer<typeof UsageGroupFigures>;

export const UsageGroups = z
  .object({
    from: z.iso.date(),
    to: z.iso.date(),
    by: UsageBy,
    groups: z
      .array(
        z.object({
          key: z.string().describe("the day, or an id; empty for what belongs to none"),
          name: z.string().nullable().describe("null for days, for none, and for what is gone"),
          ...UsageGroupFigures.shape,
        }),
      )
      .describe("days oldest first, without those on which nothing was used; else what cost most first"),
    omitted: z.int().describe("groups beyond `limit`"),
    total: UsageGroupFigures.describe("of all groups"),
  })
  .meta({ id: "UsageGroups" });
export type UsageGroups = z.infer<typeof UsageGroups>;

const id = z
  .string()
  .max(64)
  .regex(/^[^\u0000]*$/, "no NUL");
const groupsQuery = {
  by: UsageBy.default("day"),
  user: id
    .optional()
    .describe("`me`, which it is without a team; the id of a person, or `all`, for administrators and, with a team, for its owners"),
  team: id.optional().describe("only what was used for this team: by its programs, and of its models"),
  program: id.optional(),
  model: id.optional().describe("only calls of this model"),
  ...days,
};
export const UsageGroupsQuery = z.object({ ...groupsQuery, limit: z.coerce.number().int().min(1).max(1000).default(100) });
export type UsageGroupsQuery = z.output<typeof UsageGroupsQuery>;
export const UsageExportQuery = z.object(groupsQuery);

const Recount = z
  .object({ differing: z.int().describe("counts that were other ones than they should have been") })
  .meta({ id: "UsageRecount" });

const common = { tag: "usage", auth: "user" } as const;
const refusals = ["forbidden", "not_found", "invalid_request"] as const;

export const usageRoutes = {
  getUsage: route({
    ...common,
    method: "GET",
    path: "/api/v1/usage",
    summary: "What was used, by day",
    query: UsageQuery,
    responses: { 200: Usage },
    errors: ["forbidden", "invalid_request"],
  }),
  listUsageGroups: route({
    ...common,
    method: "GET",
    path: "/api/v1/usage/groups",
    summary: "What runs and calls of models came to, by day, person, team, program or model",
    query: UsageGroupsQuery,
    responses: { 200: UsageGroups },
    errors: refusals,
  }),
  exportUsageGroups: route({
    ...common,
    method: "GET",
    path: "/api/v1/usage/export",
    summary: "The same as CSV, all of it",
    query: UsageExportQuery,
    responses: { 200: "bytes" },
    errors: refusals,
  }),
  recountUsage: route({
    method: "POST",
    path: "/api/v1/usage/recount",
    summary: "Count anew what runs and calls of models came to; whatever ends meanwhile waits (administrators)",
    tag: "usage",
    auth: "admin",
    audit: "admin.usage_recount",
    responses: { 200: Recount },
    errors: ["forbidden"],
  }),
};
