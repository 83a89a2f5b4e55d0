import { z } from "zod";
import { pageOf, pageQuery } from "./page.ts";
import { route } from "./route.ts";
import { RunDatasetInput, RunErrorClass, RunInput } from "./runs.ts";
import { lastEventId } from "./fields.ts";
import { Sandbox } from "./sandboxes.ts";

/** `stale`: it was built, and the server has another version of the language by now. */
export const environmentStates = ["none", "building", "ready", "stale", "failed"] as const;
export const EnvironmentState = z.enum(environmentStates).meta({ id: "EnvironmentState" });
export type EnvironmentState = z.infer<typeof EnvironmentState>;

export const EnvironmentPhase = z.enum(["resolve", "download", "install", "verify"]);
export type EnvironmentPhase = z.infer<typeof EnvironmentPhase>;

/** Something that was installed. */
export const EnvironmentPackage = z
  .object({ name: z.string(), version: z.string(), license: z.string().nullable().describe("as the package says; null when it does not") })
  .meta({ id: "EnvironmentPackage" });
export type EnvironmentPackage = z.infer<typeof EnvironmentPackage>;

/** Why an environment could not be built. */
export const EnvironmentError = z
  .object({
    class: RunErrorClass,
    code: z.string(),
    message: z.string(),
    hint: z.string(),
    phase: EnvironmentPhase.nullable(),
    explanation: z.string().nullable().describe("what the package manager says about it"),
  })
  .meta({ id: "EnvironmentError" });
export type EnvironmentError = z.infer<typeof EnvironmentError>;

const environmentFields = {
  id: z.string(),
  state: EnvironmentState,
  phase: EnvironmentPhase.nullable().describe("while building"),
  manager: z.enum(["uv", "npm", "go"]),
  language: z.string(),
  runtimeVersion: z.string(),
  platform: z.string(),
  source: z.string().describe("what the dependencies were read from"),
  dependencies: z.array(z.string()).describe("as they were written"),
  isHere: z.boolean().describe("it is on the disk of the server that answers; else its next use builds it again, from the same lock"),
  warmth: z
    .object({
      isWarm: z.boolean().describe("it is here, and an interpreter that was booted ahead waits for its programs"),
      isKept: z.boolean().describe("somebody wants it warm: it stays on the disk, and is built again when it is gone"),
      byYou: z.boolean(),
    })
    .describe("how ready it is on the server that answers"),
  isLocked: z.boolean().describe("exact versions are known: every build of it installs the same"),
  packageCount: z.int(),
  size: z.int().nullable().describe("bytes on the disk"),
  error: EnvironmentError.nullable(),
  buildCount: z.int(),
  buildMs: z.number().nullable(),
  createdAt: z.iso.datetime(),
  builtAt: z.iso.datetime().nullable(),
  usedAt: z.iso.datetime(),
};

/** An environment in a list. */
export const EnvironmentSummary = z.object(environmentFields).meta({ id: "EnvironmentSummary" });
export type EnvironmentSummary = z.infer<typeof EnvironmentSummary>;

/** The built dependencies of programs: an immutable folder that their runs find read-only. Shared by all that ask for the same. */
export const Environment = z
  .object({
    ...environmentFields,
    packages: z.array(EnvironmentPackage),
    programCount: z.int().describe("programs that have it"),
    hasLog: z.boolean(),
  })
  .meta({ id: "Environment" });
export type Environment = z.infer<typeof Environment>;

/** What a program needs. `environment` is null when it needs nothing. */
export const ProgramEnvironment = z
  .object({
    programId: z.string(),
    version: z.string().nullable().describe("null: the working tree"),
    environment: Environment.nullable(),
    problem: z
      .object({
        code: z.string(),
        message: z.string(),
        hint: z.string(),
        fields: z
          .array(z.object({ path: z.string(), message: z.string() }))
          .describe("each place: `FILE:LINE`, or a path in the configuration"),
      })
      .nullable()
      .describe("why there can be none: its dependencies cannot be read, or ask for something that is refused"),
  })
  .meta({ id: "ProgramEnvironment" });
