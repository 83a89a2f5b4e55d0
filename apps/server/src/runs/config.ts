import { NetworkPolicy } from "@syla/contracts/network";
import { LimitsInput, Tier } from "@syla/contracts/runs";
import type { SandboxLimits } from "@syla/sandbox/spec";
import { z } from "zod";
import { columnParser } from "../platform/column-parser.ts";

/** What a run was asked to do, as it is stored with it. Content lives in blobs. */
const RunConfig = z.object({
  files: z.array(z.object({ path: z.string(), size: z.int(), sha256: z.string(), mode: z.int() })),
  /** What the version of the language has to begin with; null takes the default one. */
  version: z.string().nullable().default(null),
  args: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  stdin: z.object({ sha256: z.string(), size: z.int() }).nullable(),
  limits: LimitsInput,
  tier: Tier,
  network: NetworkPolicy,
  /** The test cases, as JSON: a judged run. */
  tests: z.object({ sha256: z.string(), size: z.int() }).nullable().default(null),
  /** The result may answer equal runs. */
  cache: z.object({ key: z.string(), ttlMs: z.number() }).nullable().default(null),
});
export type RunConfig = z.infer<typeof RunConfig>;
export const runConfigs = columnParser<RunConfig>(RunConfig);

const mebibyte = 1024 * 1024;

/** What an execution gets when it does not ask. */
export const defaultLimits: SandboxLimits = {
  wallMs: 60_000,
  cpus: 1,
  memoryBytes: 512 * mebibyte,
  processes: 100,
  openFiles: 1024,
  diskBytes: 1024 * mebibyte,
  outputBytes: 10 * mebibyte,
};

/** What the server gives to a compilation: the program's own limits are not for its compiler. */
export function compileLimits(seconds: number, memoryBytes: number): SandboxLimits {
  const files = { openFiles: 4096, diskBytes: 2048 * mebibyte, outputBytes: mebibyte };
  return { wallMs: seconds * 1000, cpus: 2, memoryBytes, processes: 500, ...files };
}

/** Artifacts of one run that are kept. */
export const artifactLimits = { maxBytes: 200 * mebibyte, maxFiles: 1000 };
