import { z } from "zod";
import { route } from "./route.ts";

const common = { tag: "workspaces", auth: "user", basic: true } as const;
const base = "/git/:id";
const params = z.object({ id: z.string().max(64).describe("a workspace's id, with `.git` or without") });
const protocol = z.string().max(200).optional().describe("the version of the protocol that the client speaks");
const encoding = z.string().max(50).optional();

/** Workspaces as repositories of git: `git clone https://x:KEY@HOST/git/WORKSPACE.git`. The key is the password; the user's name is not looked at. */
export const workspaceGitRoutes = {
  readRepository: route({
    ...common,
    method: "GET",
    path: `${base}/info/refs`,
    summary: "What git is told of a workspace before it fetches or pushes",
    params,
    query: z.object({ service: z.enum(["git-upload-pack", "git-receive-pack"]) }),
    headers: z.object({ "git-protocol": protocol }),
    responses: { 200: "bytes" },
    errors: ["not_found", "forbidden", "workspace_archived", "workspace_deleted", "git_failed"],
  }),
  fetchFromRepository: route({
    ...common,
    audit: "workspace.fetch",
    scope: "workspaces:read",
    method: "POST",
    path: `${base}/git-upload-pack`,
    summary: "Commits for git: its versions, and what has changed since the last one",
    params,
    headers: z.object({ "git-protocol": protocol, "content-encoding": encoding }),
    body: "bytes",
    responses: { 200: "bytes" },
    errors: ["not_found", "git_protocol", "git_failed", "payload_too_large"],
  }),
  pushToRepository: route({
    ...common,
    audit: "workspace.push",
    method: "POST",
    path: `${base}/git-receive-pack`,
    summary: "Commits from git, each of which becomes a version; refused when the files have changed since they were fetched",
    params,
    headers: z.object({ "content-encoding": encoding }),
    body: "bytes",
    responses: { 200: "bytes" },
    errors: ["not_found", "forbidden", "git_protocol", "payload_too_large"],
  }),
};
