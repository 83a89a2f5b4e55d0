import { z } from "zod";
import { AnalysisDocument } from "./analysis.ts";
import { sha256, version } from "./asset-fields.ts";
import { Asset, FileDiff, TreeFileInput } from "./assets.ts";
import { ImportProblem } from "./import-problem.ts";
import { pageOf, pageQuery } from "./page.ts";
import { Dependencies } from "./program-config.ts";
import { route } from "./route.ts";
import { description, lastEventId, name } from "./fields.ts";

const line = (most: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    .regex(/^[^\u0000-\u001f\u007f]*$/, "no control characters");

/** Lets a git server in: a stored credential, or a token that is used once and never stored. */
const GitAccess = {
  credentialId: z
    .string()
    .max(64)
    .nullable()
    .optional()
    .describe("a credential of the kind `git` for its host; when left out, that of the program that is to be replaced; null for none"),
  username: line(200).optional().describe("`x-access-token` when left out"),
  token: z
    .string()
    .min(1)
    .max(4096)
    .regex(/^[\u0021-\u007e]+$/, "letters, digits and signs")
    .optional()
    .describe("a password or token of the git server; used for this import alone, and not stored"),
};

const folder = line(1000).describe("a folder in it, which is taken alone");

/** Places outside the catalog from which files come. */
export const outsideSources = [
  z.strictObject({
    kind: z.literal("archive"),
    blob: sha256.describe("of an archive that was uploaded: zip, tar, tar.gz or tar.zst"),
    name: line(255).optional().describe("of its file, for people"),
  }),
  z.strictObject({
    kind: z.literal("git"),
    url: line(2000).describe("of a repository, a folder or a branch in one, a gist; or `owner/name` on GitHub"),
    ref: line(255).optional().describe("a branch, a tag or a commit; what the server names as the default when left out"),
    path: folder.optional(),
    ...GitAccess,
  }),
  z.strictObject({ kind: z.literal("template"), template: line(100) }),
] as const;

/** Where a program comes from. */
export const ImportSourceInput = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("files"), files: z.array(TreeFileInput).min(1).max(20_000) }),
    ...outsideSources,
    z.strictObject({ kind: z.literal("clone"), assetId: z.string().max(64), version: version.optional() }),
  ])
  .meta({ id: "ImportSourceInput" });
export type ImportSourceInput = z.output<typeof ImportSourceInput>;

export const ImportInput = z
  .strictObject({
    source: ImportSourceInput,
    assetId: z.string().max(64).optional().describe("a program whose files are to be replaced, instead of a new one"),
  })
  .meta({ id: "ImportInput" });
export type ImportInput = z.output<typeof ImportInput>;

export const importStates = ["fetching", "analysing", "review", "creating", "created", "failed", "cancelled", "expired"] as const;
export const ImportState = z.enum(importStates).meta({ id: "ImportState" });
export type ImportState = z.infer<typeof ImportState>;

/** The version of the language that the files ask for. */
export const VersionWish = z.object({
  constraint: z.string().describe("as the files write it"),
  file: z.string(),
  line: z.int().nullable(),
  found: z.string().nullable().describe("the installed version that is taken; null when none fits"),
  installed: z.array(z.string()),
  install: z.string().describe("how an administrator gets another one"),
});
export type VersionWish = z.infer<typeof VersionWish>;

/** What an import proposes, to be confirmed as it is or changed. */
export const ImportSuggestion = z
  .object({
    name: z.string(),
    runtime: z.string().nullable(),
    runtimeVersion: z.string().nullable(),
    versionWishes: z.array(VersionWish).default([]).describe("what the files ask for; empty when they ask for none"),
    entrypoint: z.string().nullable(),
    entrypoints: z
      .array(z.object({ path: z.string(), reason: z.string(), confidence: z.number().nullable().default(null).describe("from 0 to 1") }))
      .describe("files that it may be started by, the likeliest first"),
    dependencies: Dependencies,
    needsModel: z.boolean().default(false).describe("whether it calls a language model"),
    leaveOut: z.array(z.string()).describe("files that look secret"),
  })
  .meta({ id: "ImportSuggestion" });
export type ImportSuggestion = z.infer<typeof ImportSuggestion>;

export const ImportFile = z.object({ path: z.string(), size: z.int(), executable: z.boolean() }).meta({ id: "ImportFile" });
export type ImportFile = z.infer<typeof ImportFile>;

