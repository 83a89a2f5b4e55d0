import { z } from "zod";
import { FileDiff } from "./assets.ts";
import { route } from "./route.ts";
import { Run } from "./runs.ts";

const difference = z.object({ field: z.string(), from: z.unknown(), to: z.unknown() });

/** One of two runs that are compared. */
export const ComparedRun = Run.pick({
  id: true,
  status: true,
  language: true,
  entrypoint: true,
  program: true,
  retryOf: true,
  exitCode: true,
  signal: true,
  error: true,
  createdAt: true,
  finishedAt: true,
}).meta({ id: "ComparedRun" });
export type ComparedRun = z.infer<typeof ComparedRun>;

/** How what two runs printed differs. */
export const OutputDiff = z
  .object({
    equal: z.boolean(),
    fromBytes: z.int(),
    toBytes: z.int(),
    hunks: FileDiff.shape.hunks.describe("null where it is not text, or comparing took too long"),
    cut: z.boolean().describe("only the first 256 KiB of each were compared"),
  })
  .meta({ id: "OutputDiff" });
export type OutputDiff = z.infer<typeof OutputDiff>;

export const ArtifactDiff = z
  .object({
    path: z.string(),
    status: z.enum(["equal", "changed", "added", "removed"]),
    from: z.object({ id: z.string(), size: z.int(), sha256: z.string() }).nullable(),
    to: z.object({ id: z.string(), size: z.int(), sha256: z.string() }).nullable(),
  })
  .meta({ id: "ArtifactDiff" });
export type ArtifactDiff = z.infer<typeof ArtifactDiff>;

export const MetricDiff = z
  .object({
    metric: z.string().describe("its unit is in its name: `totalMs`, `peakMemoryBytes`, `cost` in US dollars"),
    from: z.number().nullable(),
    to: z.number().nullable(),
    ratio: z.number().nullable().describe("`to` over `from`; null where one is not known, or `from` is 0"),
  })
  .meta({ id: "MetricDiff" });
export type MetricDiff = z.infer<typeof MetricDiff>;

/** The calls of one model by both runs. */
export const ModelCallDiff = z
  .object({
    model: z.string(),
    from: z.object({ calls: z.int(), failed: z.int(), inputTokens: z.int(), outputTokens: z.int(), cost: z.number().nullable() }),
    to: z.object({ calls: z.int(), failed: z.int(), inputTokens: z.int(), outputTokens: z.int(), cost: z.number().nullable() }),
  })
  .meta({ id: "ModelCallDiff" });
export type ModelCallDiff = z.infer<typeof ModelCallDiff>;

/** What differs between two runs. */
export const RunComparison = z
  .object({
    from: ComparedRun,
    to: ComparedRun,
    config: z.array(difference).describe("of how they were run, by field"),
    files: z.array(FileDiff),
    omittedFiles: z.int().describe("how many more files differ"),
    stdout: OutputDiff,
    stderr: OutputDiff,
    artifacts: z.array(ArtifactDiff).max(2000),
    omittedArtifacts: z.int(),
    metrics: z.array(MetricDiff),
    models: z.array(ModelCallDiff),
  })
  .meta({ id: "RunComparison" });
export type RunComparison = z.infer<typeof RunComparison>;

export const runComparisonRoutes = {
  compareRuns: route({
    method: "GET",
    path: "/api/v1/runs/:id/compare/:other",
    summary: "What differs between two runs: how they were run, their files, output, artifacts, figures and calls of models",
    tag: "runs",
    auth: "user",
    params: z.object({ id: z.string().max(64), other: z.string().max(64) }),
    responses: { 200: RunComparison },
    errors: ["not_found"],
  }),
};
