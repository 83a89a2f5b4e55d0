import { z } from "zod";
import { AccessLevel } from "./access.ts";
import { ifMatch, version as programVersion } from "./asset-fields.ts";
import { AssetOwner, BulkResult, FileDiff, TransferInput, TreeFileInput, TreeRef } from "./assets.ts";
import { description, name } from "./fields.ts";
import { FileSearch, FoundFiles } from "./file-search.ts";
import { NetworkPolicy } from "./network.ts";
import { outsideSources } from "./imports.ts";
import { pageOf, pageQuery } from "./page.ts";
import { TreeChange, TreeFile } from "./programs.ts";
import { route } from "./route.ts";

/** What a workspace is for: how long it lives, what it keeps, and what runs in it get. */
export const workspaceKinds = ["ephemeral", "session", "persistent", "collaborative"] as const;
export const WorkspaceKind = z.enum(workspaceKinds).meta({ id: "WorkspaceKind" });
export type WorkspaceKind = z.infer<typeof WorkspaceKind>;

export const workspaceStates = ["active", "suspended", "archived", "deleted"] as const;
export const WorkspaceState = z.enum(workspaceStates).meta({ id: "WorkspaceState" });
export type WorkspaceState = z.infer<typeof WorkspaceState>;

const person = z.object({ id: z.string(), name: z.string() }).nullable();

/** A tree of files with a life of its own, in which runs may happen. Its `ETag` is its revision. */
export const Workspace = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    kind: WorkspaceKind,
    state: WorkspaceState,
    owner: AssetOwner,
    isShared: z.boolean().describe("whether grants on it give somebody access"),
    isOwner: z.boolean().describe("whether you may give it to somebody else"),
    yourLevel: AccessLevel.describe("the highest that you have"),
    revision: z.int(),
    tree: TreeRef.describe("its files as they are now"),
    version: z.int().nullable().describe("the newest of its versions"),
    profile: z
      .object({ cpus: z.number(), memoryBytes: z.int(), diskBytes: z.int() })
      .describe("what a run in it gets, and the most that one may ask for"),
    network: NetworkPolicy.describe("of runs in it that ask for none; none may ask for more"),
    keepOnExit: z.boolean().describe("of a session: when its time is over it is archived, not deleted"),
    ttlMs: z.int().nullable().describe("so long after its last use its time is over; null: never"),
    expiresAt: z.iso.datetime().nullable().describe("when that is, while nothing runs in it"),
    lastUsedAt: z.iso.datetime(),
    runningCount: z.int().describe("runs in it that have not ended"),
    clonedFrom: z.object({ id: z.string(), version: z.string().nullable() }).nullable(),
    archivedAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
    createdBy: person,
    updatedAt: z.iso.datetime(),
    updatedBy: person,
    deletedAt: z.iso.datetime().nullable(),
    purgeAt: z.iso.datetime().nullable().describe("when what was deleted is gone for good"),
  })
  .meta({ id: "Workspace" });
export type Workspace = z.infer<typeof Workspace>;

/** Why a version was made. `manual`: somebody wanted it; `before_…`: what was there before something took its place; `run`, `sandbox`: what one of these left that could not be put in; `push`: a commit that git has sent. */
export const WorkspaceVersionCause = z.enum([
  "manual",
  "before_restore",
  "before_delete",
  "before_import",
  "before_run",
  "run",
  "before_sandbox",
  "sandbox",
  "clone",
  "push",
]);
export type WorkspaceVersionCause = z.infer<typeof WorkspaceVersionCause>;

/** The files of a workspace as they were at some time; it never changes. */
export const WorkspaceVersion = z
  .object({
    number: z.int(),
    message: z.string(),
    cause: WorkspaceVersionCause,
    runId: z.string().nullable().describe("the run that it is of"),
    tree: TreeRef,
    createdAt: z.iso.datetime(),
    createdBy: person,
    commit: z.string().nullable().describe("the commit that it is, once git has asked for it or sent it"),
    author: z.string().nullable().describe("who wrote the commit that was pushed, as it names them"),
    authors: z.array(z.object({ id: z.string(), name: z.string() })).describe("who wrote what the version before it does not hold"),
  })
  .meta({ id: "WorkspaceVersion" });
export type WorkspaceVersion = z.infer<typeof WorkspaceVersion>;

/** What differs between two versions. */
export const WorkspaceDiff = z
  .object({ from: z.string(), to: z.string(), files: z.array(FileDiff), omitted: z.int().describe("how many more files differ") })
  .meta({ id: "WorkspaceDiff" });
export type WorkspaceDiff = z.infer<typeof WorkspaceDiff>;

