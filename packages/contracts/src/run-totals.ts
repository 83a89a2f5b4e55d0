import { z } from "zod";
import { route } from "./route.ts";
import { RunFilter, RunStatus } from "./runs.ts";

const figures = {
  runs: z.int().describe("also those that have not ended"),
  succeeded: z.int(),
  failed: z.int().describe("failed, or ran too long"),
  cancelled: z.int(),
  p50Ms: z.number().nullable().describe("half of the programs ran no longer, ms, to within 5 %; null where none has ended"),
  p95Ms: z.number().nullable(),
  calls: z.int().describe("calls of models that have ended"),
  inputTokens: z.int(),
  outputTokens: z.int(),
  cachedTokens: z.int().describe("of the input"),
  cost: z.number().describe("US dollars, of the calls whose cost is known"),
  unknownCosts: z.int().describe("calls of which nobody knows what they cost"),
};

/** What runs came to. */
export const RunFigures = z.object(figures).meta({ id: "RunFigures" });
export type RunFigures = z.infer<typeof RunFigures>;

const named = {
  id: z.string().describe("empty: code that was sent along"),
  name: z.string().nullable().describe("null: it is gone, or there is none"),
};

/** What the runs of a list come to, by day and by what they ran, called and were asked for by. */
export const RunTotals = z
  .object({
    since: z.iso.datetime(),
    until: z.iso.datetime(),
    statuses: z
      .record(RunStatus, z.int())
      .describe("how many are in each state, of those that all filters but that of the state let through: what choosing one would find"),
    total: RunFigures,
    successRate: z.number().nullable().describe("0 to 1, of the runs that came to an end of their own; null: none did"),
    days: z
      .array(z.object({ day: z.iso.date().describe("of UTC, on which they were asked for"), ...figures }))
      .describe("oldest first, without those on which nothing was asked for"),
    programs: z.array(z.object({ ...named, ...figures })).describe("those with most runs first, at most ten"),
    models: z
      .array(
        z.object({
          id: z.string(),
          name: z.string().nullable(),
          runs: z.int().describe("runs that called it"),
          calls: figures.calls,
          inputTokens: figures.inputTokens,
          outputTokens: figures.outputTokens,
          cachedTokens: figures.cachedTokens,
          cost: figures.cost,
          unknownCosts: figures.unknownCosts,
        }),
      )
      .describe("those that cost most first, at most ten"),
    people: z.array(z.object({ ...named, ...figures })).describe("whose runs they are, those with most first, at most ten"),
  })
  .meta({ id: "RunTotals" });
export type RunTotals = z.infer<typeof RunTotals>;

/** So far back totals go at most, days. */
export const mostTotalDays = 400;

/** Which runs are counted: the filters of the list. */
export const RunTotalsQuery = RunFilter.omit({ cursor: true, limit: true }).extend({
  since: z.iso.datetime().optional().describe(`30 days ago when left out; at most ${mostTotalDays} days ago`),
});
export type RunTotalsQuery = z.output<typeof RunTotalsQuery>;

export const runTotalRoutes = {
  summarizeRuns: route({
    method: "GET",
    path: "/api/v1/runs/summary",
    summary: "What the runs of a list come to: by state, success, duration, tokens and cost; by day, program, model and person",
    tag: "runs",
    auth: "user",
    query: RunTotalsQuery,
    responses: { 200: RunTotals },
    errors: ["forbidden", "invalid_request"],
  }),
};
