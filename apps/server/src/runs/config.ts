import { NetworkPolicy } from "@syla/contracts/network";
import { LimitsInput, Tier } from "@syla/contracts/runs";
import type { SandboxLimits } from "@syla/sandbox/spec";
import { z } from "zod";

/** What a run was asked to do, as it is stored with it. Content lives in blobs. */
export const RunConfig = z.object({
  files: z.array(z.object({ path: z.string(), size: z.int(), sha256: z.string(), mode: z.int() })),
  args: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  stdin: z.object({ sha256: z.string(), size: z.int() }).nullable(),
  limits: LimitsInput,
  tier: Tier,
  network: NetworkPolicy,
});
export type RunConfig = z.infer<typeof RunConfig>;

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

/** Artifacts of one run that are kept. */
export const artifactLimits = { maxBytes: 200 * mebibyte, maxFiles: 1000 };
