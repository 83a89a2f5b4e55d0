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

export const UsageQuery = z.object({
  user: z.string().max(64).default("me").describe("`me`; for administrators also `all` or the id of a person"),
  from: z.iso.date().optional().describe("first day; 30 days ago when left out"),
  to: z.iso.date().optional().describe("last day; today when left out"),
});
export type UsageQuery = z.output<typeof UsageQuery>;

export const usageRoutes = {
  getUsage: route({
    method: "GET",
    path: "/api/v1/usage",
    summary: "What was used, by day",
    tag: "usage",
    auth: "user",
    query: UsageQuery,
    responses: { 200: Usage },
    errors: ["forbidden", "invalid_request"],
  }),
};
