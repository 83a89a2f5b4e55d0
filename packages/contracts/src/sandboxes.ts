import { z } from "zod";
import { NetworkPolicy, SandboxNetwork } from "./network.ts";
import { pageOf, pageQuery } from "./page.ts";
import { route } from "./route.ts";
import { FileInput, Limits, LimitsInput, Tier } from "./runs.ts";
import { SandboxProgram, SandboxStartError } from "./sandboxes/program.ts";
import { SandboxSaved, SandboxWorkspace } from "./sandboxes/workspace.ts";
import { base, common, Environment, hourMs, liveErrors, maxHardEndMs, params } from "./sandboxes/fields.ts";

const minuteMs = 60_000;

export const sandboxStatuses = ["starting", "running", "paused", "stopped", "failed"] as const;
export const SandboxStatus = z.enum(sandboxStatuses).meta({ id: "SandboxStatus" });
export type SandboxStatus = z.infer<typeof SandboxStatus>;

const name = z.string().trim().min(1).max(100);
const idleTimeoutMs = z
  .int()
  .min(1000)
  .max(24 * hourMs)
  .describe("unused for so long it is paused, memory and all, until it is used again");
const hardEndMs = z.int().min(1000).max(maxHardEndMs).describe("from its creation; then it ends, whatever it does");
/** A sandbox to be made. */
export const SandboxInput = z
  .strictObject({
    name: name.optional(),
    programId: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe("a program of the catalog: its files are in /workspace, its packages are found"),
    version: z.string().min(1).max(64).optional().describe("a published version of the program"),
    workspaceId: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe("a workspace: its files are in /workspace, and what is changed there goes back; not together with a program or files"),
    writeBack: z
      .boolean()
      .optional()
      .describe("of a workspace: whether changes go back; as its kind and your rights have it when left out"),
    language: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe("the language that is meant when code does not say; `python` when left out, or the program's"),
    files: z.array(FileInput).max(10_000).default([]).describe("put into /workspace"),
    env: Environment,
    limits: LimitsInput.pick({ cpus: true, memoryBytes: true, processes: true, openFiles: true, diskBytes: true }).default({}),
    tier: Tier.optional(),
    network: NetworkPolicy.optional().describe("nothing when left out, or what its workspace allows"),
    idleTimeoutMs: idleTimeoutMs.default(30 * minuteMs),
    hardEndMs: hardEndMs.default(24 * hourMs),
  })
  .meta({ id: "SandboxInput" });
export type SandboxInput = z.output<typeof SandboxInput>;
export type SandboxInputDraft = z.input<typeof SandboxInput>;

const PauseReason = z.enum(["user", "idle"]);
const sandboxFields = {
  id: z.string(),
  name: z.string(),
  ownerId: z.string(),
  program: SandboxProgram.nullable().describe("it is somebody's interactive environment of this program"),
  workspace: SandboxWorkspace.nullable().describe("the workspace that it is in"),
  saved: SandboxSaved.nullable().describe("what became last of what was changed in its workspace's files; null when nothing was"),
  status: SandboxStatus,
  phase: z.literal("building_environment").nullable().describe("what a sandbox that starts waits for"),
  pauseReason: PauseReason.nullable().describe("one that is paused for being idle goes on when it is used"),
  language: z.string(),
  tier: Tier,
  network: NetworkPolicy,
  idleTimeoutMs: z.int(),
  onIdle: z.enum(["pause", "end"]).describe("what becomes of it when nobody uses it for so long"),
  createdAt: z.iso.datetime(),
  lastActiveAt: z.iso.datetime(),
  idleAt: z.iso
    .datetime()
    .nullable()
    .describe("when it will be paused, or ended, if nobody uses it; null while it is in use or does not run"),
  expiresAt: z.iso.datetime().describe("its hard end"),
  endedAt: z.iso.datetime().nullable(),
  endReason: z
    .enum([
      "deleted",
      "expired",
      "idle",
      "access_ended",
      "out_of_memory",
      "disk_limit",
      "sandbox_failed",
      "environment_failed",
      "server_restarted",
    ])
    .nullable()
    .describe(
      "`server_restarted`: the server that held it has ended, and it with that; `access_ended`: its program or workspace may not be used any more as it was",
    ),
  error: SandboxStartError.nullable().describe("why it could not be started"),
};

