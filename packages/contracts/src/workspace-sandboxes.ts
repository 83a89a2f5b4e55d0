import { z } from "zod";
import { route } from "./route.ts";
import { Sandbox } from "./sandboxes.ts";

const params = z.object({ id: z.string().min(1).max(64) });
const path = "/api/v1/workspaces/:id/sandbox";

/** The caller's sandbox in a workspace: its files are in /workspace, what is changed goes back, and interpreters keep their variables. */
export const WorkspaceSandbox = z
  .object({
    workspaceId: z.string(),
    sandbox: Sandbox.nullable().describe("the one that lives, or the last one; null when there was none"),
  })
  .meta({ id: "WorkspaceSandbox" });
export type WorkspaceSandbox = z.infer<typeof WorkspaceSandbox>;

export const workspaceSandboxRoutes = {
  getWorkspaceSandbox: route({
    method: "GET",
    path,
    summary: "Read your sandbox in a workspace",
    tag: "workspaces",
    auth: "user",
    params,
    responses: { 200: WorkspaceSandbox },
    errors: ["not_found", "forbidden"],
  }),
  startWorkspaceSandbox: route({
    method: "POST",
    path,
    summary: "Start your sandbox in a workspace, or get the one that lives; ready when its status is `running`",
    tag: "workspaces",
    auth: "user",
    audit: "workspace.open_sandbox",
    params,
    body: z.strictObject({
      language: z.string().min(1).max(64).default("python").describe("the language that is meant when code does not say"),
    }),
    responses: { 200: WorkspaceSandbox, 202: WorkspaceSandbox },
    errors: [
      "not_found",
      "forbidden",
      "workspace_archived",
      "workspace_deleted",
      "unknown_language",
      "runtime_unavailable",
      "tier_unavailable",
      "tier_too_weak",
      "network_unavailable",
      "sandbox_limit",
    ],
  }),
};
