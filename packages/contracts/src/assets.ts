import { z } from "zod";
import { AccessLevel, Visibility } from "./access.ts";
import { AssetType, assetTypes, ifMatch, sha256, slug, tags, version } from "./asset-fields.ts";
import { pageOf, pageQuery } from "./page.ts";
import { route } from "./route.ts";
import { RunStatus } from "./runs.ts";
import { description, name } from "./fields.ts";

/** A file tree by its hash. */
export const TreeRef = z.object({ sha256, files: z.int(), bytes: z.int() }).meta({ id: "TreeRef" });
export type TreeRef = z.infer<typeof TreeRef>;

/** Whose an asset is. */
export const AssetOwner = z.object({
  id: z.string().describe("of a user or a team; `system` for what comes with Syla"),
  type: z.enum(["user", "team", "system"]),
  name: z.string(),
});
export type AssetOwner = z.infer<typeof AssetOwner>;

/** Where an asset was imported from. */
export const ImportSource = z
  .looseObject({
    kind: z.enum(["upload", "archive", "git", "template"]),
    url: z.string().nullable().optional(),
    ref: z.string().nullable().optional(),
    commit: z.string().nullable().optional(),
    credentialId: z.string().nullable().optional().describe("what a private repository was read with; for those who may change the asset"),
    at: z.iso.datetime().optional(),
  })
  .meta({ id: "ImportSource" });
export type ImportSource = z.infer<typeof ImportSource>;

const person = z.object({ id: z.string(), name: z.string() }).nullable();