const id = z.string().min(1).max(64);
const versionNumber = z.coerce.number().int().min(1).max(1_000_000_000);

/** Where files come from. */
export const WorkspaceSource = z
  .discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("program"),
      programId: id,
      version: programVersion.optional().describe("what is there now when left out"),
    }),
    z.strictObject({
      kind: z.literal("workspace"),
      workspaceId: id,
      version: versionNumber.optional().describe("what is there now when left out"),
    }),
    ...outsideSources,
  ])
  .meta({ id: "WorkspaceSource" });
export type WorkspaceSource = z.output<typeof WorkspaceSource>;

const ownerId = z.string().min(1).max(64).describe("you, or one of your teams");

export const WorkspaceInput = z
  .strictObject({
    name,
    description: description.default(""),
    kind: WorkspaceKind.default("persistent"),
    ownerId: ownerId.optional().describe("you when left out"),
    files: z.array(TreeFileInput).max(10_000).optional(),
    source: WorkspaceSource.optional().describe("in place of `files`; empty when both are left out"),
    network: NetworkPolicy.default("none"),
    keepOnExit: z.boolean().default(false),
  })
  .meta({ id: "WorkspaceInput" });
export type WorkspaceInput = z.output<typeof WorkspaceInput>;

export const WorkspaceChange = z
  .strictObject({ name, description, network: NetworkPolicy, keepOnExit: z.boolean() })
  .partial()
  .meta({ id: "WorkspaceChange" });
export type WorkspaceChange = z.output<typeof WorkspaceChange>;

/** Which workspaces. */
export const WorkspaceFilter = z.object({
  ...pageQuery,
  view: z
    .enum(["mine", "team", "shared", "all", "deleted"])
    .default("all")
    .describe("yours; your teams'; what others share with you; whatever you may see; what you may restore"),
  kind: WorkspaceKind.optional(),
  state: z.enum(["active", "suspended", "archived"]).optional(),
  q: z.string().max(100).optional().describe("a part of the name"),
});
export type WorkspaceFilter = z.output<typeof WorkspaceFilter>;

export const WorkspaceCloneInput = z
  .strictObject({
    name: name.optional().describe("a free one like the original's when left out"),
    kind: WorkspaceKind.optional().describe("the same when left out"),
    ownerId: ownerId.optional(),
    version: versionNumber.optional().describe("what is there now when left out"),
  })
  .meta({ id: "WorkspaceCloneInput" });
export type WorkspaceCloneInput = z.output<typeof WorkspaceCloneInput>;

const text = z
  .string()
  .trim()
  .max(2000)
  .refine((value) => !value.includes("\0") && value.isWellFormed(), "no NUL, valid Unicode");

/** Changes of files. What others have changed since `If-Match` stays: where both changed a file, their changes are put together if they can be. */
export const WorkspaceFileChanges = z
  .strictObject({
    changes: z.array(TreeChange).min(1).max(10_000),
    onConflict: z
      .enum(["refuse", "mine", "theirs"])
      .default("refuse")
      .describe("of what cannot be put together: nothing is changed, or this side's stays"),
    keepBefore: z.boolean().default(false).describe("what was there before becomes a version, as before an import"),
  })
  .meta({ id: "WorkspaceFileChanges" });
export type WorkspaceFileChanges = z.output<typeof WorkspaceFileChanges>;

const ids = z.array(z.string().min(1).max(64)).min(1).max(200);

export const WorkspaceBulkInput = z
  .strictObject({ action: z.enum(["delete", "restore", "suspend", "resume", "archive"]), ids })
  .meta({ id: "WorkspaceBulkInput" });
export type WorkspaceBulkInput = z.output<typeof WorkspaceBulkInput>;

const common = { tag: "workspaces", auth: "user" } as const;
const base = "/api/v1/workspaces";
const byId = z.object({ id: z.string().max(64) });
const byNumber = z.object({ id: z.string().max(64), number: versionNumber });
const atVersion = { version: versionNumber.optional().describe("what is there now when left out") };
const path = z.string().min(1).max(4096);
const side = z.string().regex(/^(head|[1-9]\d{0,8})$/, "must be a version's number, or head");
const fileErrors = [
  "file_not_found",
  "path_exists",
  "invalid_path",
  "blob_unknown",
  "payload_too_large",
  "quota_exceeded",
  "workspace_conflict",
  "workspace_base_gone",
] as const;
const changeErrors = ["not_found", "forbidden", "workspace_deleted", "workspace_archived"] as const;
const sourceErrors = [
  "template_unknown",
  "archive_unknown",
  "archive_damaged",
  "import_too_large",
  "too_many_imports",
  "git_url_invalid",
  "asset_deleted",
] as const;

