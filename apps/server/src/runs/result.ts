import { Limits, RunError, RunUsage, RunWorkspace } from "@syla/contracts/runs";
import { TestSummary } from "@syla/contracts/tests";
import { z } from "zod";
import { columnParser } from "../platform/column-parser.ts";
import { Phase } from "./tracing/phases.ts";

/** What came of a run, as it is stored with it. */
const RunResult = z.object({
  runtimeVersion: z.string().nullable(),
  limits: Limits.nullable(),
  /** What held it. */
  walls: z.array(z.string()).readonly().default([]),
  startMs: z.number().nullable(),
  environmentMs: z.number().nullable().default(null),
  compileMs: z.number().nullable().default(null),
  compileCached: z.boolean().nullable().default(null),
  runMs: z.number().nullable(),
  phases: z.array(Phase).readonly().default([]),
  stdoutBytes: z.int(),
  stderrBytes: z.int(),
  droppedBytes: z.int(),
  usage: RunUsage.nullable(),
  /** Of a judged run: what came of its cases, and the hash of the whole report. */
  tests: z.object({ summary: TestSummary, report: z.string() }).nullable().default(null),
  /** What became of what it left in its workspace. */
  workspace: RunWorkspace.pick({ outcome: true, changed: true, version: true, error: true }).nullable().default(null),
  skippedArtifacts: z.array(z.object({ path: z.string(), reason: z.string() })),
  /** Of those that were left out only the first are listed; null in rows of older releases, which listed all. */
  skippedArtifactCount: z.int().nullable().default(null),
});
export type RunResult = z.infer<typeof RunResult>;
export const runResults = columnParser<RunResult>(RunResult);

/** An error as rows have it: in those of older releases a place is a file and a line. */
export const StoredError = z.preprocess((value) => {
  if (typeof value !== "object" || value === null || !("location" in value)) return value;
  const { location } = value;
  if (typeof location !== "object" || location === null || "path" in location || !("file" in location)) return value;
  return { ...value, location: { path: location.file, column: null, function: null, ...location } };
}, RunError.nullable());

/** The result of a run that never got into a sandbox. */
export const emptyResult: RunResult = {
  runtimeVersion: null,
  limits: null,
  walls: [],
  startMs: null,
  environmentMs: null,
  compileMs: null,
  compileCached: null,
  runMs: null,
  phases: [],
  stdoutBytes: 0,
  stderrBytes: 0,
  droppedBytes: 0,
  usage: null,
  tests: null,
  workspace: null,
  skippedArtifacts: [],
  skippedArtifactCount: 0,
};
