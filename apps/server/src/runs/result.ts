import { Limits, RunError, RunUsage } from "@syla/contracts/runs";
import { TestSummary } from "@syla/contracts/tests";
import { z } from "zod";
import { columnParser } from "../platform/column-parser.ts";

/** What came of a run, as it is stored with it. */
const RunResult = z.object({
  runtimeVersion: z.string().nullable(),
  limits: Limits.nullable(),
  startMs: z.number().nullable(),
  compileMs: z.number().nullable().default(null),
  compileCached: z.boolean().nullable().default(null),
  runMs: z.number().nullable(),
  stdoutBytes: z.int(),
  stderrBytes: z.int(),
  droppedBytes: z.int(),
  usage: RunUsage.nullable(),
  /** Of a judged run: what came of its cases, and the hash of the whole report. */
  tests: z.object({ summary: TestSummary, report: z.string() }).nullable().default(null),
  skippedArtifacts: z.array(z.object({ path: z.string(), reason: z.string() })),
});
export type RunResult = z.infer<typeof RunResult>;
export const runResults = columnParser<RunResult>(RunResult);

export const StoredError = RunError.nullable();

/** The result of a run that never got into a sandbox. */
export const emptyResult: RunResult = {
  runtimeVersion: null,
  limits: null,
  startMs: null,
  compileMs: null,
  compileCached: null,
  runMs: null,
  stdoutBytes: 0,
  stderrBytes: 0,
  droppedBytes: 0,
  usage: null,
  tests: null,
  skippedArtifacts: [],
};
