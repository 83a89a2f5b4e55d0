import { z } from "zod";
import { Visibility } from "./access.ts";
import { NetworkPolicy, NetworkUsage, RunNetwork } from "./network.ts";
import { pageOf, pageQuery } from "./page.ts";
import { route } from "./route.ts";
import { TestReport, Tests, TestSummary } from "./tests.ts";

export const runStatuses = ["queued", "starting", "running", "waiting", "succeeded", "failed", "cancelled", "timed_out"] as const;
export const RunStatus = z.enum(runStatuses).meta({ id: "RunStatus" });
export type RunStatus = z.infer<typeof RunStatus>;

/** A run that will never change again. */
export function isFinal(status: RunStatus): boolean {
  return status === "succeeded" || status === "failed" || status === "cancelled" || status === "timed_out";
}

export const RunKind = z.enum(["execution", "program", "composition", "trial", "build", "analysis"]);
export type RunKind = z.infer<typeof RunKind>;

export const Tier = z.enum(["namespace", "microvm", "kubernetes"]);
export type Tier = z.infer<typeof Tier>;

const mebibyte = 1024 * 1024;

/** Limits that a caller may ask for; what is left out takes the server's default. */
export const LimitsInput = z
  .strictObject({
    wallMs: z.int().min(10).max(86_400_000).describe("wall clock, milliseconds"),
    cpus: z.number().min(0.05).max(4).describe("CPU cores"),
    memoryBytes: z
      .int()
      .min(16 * mebibyte)
      .max(8 * 1024 * mebibyte),
    processes: z.int().min(1).max(4096).describe("processes and threads together"),
    openFiles: z.int().min(16).max(65_536),
    diskBytes: z
      .int()
      .min(mebibyte)
      .max(50 * 1024 * mebibyte)
      .describe("workspace and /output together"),
    outputBytes: z
      .int()
      .min(1024)
      .max(256 * mebibyte)
      .describe("stdout and stderr together; the middle is left out above it"),
  })
  .partial()
  .meta({ id: "LimitsInput" });
export type LimitsInput = z.infer<typeof LimitsInput>;

/** One limit as it was in force: its value and what enforced it. */
export const EffectiveLimit = z
  .object({
    value: z.number(),
    enforcedBy: z.enum(["cgroup", "rlimit", "supervisor", "affinity", "none"]).describe("`none`: could not be enforced on this machine"),
  })
  .meta({ id: "EffectiveLimit" });

/** The limits of a run as they were in force. Units are in the names. */
export const Limits = z
  .object({
    wallMs: EffectiveLimit,
    cpus: EffectiveLimit,
    memoryBytes: EffectiveLimit,
    processes: EffectiveLimit,
    openFiles: EffectiveLimit,
    diskBytes: EffectiveLimit,
    outputBytes: EffectiveLimit,
  })
  .meta({ id: "Limits" });
export type Limits = z.infer<typeof Limits>;

/** A file for a run: its text, its bytes in base64, or the SHA-256 of something uploaded before. */
export const FileInput = z
  .union([
    z.strictObject({ path: z.string().min(1).max(4096), content: z.string() }),
    z.strictObject({ path: z.string().min(1).max(4096), contentBase64: z.base64() }),
    z.strictObject({ path: z.string().min(1).max(4096), blob: z.string().regex(/^[0-9a-f]{64}$/) }),
  ])
  .meta({ id: "FileInput" });
export type FileInput = z.infer<typeof FileInput>;

const noNul = (what: string) => z.string().refine((text) => !text.includes("\0"), `${what} must not contain NUL`);