/** A folder of what came in, which may be taken alone. */
export const ImportFolder = z
  .object({
    path: z.string().describe("empty for all of it"),
    files: z.int(),
    bytes: z.int(),
    marks: z.array(z.string()).describe("files in it that a program usually begins with, or that say what it needs"),
  })
  .meta({ id: "ImportFolder" });
export type ImportFolder = z.infer<typeof ImportFolder>;

export const ImportPhase = z.enum(["fetch", "limits", "analyse"]);
export type ImportPhase = z.infer<typeof ImportPhase>;

const paths = z.array(z.string());

export const Import = z
  .object({
    id: z.string(),
    state: ImportState,
    source: z
      .object({
        kind: z.enum(["files", "archive", "git", "template", "clone"]),
        name: z.string().nullable().describe("the archive, the address, the template or the asset"),
        ref: z.string().nullable(),
        path: z.string().nullable(),
        commit: z.string().nullable(),
      })
      .describe("where it comes from"),
    assetId: z.string().nullable().describe("the program that was made, or is to be replaced"),
    folder: z.string().nullable().describe("the folder that is taken alone; null for all of it"),
    phase: ImportPhase.nullable().describe("while it is worked on: fetched, held against the limits, analysed"),
    progress: z.object({ files: z.int(), bytes: z.int() }),
    problems: z.array(ImportProblem),
    secrets: z.array(z.object({ path: z.string(), line: z.int().nullable(), reason: z.string() })),
    slots: z.array(z.object({ name: z.string(), file: z.string(), line: z.int(), callable: z.boolean(), reason: z.string().nullable() })),
    suggestion: ImportSuggestion.nullable(),
    diff: z.object({ added: paths, removed: paths, changed: paths }).nullable().describe("to the program that is to be replaced"),
    error: z.object({ code: z.string(), message: z.string(), hint: z.string() }).nullable(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().describe("until when it can be confirmed"),
  })
  .meta({ id: "Import" });
export type Import = z.infer<typeof Import>;

/** What happens in an import; the last one is `end`, when somebody has to look at it or it has ended. Each tells the whole state. */
export const ImportEvent = z
  .discriminatedUnion("type", [
    z.object({
      type: z.literal("progress"),
      seq: z.int(),
      time: z.iso.datetime(),
      state: ImportState,
      phase: ImportPhase.nullable(),
      files: z.int(),
      bytes: z.int(),
    }),
    z.object({ type: z.literal("end"), seq: z.int(), time: z.iso.datetime(), import: Import }),
  ])
  .meta({ id: "ImportEvent" });
export type ImportEvent = z.infer<typeof ImportEvent>;

export const ImportConfirmation = z
  .strictObject({
    name: name.optional().describe("the suggested one when left out"),
    description: description.default(""),
    ownerId: z.string().max(64).optional(),
    runtime: line(64).optional(),
    runtimeVersion: line(32).nullable().optional(),
    entrypoint: z.string().min(1).max(4096).optional().describe("a path below `path`"),
    dependencies: Dependencies.optional(),
    modelId: z.string().max(64).nullable().optional().describe("the model that the program is bound to: an id, a slug or a name"),
    path: folder.optional(),
    leaveOut: z.array(z.string().max(4096)).max(20_000).optional().describe("the suggested files when left out; `[]` takes all"),
    version: version.optional().describe("publish it at once as this version"),
  })
  .meta({ id: "ImportConfirmation" });
export type ImportConfirmation = z.output<typeof ImportConfirmation>;

export const GitRefs = z
  .object({
    url: z.string().describe("the address of the repository itself"),
    default: z.string().nullable(),
    branches: paths,
    tags: paths,
    ref: z.string().nullable().describe("of the address, when it names one"),
    path: z.string().nullable().describe("of the address, when it names one"),
  })
  .meta({ id: "GitRefs" });
export type GitRefs = z.infer<typeof GitRefs>;

export const Template = z
  .object({
    id: z.string(),
    type: z.enum(["program", "composition"]).describe("a composition is begun with `POST /compositions`"),
    title: z.string(),
    description: z.string(),
    runtime: z.string(),
    needsModel: z.boolean().describe("whether it calls a language model"),
    readme: z.string().nullable().describe("its README.md, as Markdown"),
    files: paths,
  })
  .meta({ id: "Template" });
export type Template = z.infer<typeof Template>;

const common = { tag: "imports", auth: "user" } as const;
const byId = z.object({ id: z.string().max(64) });
const gitErrors = [
  "credential_unusable",
  "credential_missing",
  "credential_expired",
  "credential_unreadable",
  "kms_unavailable",
  "kms_refused",
  "git_url_invalid",
  "git_not_found",
  "git_denied",
  "git_ref_unknown",
  "git_unreachable",
  "git_failed",
] as const;

export const importRoutes = {
  createImport: route({
    ...common,
    audit: "import.create",
    method: "POST",
    path: "/api/v1/imports",
    once: "answer",
    summary: "Begin to bring a program in; it is looked at, and made when you confirm it",
    body: ImportInput,
    responses: { 202: Import },
    errors: [
      "forbidden",
      "not_found",
      "blob_unknown",
      "template_unknown",
      "import_empty",
      "import_too_large",
      "too_many_imports",
      "quota_exceeded",
      ...gitErrors,
    ],
  }),
  listImports: route({
    ...common,
    method: "GET",
    path: "/api/v1/imports",
    summary: "List your imports, newest first",
    query: z.object({ ...pageQuery, state: ImportState.optional() }),
    responses: { 200: pageOf(Import) },
    errors: ["invalid_cursor"],
  }),
  getImport: route({
    ...common,
    method: "GET",
    path: "/api/v1/imports/:id",
    summary: "How far an import is, and what it found",
    params: byId,
    responses: { 200: Import },
    errors: ["not_found"],
  }),
  listImportFiles: route({
    ...common,
    method: "GET",
    path: "/api/v1/imports/:id/files",
    summary: "List the files of an import that can be confirmed",
    params: byId,
    responses: { 200: z.object({ items: z.array(ImportFile) }) },
    errors: ["not_found", "import_state"],
  }),
  diffImport: route({
    ...common,
    method: "GET",
    path: "/api/v1/imports/:id/diff",
    summary: "How the files of an import differ from those of the program that it is for, line by line",
    params: byId,
    responses: { 200: z.object({ files: z.array(FileDiff), omitted: z.int().describe("how many more files differ") }) },
    errors: ["not_found", "import_state"],
  }),
  streamImport: route({
    ...common,
    method: "GET",
    path: "/api/v1/imports/:id/events",
    summary: "Follow an import live (server-sent events, resumable)",
    params: byId,
    headers: lastEventId,
    responses: { 200: "event-stream" },
    errors: ["not_found"],
  }),
  getImportAnalysis: route({
    ...common,
    method: "GET",
    path: "/api/v1/imports/:id/analysis",
    summary: "Read what the files of an import are",
    params: byId,
    responses: { 200: AnalysisDocument },
    errors: ["not_found", "import_state"],
  }),
  listImportFolders: route({
    ...common,
    method: "GET",
    path: "/api/v1/imports/:id/folders",
    summary: "List the folders of an import that may be taken alone, the likeliest first",
    params: byId,
    responses: { 200: z.object({ items: z.array(ImportFolder) }) },
    errors: ["not_found", "import_state"],
  }),
  chooseImportFolder: route({
    ...common,
    audit: "import.choose_folder",
    method: "POST",
    path: "/api/v1/imports/:id/folder",
    summary: "Take a folder of an import alone, or all of it again; it is looked at anew",
    params: byId,
    body: z.strictObject({ path: folder.nullable() }),
    responses: { 202: Import },
    errors: ["not_found", "import_state", "file_not_found", "too_many_imports"],
  }),
  confirmImport: route({
    ...common,
    audit: "import.confirm",
    method: "POST",
    path: "/api/v1/imports/:id/confirm",
    once: "answer",
    summary: "Make the program, or replace the files of the one that was named",
    params: byId,
    body: ImportConfirmation,
    responses: { 201: Asset },
    errors: [
      "not_found",
      "forbidden",
      "import_state",
      "entrypoint_missing",
      "name_taken",
      "unknown_language",
      "unknown_model",
      "invalid_path",
      "version_taken",
      "revision_conflict",
      "asset_deleted",
    ],
  }),
  cancelImport: route({
    ...common,
    audit: "import.cancel",
    method: "POST",
    path: "/api/v1/imports/:id/cancel",
    summary: "Give an import up",
    params: byId,
    responses: { 200: Import },
    errors: ["not_found", "import_state"],
  }),
  listGitRefs: route({
    ...common,
    audit: "import.list_refs",
    method: "POST",
    path: "/api/v1/imports/git-refs",
    summary: "The branches and tags of a repository",
    body: z.strictObject({ url: line(2000), ...GitAccess }),
    responses: { 200: GitRefs },
    errors: [...gitErrors],
  }),
  listTemplates: route({
    ...common,
    method: "GET",
    path: "/api/v1/templates",
    summary: "Programs and compositions to begin with",
    responses: { 200: z.object({ items: z.array(Template) }) },
    errors: [],
  }),
};
