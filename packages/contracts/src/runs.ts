import { z } from "zod";
import { Visibility } from "./access.ts";
import { NetworkPolicy, NetworkUsage, RunNetwork } from "./network.ts";
import { NodeRun, RunComposition } from "./node-runs.ts";
import { pageOf, pageQuery } from "./page.ts";
import { route } from "./route.ts";
import { TestReport, Tests, TestSummary } from "./tests.ts";
import { lastEventId } from "./fields.ts";
import { RunTrace } from "./traces.ts";

export const runStatuses = ["queued", "starting", "running", "waiting", "succeeded", "failed", "cancelled", "timed_out"] as const;
export const RunStatus = z.enum(runStatuses).meta({ id: "RunStatus" });
export type RunStatus = z.infer<typeof RunStatus>;

/** A run that will never change again. */
export function isFinal(status: RunStatus): boolean {
  return status === "succeeded" || status === "failed" || status === "cancelled" || status === "timed_out";
}

export const RunKind = z.enum(["execution", "program", "composition", "trial", "build", "analysis"]);
export type RunKind = z.infer<typeof RunKind>;

export const Tier = z.enum(["namespace", "gvisor", "microvm", "kubernetes"]);
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

const startAt = z.iso
  .datetime({ offset: true })
  .optional()
  .describe("it does not begin before this time, at most a year ahead; now when left out");

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
    models: z
      .array(z.string().min(1).max(200))
      .max(10)
      .default([])
      .describe(
        "ids, slugs or names of models that it may call through the gateway; the first answers to names that nobody knows. Without another policy, its network is then `gateway`",
      ),
    priority: z.int().min(0).max(9).default(5).describe("among your runs: each step is worth a minute of waiting"),
    startAt,
    workspaceId: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe("a workspace whose files are in the working folder; its limits and its network hold"),
    writeBack: z
      .boolean()
      .optional()
      .describe(
        "what the run changes in its working folder goes into the workspace; so it is, when left out, where you may change it, a key with its scopes (`workspaces:write`), and it lasts",
      ),
    shownInWorkspace: z
      .boolean()
      .optional()
      .describe("whoever may see the workspace may see the run, its output and what it leaves, as long as they may"),
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

/** A dataset for a run: its file is at `datasets/<name>` of the workspace, and in the variable `SYLA_DATASETS`. */
export const RunDatasetInput = z
  .strictObject({
    id: z.string().min(1).max(64),
    version: z.string().min(1).max(64).optional().describe("a published version; what is there now when left out"),
    split: z.string().min(1).max(30).optional().describe("one of its splits; all rows when left out"),
    name: z
      .string()
      .regex(/^[A-Za-z0-9_][A-Za-z0-9_-]*$/, "letters, digits, - and _")
      .max(60)
      .optional()
      .describe("what the program calls it; like its name in the catalog when left out"),
  })
  .meta({ id: "RunDatasetInput" });
export type RunDatasetInput = z.output<typeof RunDatasetInput>;

/** A program of the catalog to run, and how. What is left out is as the program says. */
export const ProgramRunInput = z
  .strictObject({
    programId: z.string().min(1).max(64),
    version: z.string().min(1).max(64).optional().describe("a published version; the working tree when left out"),
    entrypoint: z.string().min(1).max(4096).optional(),
    args: RunInput.shape.args.unwrap().optional().describe("in place of the program's own"),
    env: RunInput.shape.env,
    stdin: z.string().optional(),
    stdinBase64: z.base64().optional(),
    files: z.array(FileInput).max(1000).default([]).describe("besides the program's own; one of the same path takes its place"),
    profile: z.enum(["small", "medium", "large"]).optional().describe("in place of the program's own"),
    limits: LimitsInput.default({}).describe("in place of those of the profile"),
    tier: Tier.optional(),
    network: NetworkPolicy.optional(),
    modelId: z.string().max(64).optional().describe("in place of the model that the program is bound to"),
    datasets: z.array(RunDatasetInput).max(20).default([]).describe("datasets that it reads"),
    priority: z.int().min(0).max(9).default(5).describe("among your runs: each step is worth a minute of waiting"),
    startAt,
  })
  .meta({ id: "ProgramRunInput" });
export type ProgramRunInput = z.output<typeof ProgramRunInput>;
export type ProgramRunInputDraft = z.input<typeof ProgramRunInput>;

export const RunErrorClass = z.enum(["user_code", "limit", "infrastructure", "denied"]);

