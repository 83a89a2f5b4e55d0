import { z } from "zod";
import { TreeAnalysis } from "./program-analysis.ts";
import { route } from "./route.ts";

/** What the files of a workspace are, as they are now, told without running any of them. */
export const WorkspaceAnalysis = z
  .object({ workspaceId: z.string(), revision: z.int(), ...TreeAnalysis.shape })
  .meta({ id: "WorkspaceAnalysis" });
export type WorkspaceAnalysis = z.infer<typeof WorkspaceAnalysis>;

const common = {
  tag: "workspaces",
  auth: "user",
  path: "/api/v1/workspaces/:id/analysis",
  params: z.object({ id: z.string().max(64) }),
} as const;

export const workspaceAnalysisRoutes = {
  getWorkspaceAnalysis: route({
    ...common,
    method: "GET",
    summary: "Read what the files of a workspace are: problems, slots, calls, dependencies",
    responses: { 200: WorkspaceAnalysis },
    errors: ["not_found"],
  }),
  analyseWorkspace: route({
    ...common,
    audit: "workspace.analyse",
    method: "POST",
    summary: "Analyse the files of a workspace unless that has been done; answers at once",
    responses: { 202: WorkspaceAnalysis },
    errors: ["not_found", "quota_exceeded"],
  }),
};