/** What to run: code or files, and how. The same shape for `/executions` and `/runs`. */
export const RunInput = z
  .strictObject({
    language: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe("a runtime's name or alias, if wanted with a version (`python@3.11`); guessed from the entrypoint when left out"),
    code: z.string().optional().describe("becomes the entrypoint file"),
    files: z.array(FileInput).max(10_000).default([]),
    entrypoint: z.string().min(1).max(4096).optional(),
    stdin: z.string().optional(),
    stdinBase64: z.base64().optional(),
    args: z
      .array(noNul("an argument").pipe(z.string().max(131_072)))
      .max(1000)
      .default([]),
    env: z
      .record(
        z
          .string()
          .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
          .max(256),
        noNul("a value").pipe(z.string().max(131_072)),
      )
      .default({}),
    limits: LimitsInput.default({}),
    tier: Tier.optional(),
    network: NetworkPolicy.default("none"),
    priority: z.int().min(0).max(9).default(5).describe("9 goes first"),
    tests: Tests.optional().describe("runs the program once for each case, and judges what it does"),
    cache: z
      .union([
        z.boolean(),
        z.strictObject({
          ttlMs: z
            .int()
            .min(1000)
            .max(30 * 86_400_000)
            .describe("how long the result may answer equal runs, milliseconds"),
        }),
      ])
      .default(false)
      .describe("the run does the same every time: an earlier result of yours may answer, and this one is kept (24 hours with `true`)"),
  })
  .meta({ id: "RunInput" });
export type RunInput = z.output<typeof RunInput>;
export type RunInputDraft = z.input<typeof RunInput>;

export const RunErrorClass = z.enum(["user_code", "limit", "infrastructure", "denied"]);
export const RunError = z
  .object({
    class: RunErrorClass,
    code: z.string(),
    message: z.string(),
    hint: z.string(),
    location: z.object({ file: z.string(), line: z.int() }).nullable().describe("where in the program, when it is known"),
  })
  .meta({ id: "RunError" });
export type RunError = z.infer<typeof RunError>;

/** Milliseconds spent in each phase; null until it is over. */
export const Timings = z
  .object({
    queueMs: z.number().nullable().describe("accepted to claimed by a worker"),
    startMs: z.number().nullable().describe("claimed to first instruction of the program, without compiling"),
    compileMs: z.number().nullable().describe("compiling before the start; null when nothing is compiled"),
    compileCached: z.boolean().nullable().describe("what was compiled before was used again; null when nothing is compiled"),
    runMs: z.number().nullable().describe("the program itself"),
    totalMs: z.number().nullable().describe("accepted to ended"),
  })
  .meta({ id: "Timings" });

export const RunUsage = z
  .object({
    cpuMs: z.number(),
    peakMemoryBytes: z.number().nullable(),
    network: NetworkUsage.nullable().default(null).describe("null for a run without a network"),
  })
  .meta({ id: "RunUsage" });

const runSummaryFields = {
  id: z.string(),
  kind: RunKind,
  status: RunStatus,
  phase: z.string().nullable().describe("while starting: what is being done"),
  ownerId: z.string(),
  language: z.string(),
  entrypoint: z.string(),
  attempt: z.int(),
  retryOf: z.string().nullable(),
  exitCode: z.int().nullable(),
  signal: z.string().nullable(),
  error: RunError.nullable(),
  timings: Timings,
  createdAt: z.iso.datetime(),
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
};

/** A run in a list. */
export const RunSummary = z.object(runSummaryFields).meta({ id: "RunSummary" });
export type RunSummary = z.infer<typeof RunSummary>;

/** One execution of code: configuration, state and result. */
export const Run = z
  .object({
    ...runSummaryFields,
    requestedVersion: z.string().nullable().describe("what was asked for behind the language's `@`"),
    runtimeVersion: z.string().nullable(),
    args: z.array(z.string()),
    env: z.record(z.string(), z.string()),
    files: z.array(z.object({ path: z.string(), size: z.int(), sha256: z.string() })),
    stdinBytes: z.int(),
    tier: Tier,
    network: NetworkPolicy,
    priority: z.int(),
    visibility: z.enum(["private", "shared", "public"]),
    requestedLimits: LimitsInput,
    limits: Limits.nullable().describe("as enforced; null until the run has started"),
    stdout: z.string().describe("the first 64 KiB; the whole is at `/log`"),
    stderr: z.string().describe("the first 64 KiB; the whole is at `/log`"),
    truncated: z.boolean().describe("output went over its limit and the middle was left out"),
    output: z.object({ stdoutBytes: z.int(), stderrBytes: z.int(), droppedBytes: z.int() }),
    usage: RunUsage.nullable(),
    artifactCount: z.int(),
    skippedArtifacts: z.array(z.object({ path: z.string(), reason: z.string() })),
    tests: TestSummary.nullable().describe("what came of the test cases; null without any, and until it has ended"),
    cached: z.boolean().describe("an earlier run answered; nothing was run"),
    cachedFrom: z.string().nullable().describe("the run that answered"),
    idempotencyKey: z.string().nullable(),
  })
  .meta({ id: "Run" });