/** A place in what was running. */
export const RunFrame = z
  .object({
    path: z.string().describe("a file of the run by its path; of a library, as the language says it"),
    line: z.int(),
    column: z.int().nullable().describe("from 1"),
    function: z.string().nullable(),
    own: z.boolean().describe("a file of the run itself, not of a library"),
  })
  .meta({ id: "RunFrame" });
export type RunFrame = z.infer<typeof RunFrame>;

export const suggestionKinds = [
  "add_dependency",
  "did_you_mean",
  "allow_host",
  "choose_model",
  "set_variable",
  "raise_limit",
  "write_elsewhere",
  "give_input",
  "change_code",
  "wait",
] as const;

/** What is likely to help. */
export const RunSuggestion = z
  .object({
    kind: z.enum(suggestionKinds),
    text: z.string(),
    subject: z.string().nullable().describe("the package, file, host, variable or limit that it is about"),
  })
  .meta({ id: "RunSuggestion" });
export type RunSuggestion = z.infer<typeof RunSuggestion>;

/** Lines of the file in which a program failed. */
export const SourceExcerpt = z
  .object({ path: z.string(), firstLine: z.int(), lines: z.array(z.string()), line: z.int().describe("the one that failed") })
  .meta({ id: "SourceExcerpt" });
export type SourceExcerpt = z.infer<typeof SourceExcerpt>;

export const RunError = z
  .object({
    class: RunErrorClass,
    code: z.string(),
    message: z.string(),
    hint: z.string(),
    kind: z.string().nullable().default(null).describe("what the language calls it: `ModuleNotFoundError`, `panic`"),
    location: z
      .object({
        path: z.string(),
        file: z.string().describe("the same as `path`"),
        line: z.int(),
        column: z.int().nullable().describe("from 1"),
        function: z.string().nullable(),
      })
      .nullable()
      .describe("where in the program's own files, when it is known"),
    frames: z.array(RunFrame).default([]).describe("how it came there, innermost first; none in lists"),
    causes: z.array(z.string()).default([]).describe("errors that led to it, or that it holds"),
    excerpt: SourceExcerpt.nullable().default(null).describe("the lines around it, for whoever may read the run's files; null in lists"),
    suggestion: RunSuggestion.nullable().default(null),
    node: z.string().nullable().default(null).describe("the path of the node of a composition that failed"),
  })
  .meta({ id: "RunError" });
export type RunError = z.infer<typeof RunError>;

/** Milliseconds spent in each phase; null until it is over. */
export const Timings = z
  .object({
    queueMs: z.number().nullable().describe("accepted to claimed by a worker"),
    startMs: z.number().nullable().describe("claimed to first instruction of the program, without what is built before"),
    environmentMs: z.number().nullable().describe("having its environment; null when it needs none"),
    compileMs: z.number().nullable().describe("compiling before the start; null when nothing is compiled"),
    compileCached: z.boolean().nullable().describe("what was compiled before was used again; null when nothing is compiled"),
    runMs: z.number().nullable().describe("the program itself"),
    totalMs: z.number().nullable().describe("accepted to ended"),
  })
  .meta({ id: "Timings" });

/** What a run called of language models. */
export const RunLlmUsage = z
  .object({
    calls: z.int(),
    failed: z.int(),
    inputTokens: z.int(),
    outputTokens: z.int(),
    cachedTokens: z.int(),
    cost: z.number().nullable().describe("US dollars of the calls whose cost is known; null: of none"),
    unknownCosts: z.int().describe("calls whose cost nobody knows"),
  })
  .meta({ id: "RunLlmUsage" });
export type RunLlmUsage = z.infer<typeof RunLlmUsage>;

export const RunUsage = z
  .object({
    cpuMs: z.number(),
    peakMemoryBytes: z.number().nullable(),
    network: NetworkUsage.nullable().default(null).describe("null for a run without a network"),
    llm: RunLlmUsage.nullable().default(null).describe("null for a run without models"),
  })
  .meta({ id: "RunUsage" });

/** The program that a run ran. */
export const RunProgram = z
  .object({
    id: z.string(),
    name: z.string().describe("as it was called then"),
    version: z.string().nullable().describe("null: the working tree"),
    tree: z.string().nullable().describe("SHA-256 of its files as they were"),
    environmentId: z.string().nullable(),
    secretVariables: z.array(z.string()).describe("the variables that hold secrets of the program's owner; what they hold is in no log"),
    withheldVariables: z.array(z.string()).describe("variables with secrets that the owner does not give to runs of this person"),
  })
  .meta({ id: "RunProgram" });