export type ProgramEnvironment = z.infer<typeof ProgramEnvironment>;

/** The caller's interactive environment of a program: a sandbox with its files, packages, variables, secrets and model. */
export const ProgramSandbox = z
  .object({
    programId: z.string(),
    sandbox: Sandbox.nullable().describe("the one that lives, or the last one; null when there was none"),
    isCurrent: z.boolean().nullable().describe("whether one that is started now would have the same of the program; null when none lives"),
  })
  .meta({ id: "ProgramSandbox" });
export type ProgramSandbox = z.infer<typeof ProgramSandbox>;

/** How much room environments take on the server that answers. */
export const EnvironmentStorage = z
  .object({ layers: z.int(), usedBytes: z.int(), quotaBytes: z.int(), inUse: z.int().describe("of the layers: those that a run has now") })
  .meta({ id: "EnvironmentStorage" });
export type EnvironmentStorage = z.infer<typeof EnvironmentStorage>;

/** What happens while an environment is built, in order; `end` is the last one. */
export const EnvironmentEvent = z
  .discriminatedUnion("type", [
    z.object({ type: z.literal("phase"), seq: z.int(), time: z.iso.datetime(), phase: EnvironmentPhase.nullable() }),
    z.object({ type: z.literal("log"), seq: z.int(), time: z.iso.datetime(), text: z.string() }),
    z.object({ type: z.literal("end"), seq: z.int(), time: z.iso.datetime(), environment: Environment }),
  ])
  .meta({ id: "EnvironmentEvent" });
export type EnvironmentEvent = z.infer<typeof EnvironmentEvent>;

export const EnvironmentFilter = z.object({
  ...pageQuery,
  state: z.enum(["none", "building", "ready", "failed"]).optional(),
  language: z.string().max(64).optional(),
  q: z.string().max(200).optional().describe("part of an id or of a dependency"),
  owner: z.enum(["me", "all"]).default("me").describe("those that you have used; everybody's, for administrators"),
});
export type EnvironmentFilter = z.output<typeof EnvironmentFilter>;

const environmentId = z.object({ id: z.string().max(64) });
const programId = z.object({ id: z.string().max(64) });
const versionQuery = z.object({ version: z.string().max(64).optional().describe("a published version; the working tree when left out") });

