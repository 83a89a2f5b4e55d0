import { z } from "zod";
import { route } from "../route.ts";
import { base, common, cwd, Environment, fileErrors, liveErrors, maxHardEndMs, params } from "./fields.ts";

/** A command: words, or a line for the shell. */
const Command = z.union([z.string().min(1).max(131_072), z.array(z.string().max(131_072)).min(1).max(1000)]);
const signalNames = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGTERM", "SIGCONT", "SIGSTOP"] as const;
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

const processParams = z.object({ id: z.string().max(64), pid: z.coerce.number().int().min(2) });

/** Processes of a sandbox. */
export const sandboxProcessRoutes = {
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
    audit: "sandbox.open_terminal",
    method: "GET",
    path: `${base}/:id/processes/:pid/terminal`,
    summary: "The terminal of a process: binary messages are its bytes, text messages are JSON",
    params: processParams,
    responses: { 200: "websocket" },
    errors: [...liveErrors, "cross_origin"],
  }),
};