export type Run = z.infer<typeof Run>;

/** Something under `/output` that was kept. */
export const Artifact = z
  .object({ id: z.string(), path: z.string(), size: z.int(), sha256: z.string(), mimeType: z.string() })
  .meta({ id: "Artifact" });
export type Artifact = z.infer<typeof Artifact>;

/**
 * What happens in a run, in order. `seq` counts from 1 within a run and is the SSE event id, so a reader that was cut off
 * resumes with `Last-Event-ID`. `end` is the last one and carries the finished run.
 */
export const RunEvent = z
  .discriminatedUnion("type", [
    z.object({
      type: z.literal("status"),
      seq: z.int(),
      time: z.iso.datetime(),
      status: RunStatus,
      phase: z.string().nullable(),
      attempt: z.int(),
    }),
    z.object({
      type: z.literal("log"),
      seq: z.int(),
      time: z.iso.datetime(),
      stream: z.enum(["stdout", "stderr", "system"]),
      text: z.string(),
    }),
    z.object({ type: z.literal("end"), seq: z.int(), time: z.iso.datetime(), run: Run }),
  ])
  .meta({ id: "RunEvent" });
export type RunEvent = z.infer<typeof RunEvent>;

const runId = z.object({ id: z.string().max(64) });
const idempotency = z.object({ "idempotency-key": z.string().min(1).max(255).optional() });
const submitErrors = [
  "unknown_language",
  "unknown_version",
  "runtime_unavailable",
  "empty_code",
  "entrypoint_missing",
  "invalid_path",
  "blob_unknown",
  "limit_out_of_range",
  "tier_unavailable",
  "network_unavailable",
  "idempotency_conflict",
  "coverage_unavailable",
  "queue_full",
  "payload_too_large",
] as const;

/** Filters of the runs list. Repeat a parameter, or separate with commas, for several values. */
export const RunFilter = z.object({
  ...pageQuery,
  status: z.string().max(200).optional().describe("one or more statuses, comma separated"),
  language: z.string().max(200).optional(),
  kind: RunKind.optional(),
  since: z.iso.datetime().optional(),
  until: z.iso.datetime().optional(),
  q: z.string().max(200).optional().describe("part of a run id or of an entrypoint"),
  owner: z
    .enum(["me", "shared", "visible", "all"])
    .default("me")
    .describe("yours; what others have shared with you; both and what is public; everybody's, for administrators"),
});
export type RunFilter = z.output<typeof RunFilter>;