export type RunProgram = z.infer<typeof RunProgram>;

/** A dataset that a run had. */
export const RunDataset = z
  .object({
    id: z.string(),
    name: z.string().describe("what the run called it"),
    assetName: z.string().describe("as it was called in the catalog then"),
    version: z.string().nullable().describe("null: what was there then"),
    split: z.string().nullable(),
    path: z.string().describe("in the workspace"),
    rows: z.int().describe("in that file"),
    sha256: z.string().describe("of all rows, as they were"),
  })
  .meta({ id: "RunDataset" });
export type RunDataset = z.infer<typeof RunDataset>;

/** The workspace that a run was in, and what became of what it left there. */
export const RunWorkspace = z
  .object({
    id: z.string(),
    name: z.string().describe("as it was called then"),
    revision: z.int().describe("of its files as the run had them"),
    tree: z.string().describe("SHA-256 of these"),
    writeBack: z.boolean(),
    shown: z.boolean().describe("whoever may see the workspace may see the run"),
    outcome: z
      .enum(["merged", "unchanged", "kept_beside", "refused"])
      .nullable()
      .describe(
        "`merged`: its changes are in the workspace; `kept_beside`: they are a version of it, because they could not be put together with what others wrote, or the run was killed; null: nothing was to be written back, or it has not ended",
      ),
    changed: z.int().describe("files that it has changed, made or removed"),
    version: z.int().nullable().describe("the version that keeps them"),
    error: z.object({ code: z.string(), message: z.string() }).nullable().describe("why they are not in the workspace"),
  })
  .meta({ id: "RunWorkspace" });
export type RunWorkspace = z.infer<typeof RunWorkspace>;

const runSummaryFields = {
  id: z.string(),
  kind: RunKind,
  status: RunStatus,
  phase: z.string().nullable().describe("while starting: what is being done"),
  ownerId: z.string(),
  language: z.string(),
  entrypoint: z.string(),
  program: RunProgram.nullable().describe("null: the code was sent along"),
  composition: RunComposition.nullable().default(null).describe("null: it is of none"),
  workspace: RunWorkspace.nullable().default(null).describe("null: it was in none"),
  attempt: z.int(),
  retryOf: z.string().nullable(),
  scheduleId: z.string().nullable().describe("the schedule that has begun it"),
  exitCode: z.int().nullable(),
  signal: z.string().nullable(),
  error: RunError.nullable(),
  timings: Timings,
  createdAt: z.iso.datetime(),
  startAt: z.iso.datetime().nullable().describe("while it is queued: not before this time; null: as soon as it may"),
  startedAt: z.iso.datetime().nullable(),
  finishedAt: z.iso.datetime().nullable(),
};

/** A run in a list. */
export const RunSummary = z
  .object({
    ...runSummaryFields,
    ownerName: z.string().describe("who has run it"),
    cost: z.number().nullable().describe("US dollars of its calls of models whose cost is known; null: of none"),
  })
  .meta({ id: "RunSummary" });
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
    models: z.array(z.string()).describe("ids of the models that it may call"),
    datasets: z.array(RunDataset),
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
    skippedArtifacts: z.array(z.object({ path: z.string(), reason: z.string() })).describe("the first thousand of them"),
    skippedArtifactCount: z.int().default(0).describe("what was left in /output and is not kept"),
    tests: TestSummary.nullable().describe("what came of the test cases; null without any, and until it has ended"),
    cached: z.boolean().describe("an earlier run answered; nothing was run"),
    cachedFrom: z.string().nullable().describe("the run that answered"),
    pinned: z.boolean().default(false).describe("its log and artifacts are kept for good"),
    expiredAt: z.iso.datetime().nullable().default(null).describe("when its log and artifacts were removed, being too old"),
    idempotencyKey: z.string().nullable(),
  })
  .meta({ id: "Run" });
export type Run = z.infer<typeof Run>;

/** A step of a run from one state into another. */
export const RunTransition = z
  .object({
    status: RunStatus.describe("the state that it came into"),
    at: z.iso.datetime(),
    attempt: z.int(),
    workerId: z.string().nullable().describe("the worker that had it then"),
    cause: z
      .string()
      .nullable()
      .describe(
        "why: `submitted`, `rerun`, `schedule`, `cancel_requested`, `worker_lost`, `worker_stopped`, `worker_drained`, `approval` (somebody has to decide), `decided`, or the code of an error; null where the state says it",
      ),
  })
  .meta({ id: "RunTransition" });
