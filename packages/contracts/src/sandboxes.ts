import { z } from "zod";
import { NetworkPolicy, SandboxNetwork } from "./network.ts";
import { pageOf, pageQuery } from "./page.ts";
import { route } from "./route.ts";
import { FileInput, Limits, LimitsInput, Tier } from "./runs.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** A sandbox lives no longer, whoever asks. */
export const maxHardEndMs = 7 * 24 * hourMs;

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
const noNul = (what: string) => z.string().refine((text) => !text.includes("\0"), `${what} must not contain NUL`);
const Environment = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
      .max(256),
    noNul("a value").pipe(z.string().max(131_072)),
  )
  .default({});

/** A sandbox to be made. */
export const SandboxInput = z
  .strictObject({
    name: name.optional(),
    language: z.string().min(1).max(64).default("python").describe("the language that is meant when code does not say"),
    files: z.array(FileInput).max(10_000).default([]).describe("put into /workspace"),
    env: Environment,
    limits: LimitsInput.pick({ cpus: true, memoryBytes: true, processes: true, openFiles: true, diskBytes: true }).default({}),
    tier: Tier.optional(),
    network: NetworkPolicy.default("none"),
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
  status: SandboxStatus,
  pauseReason: PauseReason.nullable().describe("one that is paused for being idle goes on when it is used"),
  language: z.string(),
  tier: Tier,
  network: NetworkPolicy,
  idleTimeoutMs: z.int(),
  createdAt: z.iso.datetime(),
  lastActiveAt: z.iso.datetime(),
  idleAt: z.iso.datetime().nullable().describe("when it will be paused if nobody uses it; null while it is in use or does not run"),
  expiresAt: z.iso.datetime().describe("its hard end"),
  endedAt: z.iso.datetime().nullable(),
  endReason: z
    .enum(["deleted", "expired", "out_of_memory", "disk_limit", "sandbox_failed", "server_restarted"])
    .nullable()
    .describe("`server_restarted`: the server that held it has ended, and it with that"),
};

/** A long-lived sandbox. */
export const Sandbox = z
  .object({
    ...sandboxFields,
    pausedBy: z.enum(["cgroup", "signals"]).nullable().describe("what keeps its processes still"),
    requestedLimits: LimitsInput,
    limits: Limits.nullable().describe("as enforced; null until it has started"),
  })
  .meta({ id: "Sandbox" });
export type Sandbox = z.infer<typeof Sandbox>;

/** A command: words, or a line for the shell. */
const Command = z.union([z.string().min(1).max(131_072), z.array(z.string().max(131_072)).min(1).max(1000)]);
const signalNames = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGTERM", "SIGCONT", "SIGSTOP"] as const;
const cwd = noNul("a folder").pipe(z.string().min(1).max(4096)).optional().describe("relative to /workspace, which is the default");
const timeoutMs = z.int().min(1).max(maxHardEndMs).optional();

const commandFields = { command: Command, cwd, env: Environment, timeoutMs };
/** A command to be run to its end. */
export const SandboxExecInput = z
  .strictObject({ ...commandFields, stdin: z.string().optional(), stdinBase64: z.base64().optional() })
  .meta({ id: "SandboxExecInput" });
export const TerminalSize = z
  .strictObject({ columns: z.int().min(1).max(1000), rows: z.int().min(1).max(1000) })
  .meta({ id: "TerminalSize" });
export const SandboxProcessInput = z
  .strictObject({ ...commandFields, terminal: TerminalSize.optional().describe("on a terminal of its own") })
  .meta({ id: "SandboxProcessInput" });
export type SandboxExecDraft = z.input<typeof SandboxExecInput>;
export type SandboxProcessDraft = z.input<typeof SandboxProcessInput>;

const exitFields = { exitCode: z.int().nullable(), signal: z.string().nullable(), timedOut: z.boolean() };
export const SandboxExecResult = z
  .object({ ...exitFields, stdout: z.string(), stderr: z.string(), truncated: z.boolean().describe("the middle of a stream was left out") })
  .meta({ id: "SandboxExecResult" });
export type SandboxExecResult = z.infer<typeof SandboxExecResult>;

/** What a process tells. Bytes are in base64: they need not be text. */
export const SandboxProcessEvent = z
  .discriminatedUnion("type", [
    z.object({ type: z.literal("output"), stream: z.enum(["stdout", "stderr"]), data: z.base64() }),
    z.object({ type: z.literal("exit"), ...exitFields }),
  ])
  .meta({ id: "SandboxProcessEvent" });
export type SandboxProcessEvent = z.infer<typeof SandboxProcessEvent>;

export const SandboxProcess = z
  .object({
    pid: z.int(),
    parent: z.int(),
    state: z.string().describe("the kernel's letter: R, S, D, T, Z"),
    command: z.array(z.string()),
    cpuMs: z.number(),
    memoryBytes: z.number(),
    startedAt: z.iso.datetime(),
    followed: z.boolean().describe("it was started through the API: it has output, input and perhaps a terminal"),
    terminal: z.boolean(),
  })
  .meta({ id: "SandboxProcess" });
export type SandboxProcess = z.infer<typeof SandboxProcess>;

/** A path, or its bytes in base64 where they are not UTF-8. Relative ones begin at /workspace. */
const pathFields = { path: noNul("a path").pipe(z.string().min(1).max(4096)).optional(), pathBase64: z.base64().max(8192).optional() };
const pathQuery = z.object(pathFields);
const PathBody = z.strictObject(pathFields);

export const SandboxFile = z
  .object({
    path: z.string().describe("absolute; U+FFFD stands for bytes that are not UTF-8"),
    pathBase64: z.string().nullable().describe("the exact path where `path` is not"),
    name: z.string(),
    kind: z.enum(["file", "folder", "link", "other"]),
    size: z.int(),
    mode: z.int(),
    modifiedAt: z.iso.datetime(),
    target: z.string().nullable().describe("where a link leads"),
  })
  .meta({ id: "SandboxFile" });
export type SandboxFile = z.infer<typeof SandboxFile>;

export const SandboxFileChange = z
  .object({
    changes: z.array(
      z.object({
        type: z.enum(["created", "modified", "deleted", "attributes"]),
        path: z.string(),
        pathBase64: z.string().nullable(),
        folder: z.boolean(),
      }),
    ),
    overflow: z.boolean().describe("more has changed than is told: look again"),
  })
  .meta({ id: "SandboxFileChange" });
export type SandboxFileChange = z.infer<typeof SandboxFileChange>;

export const ContextLanguage = z.enum(["python", "javascript"]);
export type ContextLanguage = z.infer<typeof ContextLanguage>;
export const SandboxContext = z
  .object({ id: z.string(), language: ContextLanguage, pid: z.int(), createdAt: z.iso.datetime() })
  .meta({ id: "SandboxContext" });
export type SandboxContext = z.infer<typeof SandboxContext>;
export const SandboxContextInput = z
  .strictObject({ language: ContextLanguage.optional(), cwd, env: Environment })
  .meta({ id: "SandboxContextInput" });

/** What a piece of code tells; `done` is the last. */
export const SandboxContextEvent = z
  .discriminatedUnion("type", [
    z.object({ type: z.literal("output"), stream: z.enum(["stdout", "stderr"]), text: z.string() }),
    z.object({
      type: z.enum(["display", "result"]),
      data: z.record(z.string(), z.unknown()).describe("every form by MIME type: text, base64 for images, documents for JSON"),
      omitted: z.array(z.string()).describe("forms that were too large"),
    }),
    z.object({ type: z.literal("error"), name: z.string(), value: z.string(), traceback: z.string() }),
    z.object({ type: z.literal("done"), status: z.enum(["ok", "error", "interrupted", "lost"]) }),
  ])
  .meta({ id: "SandboxContextEvent" });
export type SandboxContextEvent = z.infer<typeof SandboxContextEvent>;

export const SandboxStats = z
  .object({ processes: z.int(), memoryBytes: z.number(), cpuMs: z.number(), diskBytes: z.number(), diskLimitBytes: z.number() })
  .meta({ id: "SandboxStats" });
export type SandboxStats = z.infer<typeof SandboxStats>;
export const SandboxPort = z
  .object({ port: z.int(), address: z.enum(["any", "loopback"]), pid: z.int().nullable() })
  .meta({ id: "SandboxPort" });
export type SandboxPort = z.infer<typeof SandboxPort>;

/** What a caller says on a connection to a port, beside its bytes. */
export const PortMessage = z.union([
  z.strictObject({ end: z.literal(true) }),
  z.strictObject({
    took: z
      .int()
      .min(1)
      .max(16 * 1024 * 1024),
  }),
]);
export type PortMessage = z.infer<typeof PortMessage>;

/** The address under which a browser can open a port for a while. Whoever knows it can. */
export const SandboxPreview = z.object({ port: z.int(), url: z.url(), expiresAt: z.iso.datetime() }).meta({ id: "SandboxPreview" });
export type SandboxPreview = z.infer<typeof SandboxPreview>;

const SandboxFilter = z.object({
  ...pageQuery,
  live: z.stringbool().optional().describe("only those that have not ended, or only those that have"),
  owner: z
    .enum(["me", "shared", "visible", "all"])
    .default("me")
    .describe("yours; what others have shared with you; both and what is public; everybody's, for administrators"),
});
export type SandboxFilter = z.output<typeof SandboxFilter>;

const params = z.object({ id: z.string().max(64) });
const processParams = z.object({ id: z.string().max(64), pid: z.coerce.number().int().min(2) });
const portParams = z.object({ id: z.string().max(64), port: z.coerce.number().int().min(1).max(65_535) });
const contextParams = z.object({ id: z.string().max(64), contextId: z.string().max(64) });
const liveErrors = ["not_found", "sandbox_ended", "sandbox_paused", "sandbox_elsewhere"] as const;
const fileErrors = [...liveErrors, "path_not_found", "path_exists", "path_refused"] as const;
const base = "/api/v1/sandboxes";
const common = { tag: "sandboxes", auth: "user" } as const;

export const sandboxRoutes = {
  createSandbox: route({
    ...common,
    audit: "sandbox.create",
    method: "POST",
    path: base,
    summary: "Create a long-lived sandbox",
    body: SandboxInput,
    responses: { 201: Sandbox },
    errors: [
      "unknown_language",
      "runtime_unavailable",
      "tier_unavailable",
      "invalid_path",
      "blob_unknown",
      "sandbox_limit",
      "sandbox_unavailable",
      "network_unavailable",
      "forbidden",
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
    errors: ["not_found", "sandbox_ended", "sandbox_elsewhere"],
  }),
  resumeSandbox: route({
    ...common,
    audit: "sandbox.resume",
    method: "POST",
    path: `${base}/:id/resume`,
    summary: "Let the processes go on",
    params,
    responses: { 200: Sandbox },
    errors: ["not_found", "sandbox_ended", "sandbox_elsewhere"],
  }),
  execInSandbox: route({
    ...common,
    audit: "sandbox.exec",
    method: "POST",
    path: `${base}/:id/exec`,
    summary: "Run a command and answer when it has ended",
    params,
    body: SandboxExecInput,
    responses: { 200: SandboxExecResult },
    errors: [...fileErrors],
  }),
  streamExec: route({
    ...common,
    audit: "sandbox.exec",
    method: "POST",
    path: `${base}/:id/exec/stream`,
    summary: "Run a command and follow it (server-sent events); it ends with the connection",
    params,
    body: SandboxExecInput,
    responses: { 200: "event-stream" },
    errors: [...fileErrors],
  }),
  startProcess: route({
    ...common,
    audit: "sandbox.process_start",
    method: "POST",
    path: `${base}/:id/processes`,
    summary: "Start a process that goes on by itself",
    params,
    body: SandboxProcessInput,
    responses: { 201: z.object({ pid: z.int(), terminal: z.boolean() }) },
    errors: [...fileErrors],
  }),
  listProcesses: route({
    ...common,
    method: "GET",
    path: `${base}/:id/processes`,
    summary: "List the processes of a sandbox",
    params,
    responses: { 200: z.object({ items: z.array(SandboxProcess) }) },
    errors: [...liveErrors],
  }),
  streamProcess: route({
    ...common,
    method: "GET",
    path: `${base}/:id/processes/:pid/output`,
    summary: "Follow the output of a process, its recent output first (server-sent events)",
    params: processParams,
    responses: { 200: "event-stream" },
    errors: [...liveErrors],
  }),
  writeProcess: route({
    ...common,
    audit: "sandbox.process_input",
    method: "POST",
    path: `${base}/:id/processes/:pid/input`,
    summary: "Write to the standard input of a process",
    params: processParams,
    query: z.object({ end: z.stringbool().default(false).describe("close it afterwards") }),
    body: "bytes",
    responses: { 204: "none" },
    errors: [...liveErrors],
  }),
  signalProcess: route({
    ...common,
    audit: "sandbox.process_signal",
    method: "POST",
    path: `${base}/:id/processes/:pid/signal`,
    summary: "Send a signal: to a process that was started here with its whole session, or to any other alone",
    params: processParams,
    body: z.strictObject({ signal: z.enum(signalNames).default("SIGTERM") }),
    responses: { 204: "none" },
    errors: [...liveErrors],
  }),
  openTerminal: route({
    ...common,
    method: "GET",
    path: `${base}/:id/processes/:pid/terminal`,
    summary: "The terminal of a process: binary messages are its bytes, text messages are JSON",
    params: processParams,
    responses: { 200: "websocket" },
    errors: [...liveErrors, "cross_origin"],
  }),
  listSandboxFiles: route({
    ...common,
    method: "GET",
    path: `${base}/:id/files`,
    summary: "List a folder",
    params,
    query: pathQuery.extend({
      depth: z.coerce.number().int().min(1).max(32).default(1),
      limit: z.coerce.number().int().min(1).max(10_000).default(1000),
    }),
    responses: { 200: z.object({ items: z.array(SandboxFile), truncated: z.boolean() }) },
    errors: [...fileErrors],
  }),
  watchSandboxFiles: route({
    ...common,
    method: "GET",
    path: `${base}/:id/files/watch`,
    summary: "Follow what changes in a folder (server-sent events)",
    params,
    query: pathQuery.extend({ recursive: z.stringbool().default(true) }),
    responses: { 200: "event-stream" },
    errors: [...fileErrors],
  }),
  statSandboxFile: route({
    ...common,
    method: "GET",
    path: `${base}/:id/file`,
    summary: "Look at a file or folder",
    params,
    query: pathQuery,
    responses: { 200: SandboxFile },
    errors: [...fileErrors],
  }),
  readSandboxFile: route({
    ...common,
    method: "GET",
    path: `${base}/:id/file/content`,
    summary: "Read a file, or the range of bytes that `Range` asks for",
    params,
    query: pathQuery,
    headers: z.object({
      range: z
        .string()
        .regex(/^bytes=(\d{1,15}-\d{0,15}|-\d{1,15})$/)
        .optional(),
    }),
    responses: { 200: "bytes", 206: "bytes" },
    errors: [...fileErrors],
  }),
  writeSandboxFile: route({
    ...common,
    audit: "sandbox.file_write",
    method: "POST",
    path: `${base}/:id/file/content`,
    summary: "Write a file: all of it or nothing",
    params,
    query: pathQuery.extend({
      mode: z
        .string()
        .regex(/^[0-7]{3,4}$/)
        .optional()
        .describe("octal"),
      parents: z.stringbool().default(true).describe("make the folders above it"),
    }),
    body: "bytes",
    responses: { 200: SandboxFile },
    errors: [...fileErrors],
  }),
  updateSandboxFile: route({
    ...common,
    audit: "sandbox.file_update",
    method: "PATCH",
    path: `${base}/:id/file`,
    summary: "Change the mode of a file or folder",
    params,
    query: pathQuery,
    body: z.strictObject({ mode: z.int().min(0).max(0o777) }),
    responses: { 200: SandboxFile },
    errors: [...fileErrors],
  }),
  moveSandboxFile: route({
    ...common,
    audit: "sandbox.file_move",
    method: "POST",
    path: `${base}/:id/file/move`,
    summary: "Move or rename a file or folder",
    params,
    query: pathQuery,
    body: PathBody.extend({ overwrite: z.boolean().default(false) }),
    responses: { 200: SandboxFile },
    errors: [...fileErrors],
  }),
  deleteSandboxFile: route({
    ...common,
    audit: "sandbox.file_delete",
    method: "DELETE",
    path: `${base}/:id/file`,
    summary: "Remove a file or folder",
    params,
    query: pathQuery.extend({ recursive: z.stringbool().default(false) }),
    responses: { 204: "none" },
    errors: [...fileErrors],
  }),
  createSandboxFolder: route({
    ...common,
    audit: "sandbox.folder_create",
    method: "POST",
    path: `${base}/:id/folders`,
    summary: "Make a folder",
    params,
    body: PathBody.extend({ parents: z.boolean().default(true) }),
    responses: { 201: SandboxFile },
    errors: [...fileErrors],
  }),
  createContext: route({
    ...common,
    audit: "sandbox.context_create",
    method: "POST",
    path: `${base}/:id/contexts`,
    summary: "Start an interpreter that keeps its variables",
    params,
    body: SandboxContextInput,
    responses: { 201: SandboxContext },
    errors: [...fileErrors, "runtime_unavailable"],
  }),
  listContexts: route({
    ...common,
    method: "GET",
    path: `${base}/:id/contexts`,
    summary: "List the interpreters of a sandbox",
    params,
    responses: { 200: z.object({ items: z.array(SandboxContext) }) },
    errors: [...liveErrors],
  }),
  runInContext: route({
    ...common,
    audit: "sandbox.context_run",
    method: "POST",
    path: `${base}/:id/contexts/:contextId/run`,
    summary: "Run code after what was asked before, and follow it (server-sent events)",
    params: contextParams,
    body: z.strictObject({ code: z.string().max(4 * 1024 * 1024) }),
    responses: { 200: "event-stream" },
    errors: [...liveErrors],
  }),
  interruptContext: route({
    ...common,
    audit: "sandbox.context_interrupt",
    method: "POST",
    path: `${base}/:id/contexts/:contextId/interrupt`,
    summary: "End what runs and what waits; the variables stay",
    params: contextParams,
    responses: { 204: "none" },
    errors: [...liveErrors],
  }),
  restartContext: route({
    ...common,
    audit: "sandbox.context_restart",
    method: "POST",
    path: `${base}/:id/contexts/:contextId/restart`,
    summary: "Begin again without variables, under the same id",
    params: contextParams,
    responses: { 200: SandboxContext },
    errors: [...liveErrors],
  }),
  deleteContext: route({
    ...common,
    audit: "sandbox.context_delete",
    method: "DELETE",
    path: `${base}/:id/contexts/:contextId`,
    summary: "End an interpreter",
    params: contextParams,
    responses: { 204: "none" },
    errors: [...liveErrors],
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
  listSandboxPorts: route({
    ...common,
    method: "GET",
    path: `${base}/:id/ports`,
    summary: "List the ports that programs in it listen on",
    params,
    responses: { 200: z.object({ items: z.array(SandboxPort) }) },
    errors: [...liveErrors],
  }),
  openPort: route({
    ...common,
    method: "GET",
    path: `${base}/:id/ports/:port/connection`,
    summary: 'A connection to a port: binary messages are its bytes, the text message {"end":true} says that no more come that way',
    params: portParams,
    query: z.object({
      window: z.coerce
        .number()
        .int()
        .min(65_536)
        .max(16 * 1024 * 1024)
        .optional()
        .describe('no more bytes are sent than this beyond those that text messages {"took":BYTES} say were taken'),
    }),
    responses: { 200: "websocket" },
    errors: [...liveErrors, "port_unreachable", "cross_origin"],
  }),
  openPreview: route({
    ...common,
    audit: "sandbox.preview_open",
    method: "POST",
    path: `${base}/:id/ports/:port/preview`,
    summary: "Make the address under which a browser can open a port, or prolong it",
    params: portParams,
    body: z.strictObject({
      lastsMs: z
        .int()
        .min(1000)
        .max(24 * hourMs)
        .default(hourMs)
        .describe("for so long from now; it ends with the sandbox in any case"),
    }),
    responses: { 201: SandboxPreview },
    errors: [...liveErrors],
  }),
  revokePreview: route({
    ...common,
    audit: "sandbox.preview_revoke",
    method: "DELETE",
    path: `${base}/:id/ports/:port/preview`,
    summary: "End every address of a port, and cut who uses one",
    params: portParams,
    responses: { 204: "none" },
    errors: ["not_found"],
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
