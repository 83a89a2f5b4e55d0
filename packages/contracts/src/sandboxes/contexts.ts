import { z } from "zod";
import { route } from "../route.ts";
import { base, common, cwd, Environment, fileErrors, liveErrors, params } from "./fields.ts";

export const ContextLanguage = z.enum(["python", "javascript"]);
export type ContextLanguage = z.infer<typeof ContextLanguage>;
export const SandboxContext = z
  .object({
    id: z.string(),
    name: z.string().nullable().describe("what it is for, as whoever made it says"),
    language: ContextLanguage,
    pid: z.int(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "SandboxContext" });
export type SandboxContext = z.infer<typeof SandboxContext>;
export const SandboxContextInput = z
  .strictObject({ name: z.string().min(1).max(1000).optional(), language: ContextLanguage.optional(), cwd, env: Environment })
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

const contextParams = z.object({ id: z.string().max(64), contextId: z.string().max(64) });

/** Interpreters that live in a sandbox. */
export const sandboxContextRoutes = {
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
};