export const runRoutes = {
  createExecution: route({
    method: "POST",
    path: "/api/v1/executions",
    summary: "Run code; with `wait`, answer when it has ended",
    tag: "runs",
    auth: "user",
    audit: "run.create",
    query: z.object({ wait: z.stringbool().default(false).describe("hold the answer until the run has ended") }),
    headers: idempotency,
    body: RunInput,
    responses: { 200: Run, 202: Run },
    errors: [...submitErrors],
  }),
  createRun: route({
    method: "POST",
    path: "/api/v1/runs",
    summary: "Queue a run",
    tag: "runs",
    auth: "user",
    audit: "run.create",
    headers: idempotency,
    body: RunInput,
    responses: { 202: Run },
    errors: [...submitErrors],
  }),
  listRuns: route({
    method: "GET",
    path: "/api/v1/runs",
    summary: "List runs, newest first",
    tag: "runs",
    auth: "user",
    query: RunFilter,
    responses: { 200: pageOf(RunSummary) },
    errors: ["invalid_cursor", "forbidden"],
  }),
  getRun: route({
    method: "GET",
    path: "/api/v1/runs/:id",
    summary: "Read a run",
    tag: "runs",
    auth: "user",
    params: runId,
    responses: { 200: Run },
    errors: ["not_found"],
  }),
  updateRun: route({
    method: "PATCH",
    path: "/api/v1/runs/:id",
    summary: "Show a run to everybody who is signed in, or only to those it is shared with",
    tag: "runs",
    auth: "user",
    audit: "run.update",
    params: runId,
    body: z.strictObject({ visibility: Visibility }),
    responses: { 200: Run },
    errors: ["not_found", "forbidden"],
  }),
  cancelRun: route({
    method: "POST",
    path: "/api/v1/runs/:id/cancel",
    summary: "Cancel a run: SIGTERM, and after the grace time SIGKILL",
    tag: "runs",
    auth: "user",
    audit: "run.cancel",
    params: runId,
    responses: { 202: Run },
    errors: ["not_found", "run_finished"],
  }),
  rerunRun: route({
    method: "POST",
    path: "/api/v1/runs/:id/rerun",
    summary: "Queue the same configuration again",
    tag: "runs",
    auth: "user",
    audit: "run.rerun",
    params: runId,
    headers: idempotency,
    responses: { 202: Run },
    errors: ["not_found", "queue_full", "idempotency_conflict", "network_unavailable"],
  }),
  streamRun: route({
    method: "GET",
    path: "/api/v1/runs/:id/events",
    summary: "Follow a run live (server-sent events, resumable)",
    tag: "runs",
    auth: "user",
    params: runId,
    headers: z.object({
      "last-event-id": z
        .string()
        .regex(/^\d{1,15}$/)
        .optional(),
    }),
    responses: { 200: "event-stream" },
    errors: ["not_found"],
  }),
  downloadLog: route({
    method: "GET",
    path: "/api/v1/runs/:id/log",
    summary: "Download the log: raw bytes of one stream or of both, or events as JSON lines",
    tag: "runs",
    auth: "user",
    params: runId,
    query: z.object({ stream: z.enum(["stdout", "stderr", "all"]).default("all"), format: z.enum(["raw", "jsonl"]).default("raw") }),
    responses: { 200: "bytes" },
    errors: ["not_found"],
  }),
  listArtifacts: route({
    method: "GET",
    path: "/api/v1/runs/:id/artifacts",
    summary: "List what the run left in /output",
    tag: "runs",
    auth: "user",
    params: runId,
    responses: { 200: z.object({ items: z.array(Artifact) }) },
    errors: ["not_found"],
  }),
  downloadArtifact: route({
    method: "GET",
    path: "/api/v1/runs/:id/artifacts/:artifactId",
    summary: "Download an artifact",
    tag: "runs",
    auth: "user",
    params: z.object({ id: z.string().max(64), artifactId: z.string().max(64) }),
    responses: { 200: "bytes" },
    errors: ["not_found"],
  }),
  getTestReport: route({
    method: "GET",
    path: "/api/v1/runs/:id/tests",
    summary: "Everything that came of a run's test cases; nothing of hidden ones but their verdicts",
    tag: "runs",
    auth: "user",
    params: runId,
    responses: { 200: TestReport },
    errors: ["not_found"],
  }),
  getRunNetwork: route({
    method: "GET",
    path: "/api/v1/runs/:id/network",
    summary: "List the connections that the run made, when it has ended",
    tag: "runs",
    auth: "user",
    params: runId,
    responses: { 200: RunNetwork },
    errors: ["not_found"],
  }),
  readRunFile: route({
    method: "GET",
    path: "/api/v1/runs/:id/file",
    summary: "Read one input file of the run",
    tag: "runs",
    auth: "user",
    params: runId,
    query: z.object({ path: z.string().min(1).max(4096) }),
    responses: { 200: "bytes" },
    errors: ["not_found"],
  }),
  readRunStdin: route({
    method: "GET",
    path: "/api/v1/runs/:id/stdin",
    summary: "Read what the run was given on stdin",
    tag: "runs",
    auth: "user",
    params: runId,
    responses: { 200: "bytes" },
    errors: ["not_found"],
  }),
};
