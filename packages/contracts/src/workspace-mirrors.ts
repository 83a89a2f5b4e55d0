import { z } from "zod";
import { outsideSources } from "./imports.ts";
import { route } from "./route.ts";

const [, gitSource] = outsideSources;
const { url, ref, path, credentialId } = gitSource.shape;

/** Which repository a workspace follows, and how often that is looked at. */
export const WorkspaceMirrorInput = z
  .strictObject({
    url,
    ref,
    path,
    credentialId: credentialId.describe("a credential of the kind `git` for its host; none when left out"),
    everyMinutes: z.int().min(5).max(10_080).default(60),
  })
  .meta({ id: "WorkspaceMirrorInput" });
export type WorkspaceMirrorInput = z.output<typeof WorkspaceMirrorInput>;

/** How a mirror stands. */
export const WorkspaceMirrorState = z
  .enum(["following", "diverged", "failing", "stopped"])
  .describe(
    "`diverged`: the repository and the workspace have changed the same, and nothing was changed; `failing`: it could not be read, and is tried again; " +
      "`stopped`: whoever set it may not do so any more, and it is tried again when somebody asks for that",
  )
  .meta({ id: "WorkspaceMirrorState" });
export type WorkspaceMirrorState = z.infer<typeof WorkspaceMirrorState>;

/** A repository that a workspace follows: what changes there comes in here. */
export const WorkspaceMirror = z
  .object({
    url: z.string(),
    ref: z.string().nullable().describe("a branch, a tag or a commit; null: what its server names as the default"),
    path: z.string().nullable().describe("the folder in it that is taken alone"),
    credentialId: z.string().nullable(),
    everyMinutes: z.int(),
    createdBy: z
      .object({ id: z.string(), name: z.string() })
      .nullable()
      .describe("with whose rights it is fetched; null: they have no account any more"),
    state: WorkspaceMirrorState,
    commit: z.string().nullable().describe("the commit whose files came in last"),
    changedAt: z.iso.datetime().nullable().describe("when that was"),
    checkedAt: z.iso.datetime().nullable().describe("when it was looked at last"),
    nextAt: z.iso.datetime().nullable().describe("when it is looked at next; null: when somebody asks for it"),
    problem: z
      .object({
        code: z.string(),
        message: z.string(),
        paths: z.array(z.string()).describe("files that were changed there and here, the first hundred; empty for other problems"),
      })
      .nullable()
      .describe("why nothing came in the last time; the workspace is as it was"),
  })
  .meta({ id: "WorkspaceMirror" });
export type WorkspaceMirror = z.infer<typeof WorkspaceMirror>;

const common = { tag: "workspaces", auth: "user" } as const;
const base = "/api/v1/workspaces/:id/mirror";
const params = z.object({ id: z.string().max(64) });

/** How a workspace follows a repository of elsewhere. */
export const workspaceMirrorRoutes = {
  getWorkspaceMirror: route({
    ...common,
    method: "GET",
    path: base,
    summary: "The repository that a workspace follows",
    params,
    responses: {
      200: z.object({ mirror: WorkspaceMirror.nullable().describe("null: it follows none") }).meta({ id: "WorkspaceMirrorOrNone" }),
    },
    errors: ["not_found"],
  }),
  mirrorIntoWorkspace: route({
    ...common,
    audit: "workspace.mirror",
    method: "POST",
    path: base,
    summary: "Let a workspace follow a repository: it is fetched at once, and again and again, with your rights",
    params,
    body: WorkspaceMirrorInput,
    responses: { 200: WorkspaceMirror },
    errors: ["not_found", "forbidden", "workspace_deleted", "workspace_archived", "git_url_invalid", "credential_unusable"],
  }),
  fetchWorkspaceMirror: route({
    ...common,
    audit: "workspace.mirror_fetch",
    method: "POST",
    path: `${base}/fetch`,
    summary: "Fetch the repository now; the answer says how it went",
    params,
    body: z.strictObject({
      onConflict: z
        .enum(["refuse", "mine", "theirs"])
        .default("refuse")
        .describe("of what was changed there and here: nothing is changed, this workspace's stays, or the repository's takes its place"),
    }),
    responses: { 200: WorkspaceMirror },
    errors: ["not_found", "forbidden", "workspace_deleted", "workspace_archived", "conflict", "too_many_imports", "sandbox_unavailable"],
  }),
  deleteWorkspaceMirror: route({
    ...common,
    audit: "workspace.mirror_end",
    method: "DELETE",
    path: base,
    summary: "Let a workspace follow nothing any more; its files stay",
    params,
    responses: { 204: "none" },
    errors: ["not_found", "forbidden", "conflict"],
  }),
};