/** A long-lived sandbox. */
export const Sandbox = z
  .object({
    ...sandboxFields,
    pausedBy: z
      .enum(["cgroup", "signals", "machine"])
      .nullable()
      .describe("what keeps its processes still; `machine`: the virtual machine around them stands still"),
    requestedLimits: LimitsInput,
    limits: Limits.nullable().describe("as enforced; null until it has started"),
  })
  .meta({ id: "Sandbox" });
export type Sandbox = z.infer<typeof Sandbox>;

export const SandboxStats = z
  .object({ processes: z.int(), memoryBytes: z.number(), cpuMs: z.number(), diskBytes: z.number(), diskLimitBytes: z.number() })
  .meta({ id: "SandboxStats" });
export type SandboxStats = z.infer<typeof SandboxStats>;
const SandboxFilter = z.object({
  ...pageQuery,
  live: z.stringbool().optional().describe("only those that have not ended, or only those that have"),
  owner: z
    .enum(["me", "shared", "visible", "all"])
    .default("me")
    .describe("yours; what others have shared with you; both and what is public; everybody's, for administrators"),
});
export type SandboxFilter = z.output<typeof SandboxFilter>;

export const sandboxRoutes = {
  createSandbox: route({
    ...common,
    audit: "sandbox.create",
    method: "POST",
    path: base,
    once: "answer",
    summary: "Create a long-lived sandbox",
    body: SandboxInput,
    responses: { 201: Sandbox },
    errors: [
      "unknown_language",
      "runtime_unavailable",
      "tier_unavailable",
      "tier_too_weak",
      "invalid_path",
      "blob_unknown",
      "sandbox_limit",
      "sandbox_unavailable",
      "not_found",
      "forbidden",
      "scope_missing",
      "workspace_archived",
      "workspace_deleted",
      "limit_out_of_range",
      "asset_deleted",
      "dependencies_unsupported",
      "environment_failed",
      "environment_unavailable",
      "network_unavailable",
      "payload_too_large",
    ],
  }),
  listSandboxes: route({
    ...common,
    method: "GET",
    path: base,
    summary: "List sandboxes, newest first",
    query: SandboxFilter,
    responses: { 200: pageOf(Sandbox) },
    errors: ["invalid_cursor", "forbidden"],
  }),
  getSandbox: route({
    ...common,
    method: "GET",
    path: `${base}/:id`,
    summary: "Read a sandbox",
    params,
    responses: { 200: Sandbox },
    errors: ["not_found"],
  }),
  updateSandbox: route({
    ...common,
    audit: "sandbox.update",
    method: "PATCH",
    path: `${base}/:id`,
    summary: "Change the name or the times of a sandbox",
    params,
    body: z.strictObject({ name, idleTimeoutMs, hardEndMs }).partial(),
    responses: { 200: Sandbox },
    errors: [...liveErrors],
  }),
  deleteSandbox: route({
    ...common,
    audit: "sandbox.delete",
    method: "DELETE",
    path: `${base}/:id`,
    summary: "End a sandbox with everything in it; its record stays",
    params,
    responses: { 204: "none" },
    errors: ["not_found", "sandbox_elsewhere"],
  }),
  pauseSandbox: route({
    ...common,
    audit: "sandbox.pause",
    method: "POST",
    path: `${base}/:id/pause`,
    summary: "Stop every process where it is",
    params,
    responses: { 200: Sandbox },
    errors: ["not_found", "sandbox_starting", "sandbox_ended", "sandbox_elsewhere"],
  }),
  resumeSandbox: route({
    ...common,
    audit: "sandbox.resume",
    method: "POST",
    path: `${base}/:id/resume`,
    summary: "Let the processes go on",
    params,
    responses: { 200: Sandbox },
    errors: ["not_found", "sandbox_starting", "sandbox_ended", "sandbox_elsewhere"],
  }),
  saveSandbox: route({
    ...common,
    audit: "sandbox.save",
    method: "POST",
    path: `${base}/:id/save`,
    summary: "Put what was changed in a sandbox into its workspace now, and fetch what others have changed there",
    params,
    responses: { 200: Sandbox },
    errors: [...liveErrors, "conflict"],
  }),
  getSandboxStats: route({
    ...common,
    method: "GET",
    path: `${base}/:id/stats`,
    summary: "What a sandbox uses now",
    params,
    responses: { 200: SandboxStats },
    errors: [...liveErrors],
  }),
  getSandboxNetwork: route({
    ...common,
    method: "GET",
    path: `${base}/:id/network`,
    summary: "What a sandbox may reach, and what it did with that so far",
    params,
    responses: { 200: SandboxNetwork },
    errors: [...liveErrors],
  }),
};
