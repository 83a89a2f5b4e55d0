import { workspaceAnalysisRoutes } from "@syla/contracts/workspace-analysis";
import type { Http } from "../access/http.ts";
import { answer } from "../platform/http-call.ts";
import { requireRate } from "../platform/rate-limit.ts";
import type { KeptAnalyses } from "../programs/analysis/kept/service.ts";
import type { Quotas } from "../quotas/service.ts";
import type { Workspaces } from "./service.ts";

/** Binds what the files of workspaces are. Looking for it counts as an execution, reading it does not. */
export function registerWorkspaceAnalysisRoutes(
  http: Http,
  workspaces: Pick<Workspaces, "get">,
  analyses: Pick<KeptAnalyses, "ofTree" | "beginTree">,
  quotas: Pick<Quotas, "countExecution">,
): void {
  http.bind(workspaceAnalysisRoutes.getWorkspaceAnalysis, async ({ params }, call) => {
    const { id, revision, tree } = await workspaces.get(call.actor, params.id);
    return { workspaceId: id, revision, ...(await analyses.ofTree(tree.sha256)) };
  });
  http.bind(workspaceAnalysisRoutes.analyseWorkspace, async ({ params }, call) => {
    const { id, revision, tree } = await workspaces.get(call.actor, params.id);
    const began = await analyses.beginTree(call.actor, tree.sha256, async () => {
      const counted = await quotas.countExecution(call.actor);
      if (counted !== null) requireRate(counted.state, call.reply, counted.quota);
    });
    if (!began) call.trail.nothingChanged = true;
    return answer(202, { workspaceId: id, revision, ...(await analyses.ofTree(tree.sha256)) });
  });
}