export const environmentRoutes = {
  listEnvironments: route({
    method: "GET",
    path: "/api/v1/environments",
    summary: "List environments, newest first",
    tag: "environments",
    auth: "user",
    query: EnvironmentFilter,
    responses: { 200: pageOf(EnvironmentSummary) },
    errors: ["invalid_cursor", "forbidden"],
  }),
  getEnvironment: route({
    method: "GET",
    path: "/api/v1/environments/:id",
    summary: "Read an environment: its state, packages, licences",
    tag: "environments",
    auth: "user",
    params: environmentId,
    responses: { 200: Environment },
    errors: ["not_found"],
  }),
  buildEnvironment: route({
    method: "POST",
    path: "/api/v1/environments/:id/build",
    summary: "Build an environment if it is not there; with `again`, build it anew from its lock",
    tag: "environments",
    auth: "user",
    audit: "environment.build",
    params: environmentId,
    body: z.strictObject({
      again: z.boolean().default(false).describe("for administrators; runs keep what they have until the new one is there"),
    }),
    responses: { 202: Environment },
    errors: ["not_found", "forbidden", "environment_unavailable", "queue_full"],
  }),
  warmEnvironment: route({
    method: "POST",
    path: "/api/v1/environments/:id/warmth",
    summary: "Say whether you want an environment warm at any time: built, with an interpreter booted ahead",
    tag: "environments",
    auth: "user",
    audit: "environment.warm",
    params: environmentId,
    body: z.strictObject({ keep: z.boolean() }),
    responses: { 200: Environment },
    errors: ["not_found", "quota_exceeded"],
  }),
  streamEnvironment: route({
    method: "GET",
    path: "/api/v1/environments/:id/events",
    summary: "Follow a build live (server-sent events, resumable)",
    tag: "environments",
    auth: "user",
    params: environmentId,
    headers: lastEventId,
    responses: { 200: "event-stream" },
    errors: ["not_found"],
  }),
  downloadEnvironmentLog: route({
    method: "GET",
    path: "/api/v1/environments/:id/log",
    summary: "Download the log of the last build",
    tag: "environments",
    auth: "user",
    params: environmentId,
    responses: { 200: "bytes" },
    errors: ["not_found"],
  }),
  downloadEnvironmentLock: route({
    method: "GET",
    path: "/api/v1/environments/:id/lock",
    summary: "Download the exact versions, in the package manager's own format",
    tag: "environments",
    auth: "user",
    params: environmentId,
    responses: { 200: "bytes" },
    errors: ["not_found"],
  }),
  deleteEnvironment: route({
    method: "DELETE",
    path: "/api/v1/environments/:id",
    summary: "Remove an environment from the disk; its lock stays, and its next use builds the same again",
    tag: "environments",
    auth: "admin",
    audit: "environment.delete",
    params: environmentId,
    responses: { 204: "none" },
    errors: ["not_found", "environment_in_use"],
  }),
  getEnvironmentStorage: route({
    method: "GET",
    path: "/api/v1/environment-storage",
    summary: "Read how much room environments take here",
    tag: "environments",
    auth: "admin",
    responses: { 200: EnvironmentStorage },
    errors: [],
  }),
  getProgramEnvironment: route({
    method: "GET",
    path: "/api/v1/programs/:id/environment",
    summary: "Read the environment of a program, or of one of its versions",
    tag: "environments",
    auth: "user",
    params: programId,
    query: versionQuery,
    responses: { 200: ProgramEnvironment },
    errors: ["not_found"],
  }),
  buildProgramEnvironment: route({
    method: "POST",
    path: "/api/v1/programs/:id/environment/build",
    summary: "Build the environment of a program ahead; with `upgrade`, choose the newest versions that its dependencies allow",
    tag: "environments",
    auth: "user",
    audit: "environment.build",
    params: programId,
    body: z.strictObject({
      version: z.string().max(64).optional(),
      upgrade: z.boolean().default(false).describe("for the working tree only: published versions keep what they have"),
    }),
    responses: { 202: ProgramEnvironment },
    errors: ["not_found", "forbidden", "dependencies_unsupported", "environment_unavailable", "queue_full"],
  }),
  getProgramSandbox: route({
    method: "GET",
    path: "/api/v1/programs/:id/environment/sandbox",
    summary: "Read your interactive environment of a program",
    tag: "environments",
    auth: "user",
    params: programId,
    query: z.object({ version: versionQuery.shape.version.describe("what `isCurrent` compares with; the working tree when left out") }),
    responses: { 200: ProgramSandbox },
    errors: ["not_found", "forbidden", "asset_deleted"],
  }),
  startProgramSandbox: route({
    method: "POST",
    path: "/api/v1/programs/:id/environment/sandbox",
    summary: "Start your interactive environment of a program, or get the one that lives: a sandbox, ready when its status is `running`",
    tag: "environments",
    auth: "user",
    audit: "environment.open",
    params: programId,
    body: z.strictObject({
      version: z.string().max(64).optional().describe("a published version; the working tree when left out"),
      replaces: z.string().max(64).optional().describe("the id of the one that lives: it is ended, and another one started"),
      env: RunInput.shape.env.describe("plain variables of one that is started now; what the program's secrets hold goes before them"),
      datasets: z.array(RunDatasetInput).max(20).default([]).describe("datasets that one that is started now reads"),
    }),
    responses: { 200: ProgramSandbox, 202: ProgramSandbox },
    errors: [
      "not_found",
      "forbidden",
      "scope_missing",
      "asset_deleted",
      "split_unknown",
      "invalid_path",
      "unknown_language",
      "runtime_unavailable",
      "dependencies_unsupported",
      "unknown_model",
      "credential_missing",
      "credential_expired",
      "network_unavailable",
      "sandbox_limit",
      "sandbox_elsewhere",
      "shutting_down",
    ],
  }),
};