/** How to create, find, fill and end workspaces. */
export const workspaceRoutes = {
  listWorkspaces: route({
    ...common,
    method: "GET",
    path: base,
    summary: "List workspaces, those used last first",
    query: WorkspaceFilter,
    responses: { 200: pageOf(Workspace) },
    errors: ["invalid_cursor"],
  }),
  createWorkspace: route({
    ...common,
    audit: "workspace.create",
    method: "POST",
    path: base,
    once: "answer",
    summary: "Create a workspace: empty, of files, or of what is elsewhere",
    body: WorkspaceInput,
    responses: { 201: Workspace },
    errors: [
      "forbidden",
      "not_found",
      "name_taken",
      "invalid_path",
      "blob_unknown",
      "payload_too_large",
      "quota_exceeded",
      ...sourceErrors,
    ],
  }),
  getWorkspace: route({
    ...common,
    method: "GET",
    path: `${base}/:id`,
    summary: "Get a workspace",
    params: byId,
    responses: { 200: Workspace },
    errors: ["not_found"],
  }),
  updateWorkspace: route({
    ...common,
    audit: "workspace.update",
    method: "PATCH",
    path: `${base}/:id`,
    summary: "Change what a workspace is called and what runs in it may reach",
    params: byId,
    headers: ifMatch,
    body: WorkspaceChange,
    responses: { 200: Workspace },
    errors: [...changeErrors, "name_taken", "revision_conflict", "revision_required"],
  }),
  deleteWorkspace: route({
    ...common,
    audit: "workspace.delete",
    method: "DELETE",
    path: `${base}/:id`,
    summary: "Delete a workspace; it can be restored for 30 days unless it is removed for good",
    params: byId,
    query: z.object({ forGood: z.stringbool().default(false).describe("it cannot be restored") }),
    responses: { 204: "none" },
    errors: ["not_found", "forbidden", "workspace_in_use"],
  }),
  restoreWorkspace: route({
    ...common,
    audit: "workspace.restore",
    method: "POST",
    path: `${base}/:id/restore`,
    summary: "Restore a workspace that was deleted",
    params: byId,
    responses: { 200: Workspace },
    errors: ["not_found", "forbidden", "name_taken"],
  }),
  cloneWorkspace: route({
    ...common,
    audit: "workspace.clone",
    method: "POST",
    path: `${base}/:id/clone`,
    once: "answer",
    summary: "Make a copy, with its files, that belongs to you or a team of yours",
    params: byId,
    body: WorkspaceCloneInput,
    responses: { 201: Workspace },
    errors: ["not_found", "forbidden", "name_taken"],
  }),
  transferWorkspace: route({
    ...common,
    audit: "workspace.transfer",
    method: "POST",
    path: `${base}/:id/transfer`,
    summary: "Give a workspace to somebody else, or to a team",
    params: byId,
    body: TransferInput,
    responses: { 200: z.object({ id: z.string(), owner: AssetOwner }) },
    errors: ["not_found", "forbidden", "name_taken", "workspace_deleted"],
  }),
  suspendWorkspace: route({
    ...common,
    audit: "workspace.suspend",
    method: "POST",
    path: `${base}/:id/suspend`,
    summary: "Lay a workspace aside until it is used again",
    params: byId,
    responses: { 200: Workspace },
    errors: [...changeErrors, "workspace_in_use"],
  }),
  archiveWorkspace: route({
    ...common,
    audit: "workspace.archive",
    method: "POST",
    path: `${base}/:id/archive`,
    summary: "Archive a workspace that is not ephemeral: it is kept, and can be changed again once it is resumed",
    params: byId,
    responses: { 200: Workspace },
    errors: ["not_found", "forbidden", "workspace_deleted", "workspace_in_use", "conflict"],
  }),
  resumeWorkspace: route({
    ...common,
    audit: "workspace.resume",
    method: "POST",
    path: `${base}/:id/resume`,
    summary: "Take up a workspace that was suspended or archived",
    params: byId,
    responses: { 200: Workspace },
    errors: ["not_found", "forbidden", "workspace_deleted"],
  }),
  listWorkspaceFiles: route({
    ...common,
    method: "GET",
    path: `${base}/:id/files`,
    summary: "List the files of a workspace",
    params: byId,
    query: z.object(atVersion),
    responses: { 200: z.object({ tree: TreeRef, revision: z.int(), items: z.array(TreeFile) }) },
    errors: ["not_found"],
  }),
  readWorkspaceFile: route({
    ...common,
    method: "GET",
    path: `${base}/:id/file`,
    summary: "Read a file of a workspace, or a part of it with `Range`",
    params: byId,
    query: z.object({ ...atVersion, path }),
    headers: z.object({ range: z.string().max(100).optional() }),
    responses: { 200: "bytes", 206: "bytes" },
    errors: ["not_found", "file_not_found"],
  }),
  searchWorkspaceFiles: route({
    ...common,
    method: "GET",
    path: `${base}/:id/search`,
    summary: "Find text in the files of a workspace",
    params: byId,
    query: FileSearch.extend(atVersion),
    responses: { 200: FoundFiles },
    errors: ["not_found", "invalid_pattern"],
  }),
  changeWorkspaceFiles: route({
    ...common,
    audit: "workspace.change_files",
    method: "POST",
    path: `${base}/:id/files`,
    summary: "Change files of a workspace, all at once or not at all, together with what others have changed since",
    params: byId,
    headers: ifMatch,
    body: WorkspaceFileChanges,
    responses: { 200: Workspace },
    errors: [...changeErrors, ...fileErrors, "revision_required"],
  }),
  listWorkspaceVersions: route({
    ...common,
    method: "GET",
    path: `${base}/:id/versions`,
    summary: "List the versions of a workspace, newest first",
    params: byId,
    query: z.object(pageQuery),
    responses: { 200: pageOf(WorkspaceVersion) },
    errors: ["not_found", "invalid_cursor"],
  }),
  snapshotWorkspace: route({
    ...common,
    audit: "workspace.snapshot",
    method: "POST",
    path: `${base}/:id/versions`,
    once: "answer",
    summary: "Keep the files of a workspace, as they are now, as a version",
    params: byId,
    body: z.strictObject({ message: text.default("") }),
    responses: { 201: WorkspaceVersion },
    errors: [...changeErrors],
  }),
  restoreWorkspaceVersion: route({
    ...common,
    audit: "workspace.restore_version",
    method: "POST",
    path: `${base}/:id/versions/:number/restore`,
    summary: "Put the files of a version in the place of those that are there now, which become a version themselves",
    params: byNumber,
    headers: ifMatch,
    responses: { 200: Workspace },
    errors: [...changeErrors, "revision_conflict", "revision_required"],
  }),
  diffWorkspace: route({
    ...common,
    method: "GET",
    path: `${base}/:id/diff`,
    summary: "What differs between two versions of a workspace, or of another one",
    params: byId,
    query: z.object({
      from: side.optional().describe("a version's number or `head`; the newest version when left out"),
      to: side.optional().describe("a version's number or `head`; `head` when left out"),
      other: id.optional().describe("another workspace that `to` is of"),
    }),
    responses: { 200: WorkspaceDiff },
    errors: ["not_found"],
  }),
  exportWorkspace: route({
    ...common,
    method: "GET",
    path: `${base}/:id/export`,
    summary: "Download the files of a workspace as an archive",
    params: byId,
    query: z.object({ ...atVersion, format: z.enum(["zip", "tar"]).default("zip") }),
    responses: { 200: "bytes" },
    errors: ["not_found"],
  }),
  exportWorkspaces: route({
    ...common,
    method: "GET",
    path: `${base}/export`,
    summary: "Download workspaces as one zip archive, a folder each, with a `results.json` that says how it went with each",
    query: z.object({
      ids: z
        .string()
        .max(10_000)
        .regex(/^[a-z0-9_]{1,64}(,[a-z0-9_]{1,64}){0,199}$/, "ids, separated by commas"),
    }),
    responses: { 200: "bytes" },
    errors: ["payload_too_large"],
  }),
  importIntoWorkspace: route({
    ...common,
    audit: "workspace.import",
    method: "POST",
    path: `${base}/:id/import`,
    summary: "Bring files of elsewhere into a workspace; what was there before becomes a version",
    params: byId,
    body: z.strictObject({
      source: WorkspaceSource,
      replace: z.boolean().default(false).describe("what is there now goes; when left out, files of the same path alone are replaced"),
    }),
    responses: { 200: Workspace },
    errors: [...changeErrors, ...fileErrors, ...sourceErrors],
  }),
  changeWorkspaces: route({
    ...common,
    audit: "workspace.bulk",
    method: "POST",
    path: `${base}/bulk`,
    summary: "Delete, restore, suspend, resume or archive many workspaces; the answer says how it went with each",
    body: WorkspaceBulkInput,
    responses: { 200: z.object({ results: z.array(BulkResult) }) },
    errors: [],
  }),
};
