import { sandboxRoutes } from "@syla/contracts/sandboxes";
import { workspaceSandboxRoutes } from "@syla/contracts/workspace-sandboxes";
import type { Http } from "../access/http.ts";
import { answer } from "../platform/http-call.ts";
import type { LongLivedSandboxes } from "./long-lived.ts";
import type { WorkspaceSandboxes } from "./workspace-sandboxes.ts";

/** Binds sandboxes in workspaces. */
export function registerWorkspaceSandboxRoutes(http: Http, sandboxes: LongLivedSandboxes, inWorkspaces: WorkspaceSandboxes): void {
  http.bind(workspaceSandboxRoutes.getWorkspaceSandbox, async ({ params }, call) => await inWorkspaces.get(call.actor, params.id));
  http.bind(workspaceSandboxRoutes.startWorkspaceSandbox, async ({ params, body }, call) => {
    const { isNew, document } = await inWorkspaces.start(call.actor, params.id, body);
    const details = { sandboxId: document.sandbox?.id };
    if (isNew) Object.assign(call.trail, { resourceType: "workspace", resourceId: params.id, details });
    else call.trail.nothingChanged = true;
    return answer(isNew ? 202 : 200, document);
  });
  http.bind(sandboxRoutes.saveSandbox, async ({ params }, call) => await sandboxes.save(call.actor, params.id));
}