export type RunTransition = z.infer<typeof RunTransition>;

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
    z.object({ type: z.literal("node"), seq: z.int(), time: z.iso.datetime(), node: NodeRun }),
    z.object({ type: z.literal("end"), seq: z.int(), time: z.iso.datetime(), run: Run }),
  ])
  .meta({ id: "RunEvent" });
export type RunEvent = z.infer<typeof RunEvent>;

/** Which runs that were given up are to be queued again: those of a list, or all that match; of one's own unless an administrator says `all`. */
export const RequeueInput = z
  .strictObject({
    ids: z
      .array(noNul("an id").pipe(z.string().min(1).max(64)))
      .min(1)
      .max(500)
      .optional()
      .describe("only these"),
    owner: z.enum(["me", "all"]).default("me").describe("everybody's, for administrators: each run is queued as its owner's"),
    code: z.string().max(100).optional().describe("only those that ended with this error, e.g. `worker_lost`"),
    language: noNul("a language").pipe(z.string().max(64)).optional(),
    program: noNul("an id").pipe(z.string().max(64)).optional().describe("the id of a program"),
    since: z.iso.datetime().optional(),
    until: z.iso.datetime().optional(),
  })
  .meta({ id: "RequeueInput" });
export type RequeueInput = z.output<typeof RequeueInput>;

/** What became of runs that were to be queued again. */
export const Requeued = z
  .object({
    requeued: z.array(z.object({ id: z.string(), runId: z.string().describe("the new run") })),
    refused: z.array(z.object({ id: z.string(), code: z.string(), message: z.string() })),
    more: z.boolean().describe("more match than are taken at once, 500: ask again"),
  })
  .meta({ id: "Requeued" });
export type Requeued = z.infer<typeof Requeued>;

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
  "workspace_archived",
  "workspace_deleted",
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
  program: noNul("an id").max(64).optional().describe("the id of a program"),
  dataset: noNul("an id").max(64).optional().describe("the id of a dataset"),
  schedule: noNul("an id").max(64).optional().describe("the id of a schedule"),
  workspace: noNul("an id").max(64).optional().describe("the id of a workspace"),
  deadLetters: z
    .stringbool()
    .default(false)
    .describe("only those that the installation failed, after all attempts, and that have not been run again"),
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
    summary: "Queue a run of code that is sent along, or of a program of the catalog",
    tag: "runs",
    auth: "user",
    audit: "run.create",
    query: z.object({ wait: z.stringbool().default(false).describe("hold the answer until the run has ended") }),
    headers: idempotency,
    body: z.union([ProgramRunInput, RunInput]),
    responses: { 200: Run, 202: Run },
    errors: [...submitErrors, "not_found", "forbidden", "asset_deleted", "dependencies_unsupported", "quota_exceeded", "split_unknown"],
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
    link: "run",
    params: runId,
    responses: { 200: Run },
    errors: ["not_found"],
  }),
  waitRun: route({
    method: "GET",
    path: "/api/v1/runs/:id/wait",
    summary: "Read a run when it has ended, or as it is when the time is over",
    tag: "runs",
    auth: "user",
    params: runId,
    query: z.object({ seconds: z.coerce.number().min(0).max(300).default(30).describe("how long to wait at most") }),
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
  requeueRuns: route({
    method: "POST",
    path: "/api/v1/runs/requeue",
    summary: "Queue runs again that the installation failed, one by one or all that match",
    tag: "runs",
    auth: "user",
    audit: "run.requeue",
    body: RequeueInput,
    responses: { 200: Requeued },
    errors: ["forbidden"],
  }),
  streamRun: route({
    method: "GET",
    path: "/api/v1/runs/:id/events",
    summary: "Follow a run live (server-sent events, resumable)",
    tag: "runs",
    auth: "user",
    link: "run",
    params: runId,
    headers: lastEventId,
    responses: { 200: "event-stream" },
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
  listRunTransitions: route({
    method: "GET",
    path: "/api/v1/runs/:id/transitions",
    summary: "List the states that the run came through, with time, attempt, worker and cause",
    tag: "runs",
    auth: "user",
    link: "run",
    params: runId,
    responses: { 200: z.object({ items: z.array(RunTransition) }) },
    errors: ["not_found"],
  }),
  getRunTrace: route({
    method: "GET",
    path: "/api/v1/runs/:id/trace",
    summary: "Read what the run consisted of: waiting, its start, the program, each call of a model, with times, tokens and cost",
    tag: "runs",
    auth: "user",
    params: runId,
    responses: { 200: RunTrace },
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
