import { CompositionReference } from "@syla/contracts/composition-config";
import { NetworkPolicy } from "@syla/contracts/network";
import { LimitsInput, Tier } from "@syla/contracts/runs";
import type { SandboxLimits } from "@syla/sandbox/spec";
import { z } from "zod";
import { datasetHashes, MountedDataset } from "../datasets/service.ts";
import { columnParser } from "../platform/column-parser.ts";
import { mostTreeBytes, mostTreeFiles } from "../platform/paths.ts";
import { TraceOrigin } from "./tracing/context.ts";

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
  /** Ids of the models that it may call; the first one answers to names that nobody knows. */
  models: z.array(z.string()).default([]),
  /** Datasets that it reads. */
  datasets: z.array(MountedDataset).default([]),
  /** The test cases, as JSON: a judged run. */
  tests: z.object({ sha256: z.string(), size: z.int() }).nullable().default(null),
  /** The program of the catalog that it runs: its files are those of the tree, besides `files`. */
  program: z
    .object({
      id: z.string(),
      name: z.string(),
      version: z.string().nullable(),
      tree: z.string().nullable(),
      environmentId: z.string().nullable(),
      /** Whose it is, and the secrets that it gets from them. */
      ownerId: z.string().default(""),
      secrets: z.array(z.object({ variable: z.string(), credentialId: z.string() })).default([]),
      /** Variables with secrets that it does not get. */
      withheld: z.array(z.string()).default([]),
      /** Whether nothing was chosen for the run that could read them. */
      asItIs: z.boolean().default(false),
    })
    .nullable()
    .default(null),
  /** The composition that it runs: `plan` is what its hooks were told, one of `files`. */
  composition: z
    .object({
      id: z.string(),
      name: z.string(),
      version: z.string().nullable(),
      ownerId: z.string(),
      graphHash: z.string(),
      references: z.array(CompositionReference),
      plan: z.string(),
      environmentId: z.string().nullable(),
      /** The secrets that its programs get from their owners, and the variables of those that they do not get. */
      secrets: z
        .array(z.object({ programId: z.string(), ownerId: z.string(), variable: z.string(), credentialId: z.string() }))
        .default([]),
      withheld: z.array(z.object({ programId: z.string(), variable: z.string() })).default([]),
      /** The first of the runs that each began from the one before; null: this one. */
      lineage: z.string().nullable(),
    })
    .nullable()
    .default(null),
  /** The workspace that it is in: its files are those of the tree, besides `files`. */
  workspace: z
    .object({
      id: z.string(),
      name: z.string(),
      tree: z.string(),
      revision: z.int(),
      writeBack: z.boolean(),
      /** Whoever may see it may see the run. */
      shown: z.boolean().default(false),
    })
    .nullable()
    .default(null),
  /** The result may answer equal runs. */
  cache: z.object({ key: z.string(), ttlMs: z.number() }).nullable().default(null),
  trace: TraceOrigin.nullable().default(null),
});
export type RunConfig = z.infer<typeof RunConfig>;
export const runConfigs = columnParser<RunConfig>(RunConfig);

/** The variable that has one of the secrets of a composition, by its place in their list: its hooks give each to whom it belongs. */
export function heldSecret(index: number): string {
  return `SYLA_SECRET_${index}`;
}

/** The content that a run refers to. */
export function hashesOf({ files, stdin, tests, datasets }: RunConfig): string[] {
  const refs = [...files, ...(stdin === null ? [] : [stdin]), ...(tests === null ? [] : [tests])];
  return [...refs.map((ref) => ref.sha256), ...datasetHashes(datasets)];
}

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

/** What a program gets by the size of its profile; what the profile does not say is as in an execution, but for the output. */
export const profileLimits: Readonly<Record<"small" | "medium" | "large", Partial<SandboxLimits>>> = {
  small: { cpus: 0.5, memoryBytes: 512 * mebibyte, diskBytes: 1024 * mebibyte, wallMs: 300_000 },
  medium: { cpus: 1, memoryBytes: 2048 * mebibyte, diskBytes: 5 * 1024 * mebibyte, wallMs: 1_800_000 },
  large: { cpus: 2, memoryBytes: 4096 * mebibyte, diskBytes: 10 * 1024 * mebibyte, wallMs: 3_600_000 },
};
export const programOutputBytes = 256 * mebibyte;

/** What the server gives to the building of an environment: what is installed, its archive and what is made on the way. */
export function buildLimits(seconds: number, memoryBytes: number, layerBytes: number): SandboxLimits {
  const files = { openFiles: 16_384, diskBytes: 3 * layerBytes, outputBytes: 8 * mebibyte };
  return { wallMs: seconds * 1000, cpus: 2, memoryBytes, processes: 1000, ...files };
}

/** What the server gives to a compilation: the program's own limits are not for its compiler. */
export function compileLimits(seconds: number, memoryBytes: number): SandboxLimits {
  const files = { openFiles: 4096, diskBytes: 2048 * mebibyte, outputBytes: mebibyte };
  return { wallMs: seconds * 1000, cpus: 2, memoryBytes, processes: 500, ...files };
}

/** What a run may leave in a workspace, and the folders of it that are of no use to anybody else. */
export const returnLimits = {
  maxBytes: mostTreeBytes,
  maxFiles: mostTreeFiles,
  ignore: ["__pycache__", ".pytest_cache", ".mypy_cache", "node_modules"],
};

/** Artifacts of one run that are kept. */
export const artifactLimits = { maxBytes: 200 * mebibyte, maxFiles: 10_000 };