/** An asset as lists show it. */
export const AssetSummary = z
  .object({
    id: z.string(),
    type: AssetType,
    name: z.string(),
    slug: z.string(),
    description: z.string(),
    tags: z.array(z.string()),
    owner: AssetOwner,
    visibility: Visibility,
    isShared: z.boolean().describe("whether grants on it give somebody access"),
    yourLevel: AccessLevel.describe("the highest that you have"),
    version: z.string().nullable().describe("the newest that was published"),
    revision: z.int(),
    runtime: z.string().nullable().describe("of a program"),
    rowCount: z.int().nullable().describe("of a dataset"),
    environmentState: z
      .enum(["none", "building", "ready", "failed"])
      .nullable()
      .describe("how the packages stand that a program's working tree last asked for; null when it has asked for none"),
    lastRun: z.object({ id: z.string(), status: RunStatus, at: z.iso.datetime() }).nullable(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    deletedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "AssetSummary" });
export type AssetSummary = z.infer<typeof AssetSummary>;

/** An asset. Its `ETag` is its revision. */
export const Asset = z
  .object({
    ...AssetSummary.shape,
    tree: TreeRef.nullable().describe("the head of its files"),
    config: z.record(z.string(), z.unknown()).describe("of the type: ProgramConfig, ModelConfig, CompositionConfig or DatasetConfig"),
    slots: z.array(z.string()),
    clonedFrom: z.object({ id: z.string(), version: z.string().nullable() }).nullable(),
    importSource: ImportSource.nullable(),
    createdBy: person,
    updatedBy: person,
    purgeAt: z.iso.datetime().nullable().describe("when what was deleted is gone for good"),
    isOwner: z.boolean().describe("whether you may give it to somebody else"),
  })
  .meta({ id: "Asset" });
export type Asset = z.infer<typeof Asset>;

/** What an asset is called and how it is described. Slots follow from the files. */
export const AssetMetadata = z
  .object({ name: z.string(), description: z.string(), tags: z.array(z.string()), slots: z.array(z.string()) })
  .meta({ id: "AssetMetadata" });
export type AssetMetadata = z.infer<typeof AssetMetadata>;

/** A published version, which never changes. */
export const AssetVersion = z
  .object({
    version: z.string(),
    message: z.string(),
    tree: TreeRef.nullable(),
    config: z.record(z.string(), z.unknown()),
    metadata: AssetMetadata.nullable().describe("as it was when this was published; null for old versions, of which it is not known"),
    createdAt: z.iso.datetime(),
    createdBy: person,
  })
  .meta({ id: "AssetVersion" });
export type AssetVersion = z.infer<typeof AssetVersion>;

const side = z.object({ size: z.int(), sha256, executable: z.boolean() }).nullable();

/** How one file differs. `hunks` is null where `note` says why: not text, too large, or too much of it in one answer. */
export const FileDiff = z
  .object({
    path: z.string(),
    status: z.enum(["added", "removed", "changed"]),
    from: side,
    to: side,
    hunks: z
      .array(
        z.object({
          oldStart: z.int(),
          oldLines: z.int(),
          newStart: z.int(),
          newLines: z.int(),
          lines: z.array(z.string()).describe("each begins with a space, `+`, `-` or `\\\\`"),
        }),
      )
      .nullable(),
    additions: z.int(),
    deletions: z.int(),
    note: z.enum(["binary", "large", "omitted"]).nullable(),
  })
  .meta({ id: "FileDiff" });
export type FileDiff = z.infer<typeof FileDiff>;

const fieldDiff = z.object({ field: z.string(), from: z.unknown(), to: z.unknown() });

/** What differs between two versions. */
export const AssetDiff = z
  .object({
    from: z.string().nullable().describe("a version or `head`; null when nothing has been published"),
    to: z.string(),
    files: z.array(FileDiff),
    omitted: z.int().describe("how many more files differ"),
    config: z.array(fieldDiff),
    metadata: z.array(fieldDiff).describe("name, description, tags and slots; empty where one side's are not known"),
  })
  .meta({ id: "AssetDiff" });
export type AssetDiff = z.infer<typeof AssetDiff>;

const place = { path: z.string().min(1).max(4096), executable: z.boolean().default(false) };

/** A file of a new tree: its text, its bytes in base64, or the SHA-256 of something uploaded before. */
export const TreeFileInput = z
  .union([
    z.strictObject({ ...place, content: z.string() }),
    z.strictObject({ ...place, contentBase64: z.base64() }),
    z.strictObject({ ...place, blob: sha256 }),
  ])
  .meta({ id: "TreeFileInput" });
export type TreeFileInput = z.output<typeof TreeFileInput>;

const config = z.record(z.string(), z.unknown());
const ownerId = z.string().min(1).max(64).describe("you, one of your teams, or, for administrators, `system`");

export const AssetInput = z
  .strictObject({
    type: AssetType.exclude(["dataset"]),
    name: name,
    description: description.default(""),
    tags: tags.default([]),
    ownerId: ownerId.optional().describe("you when left out"),
    visibility: Visibility.default("private"),
    files: z.array(TreeFileInput).max(10_000).optional(),
    config: config
      .optional()
      .describe("of a program it is guessed from the files when left out; of a composition it is told from its graph"),
  })
  .meta({ id: "AssetInput" });
export type AssetInput = z.output<typeof AssetInput>;

export const AssetChange = z
  .strictObject({ name: name, slug, description, tags, visibility: Visibility, config })
  .partial()
  .meta({ id: "AssetChange" });
export type AssetChange = z.output<typeof AssetChange>;

export const assetSorts = ["updated", "created", "name", "lastRun", "relevance"] as const;
export const AssetSort = z.enum(assetSorts);
export type AssetSort = z.infer<typeof AssetSort>;

/** Which assets. */
export const AssetFilter = z.object({
  ...pageQuery,
  view: z
    .enum(["mine", "shared", "public", "all", "deleted"])
    .default("all")
    .describe("`all`: whatever you may see; `deleted`: what you may restore"),
  type: z
    .string()
    .regex(new RegExp(`^(${assetTypes.join("|")})(,(${assetTypes.join("|")}))*$`), `of ${assetTypes.join(", ")}, separated by commas`)
    .optional(),
  owner: z.string().max(64).optional().describe("`me`, or the id of a user or a team"),
  tags: z
    .string()
    .regex(/^[a-z0-9-]{1,30}(,[a-z0-9-]{1,30}){0,9}$/, "tags, separated by commas")
    .optional()
    .describe("all of them"),
  visibility: Visibility.optional(),
  q: z.string().max(200).optional().describe("words, or how they begin, in names, tags, slots and descriptions"),
  sort: AssetSort.optional().describe(
    "`relevance` with `q`, else `updated`; of very many finds the latest hundreds are put in the order of relevance",
  ),
  order: z.enum(["asc", "desc"]).optional().describe("`asc` for names, else `desc`"),
});
export type AssetFilter = z.output<typeof AssetFilter>;
export type AssetView = AssetFilter["view"];

const text = z
  .string()
  .trim()
  .max(2000)
  .refine((value) => !value.includes("\0") && value.isWellFormed(), "no NUL, valid Unicode");

export const PublishInput = z
  .strictObject({ version: version.optional().describe("the next patch when left out"), message: text.default("") })
  .meta({ id: "PublishInput" });

export const CloneInput = z
  .strictObject({
    name: name.optional().describe("a free one like the original's when left out"),
    ownerId: ownerId.optional(),
    version: version.optional().describe("the head when left out"),
  })
  .meta({ id: "CloneInput" });
export type CloneInput = z.output<typeof CloneInput>;

export const TransferInput = z
  .strictObject({
    email: z.email().max(320).optional().describe("of a person who has an account"),
    ownerId: z.string().min(1).max(64).optional().describe("you, or one of your teams"),
  })
  .meta({ id: "TransferInput" });
export type TransferInput = z.output<typeof TransferInput>;

const ids = z.array(z.string().min(1).max(64)).min(1).max(200);

/** The same with many assets. */
export const BulkInput = z
  .discriminatedUnion("action", [
    z.strictObject({ action: z.literal("tag"), ids, add: tags.default([]), remove: tags.default([]) }),
    z.strictObject({
      action: z.literal("share"),
      ids,
      level: AccessLevel,
      email: z.email().max(320).optional(),
      teamId: z.string().max(64).optional(),
      expiresAt: z.iso.datetime().nullable().optional(),
    }),
    z.strictObject({ action: z.literal("delete"), ids }),
    z.strictObject({ action: z.literal("restore"), ids }),
  ])
  .meta({ id: "BulkInput" });
export type BulkInput = z.output<typeof BulkInput>;

/** How it went with one of many. */
export const BulkResult = z
  .object({
    id: z.string(),
    ok: z.boolean(),
    error: z.object({ code: z.string(), message: z.string(), hint: z.string() }).nullable(),
  })
  .meta({ id: "BulkResult" });
export type BulkResult = z.infer<typeof BulkResult>;

const common = { tag: "assets", auth: "user" } as const;
const byId = z.object({ id: z.string().max(64) });
const byVersion = z.object({ id: z.string().max(64), version: z.string().max(64) });

/** A composition that uses an asset. */
export const AssetUse = z
  .object({
    id: z.string(),
    name: z.string(),
    draft: z.boolean().describe("what is there now uses it"),
    versions: z.array(z.string()).describe("published ones that do, highest first; at most 20"),
  })
  .meta({ id: "AssetUse" });
export type AssetUse = z.infer<typeof AssetUse>;

/** Which compositions use an asset. */
export const AssetUses = z
  .object({
    items: z.array(AssetUse).describe("those that you may see, the newest first; at most 100"),
    others: z.int().describe("how many more there are, for those who may delete the asset; for others 0"),
  })
  .meta({ id: "AssetUses" });
export type AssetUses = z.infer<typeof AssetUses>;

/** A page of the catalog. */
export const AssetPage = pageOf(AssetSummary)
  .extend({ isAlike: z.boolean().describe("nothing has the words that were looked for; what is listed has words like them") })
  .meta({ id: "AssetPage" });
export type AssetPage = z.infer<typeof AssetPage>;

/** How to create, find and change assets of every type. */
export const assetRoutes = {
  listAssets: route({
    ...common,
    method: "GET",
    path: "/api/v1/assets",
    summary: "List and search what is in the catalog",
    query: AssetFilter,
    responses: { 200: AssetPage },
    errors: ["invalid_cursor"],
  }),
  createAsset: route({
    ...common,
    audit: "asset.create",
    method: "POST",
    path: "/api/v1/assets",
    once: "answer",
    summary: "Create an asset",
    body: AssetInput,
    responses: { 201: Asset },
    errors: [
      "forbidden",
      "name_taken",
      "invalid_path",
      "blob_unknown",
      "payload_too_large",
      "quota_exceeded",
      "model_unusable",
      "invalid_graph",
    ],
  }),
  getAsset: route({
    ...common,
    method: "GET",
    path: "/api/v1/assets/:id",
    summary: "Get an asset",
    params: byId,
    responses: { 200: Asset },
    errors: ["not_found"],
  }),
  updateAsset: route({
    ...common,
    audit: "asset.update",
    method: "PATCH",
    path: "/api/v1/assets/:id",
    summary: "Change an asset",
    params: byId,
    headers: ifMatch,
    body: AssetChange,
    responses: { 200: Asset },
    errors: ["not_found", "forbidden", "name_taken", "asset_deleted", "revision_conflict", "revision_required", "model_unusable"],
  }),
  deleteAsset: route({
    ...common,
    audit: "asset.delete",
    method: "DELETE",
    path: "/api/v1/assets/:id",
    summary: "Delete an asset; it can be restored for 30 days",
    params: byId,
    responses: { 204: "none" },
    errors: ["not_found", "forbidden"],
  }),
  listAssetUses: route({
    ...common,
    method: "GET",
    path: "/api/v1/assets/:id/uses",
    summary: "List the compositions that use an asset, as drafts or in published versions",
    params: byId,
    responses: { 200: AssetUses },
    errors: ["not_found"],
  }),
  restoreAsset: route({
    ...common,
    audit: "asset.restore",
    method: "POST",
    path: "/api/v1/assets/:id/restore",
    summary: "Restore what was deleted",
    params: byId,
    responses: { 200: Asset },
    errors: ["not_found", "forbidden", "name_taken"],
  }),
  listVersions: route({
    ...common,
    method: "GET",
    path: "/api/v1/assets/:id/versions",
    summary: "List the published versions, highest first, and what the next one may be called",
    params: byId,
    query: z.object(pageQuery),
    responses: {
      200: z.object({
        ...pageOf(AssetVersion).shape,
        next: z.object({ patch: z.string(), minor: z.string(), major: z.string() }),
      }),
    },
    errors: ["not_found", "invalid_cursor"],
  }),
  publishVersion: route({
    ...common,
    audit: "asset.publish",
    method: "POST",
    path: "/api/v1/assets/:id/versions",
    once: "answer",
    summary: "Publish what is there now as a version, which never changes",
    params: byId,
    headers: ifMatch,
    body: PublishInput,
    responses: { 201: AssetVersion },
    errors: ["not_found", "forbidden", "version_taken", "entrypoint_missing", "composition_invalid", "asset_deleted", "revision_conflict"],
  }),
  restoreVersion: route({
    ...common,
    audit: "asset.restore_version",
    method: "POST",
    path: "/api/v1/assets/:id/versions/:version/restore",
    summary: "Put the files, the configuration and the metadata of a version into what is there now; a name that is in use by now stays",
    params: byVersion,
    headers: ifMatch,
    responses: { 200: Asset },
    errors: ["not_found", "forbidden", "asset_deleted", "revision_conflict", "revision_required", "model_unusable"],
  }),
  diffAsset: route({
    ...common,
    method: "GET",
    path: "/api/v1/assets/:id/diff",
    summary: "What differs between two versions, or a version and what is there now",
    params: byId,
    query: z.object({
      from: z.string().max(64).optional().describe("a version or `head`; the newest version when left out"),
      to: z.string().max(64).optional().describe("a version or `head`; `head` when left out"),
    }),
    responses: { 200: AssetDiff },
    errors: ["not_found"],
  }),
  cloneAsset: route({
    ...common,
    audit: "asset.clone",
    method: "POST",
    path: "/api/v1/assets/:id/clone",
    once: "answer",
    summary: "Make a copy, with its files, that belongs to you or a team of yours",
    params: byId,
    body: CloneInput,
    responses: { 201: Asset },
    errors: ["not_found", "forbidden", "name_taken"],
  }),
  transferAsset: route({
    ...common,
    audit: "asset.transfer",
    method: "POST",
    path: "/api/v1/assets/:id/transfer",
    summary: "Give an asset to somebody else, or to a team",
    params: byId,
    body: TransferInput,
    responses: { 200: z.object({ id: z.string(), owner: AssetOwner }) },
    errors: ["not_found", "forbidden", "name_taken", "asset_deleted"],
  }),
  changeAssets: route({
    ...common,
    audit: "asset.bulk",
    method: "POST",
    path: "/api/v1/assets/bulk",
    summary: "Tag, share, delete or restore many assets; the answer says how it went with each",
    body: BulkInput,
    responses: { 200: z.object({ results: z.array(BulkResult) }) },
    errors: [],
  }),
  exportAssets: route({
    ...common,
    method: "GET",
    path: "/api/v1/assets/export",
    summary: "Download assets as a zip archive: the files, what is known of them, and a `results.json` that says how it went with each",
    query: z.object({
      ids: z
        .string()
        .max(10_000)
        .regex(/^[a-z0-9_]{1,64}(,[a-z0-9_]{1,64}){0,199}$/, "ids, separated by commas"),
    }),
    responses: { 200: "bytes" },
    errors: ["payload_too_large"],
  }),
  exportManyAssets: route({
    ...common,
    audit: "asset.export",
    scope: "assets:read",
    method: "POST",
    path: "/api/v1/assets/export",
    summary: "Download very many assets as a zip archive: more than an address can name",
    body: z.strictObject({ ids: z.array(z.string().min(1).max(64)).min(1).max(10_000) }),
    responses: { 200: "bytes" },
    errors: ["payload_too_large"],
  }),
  getVersion: route({
    ...common,
    method: "GET",
    path: "/api/v1/assets/:id/versions/:version",
    summary: "Get a published version",
    params: byVersion,
    responses: { 200: AssetVersion },
    errors: ["not_found"],
  }),
};
