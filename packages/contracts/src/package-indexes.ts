import { z } from "zod";
import { ifMatch } from "./asset-fields.ts";
import { pageOf, pageQuery } from "./page.ts";
import { route } from "./route.ts";
import { name } from "./fields.ts";

const PackageLanguage = z.enum(["python", "node", "go"]).meta({ id: "PackageLanguage" });
export type PackageLanguage = z.infer<typeof PackageLanguage>;

/** Where some packages come from, and from nowhere else. */
export const PackageIndex = z
  .object({
    id: z.string(),
    owner: z.object({ id: z.string(), name: z.string() }).describe("a person, a team, or `system`: whose programs are built with it"),
    language: PackageLanguage,
    name: z.string(),
    url: z.string(),
    packages: z.array(z.string()).describe("names, or what they begin with and a star"),
    credentialId: z.string().nullable(),
    mayManage: z.boolean(),
    revision: z.int().describe("its `ETag`"),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: "PackageIndex" });
export type PackageIndex = z.infer<typeof PackageIndex>;

const url = z
  .url({ protocol: /^https?$/ })
  .max(2000)
  .describe("of the simple index (Python), the registry (Node.js) or the module proxy (Go)");
const packages = z
  .array(z.string().min(1).max(200))
  .min(1)
  .max(100)
  .describe("which packages come from it: `acme-*`, `@acme/*`, `git.example.org/*`, or whole names; `*` is everything");
const credentialId = z
  .string()
  .max(64)
  .nullable()
  .describe("of the kind `index`, with the same owner; with a user name it is sent as Basic, else as Bearer");

export const PackageIndexInput = z
  .strictObject({
    language: PackageLanguage,
    name,
    url,
    packages,
    credentialId: credentialId.default(null),
    ownerId: z.string().max(64).optional().describe("a team that you own; `system` for administrators; yourself when left out"),
  })
  .meta({ id: "PackageIndexInput" });
export type PackageIndexInput = z.output<typeof PackageIndexInput>;

export const PackageIndexChange = z
  .strictObject({ name, url, packages, credentialId })
  .partial()
  .describe("what is left out stays")
  .meta({ id: "PackageIndexChange" });
export type PackageIndexChange = z.output<typeof PackageIndexChange>;

/** An index to be tried, stored or not. */
export const PackageIndexWish = z
  .strictObject({
    language: PackageLanguage,
    url,
    packages: packages.default(["*"]),
    credentialId: credentialId.default(null),
    ownerId: z.string().max(64).optional().describe("whose index it is or would be; yourself when left out"),
    package: z
      .string()
      .min(1)
      .max(200)
      .regex(/^[^*]+$/, "a whole name")
      .optional()
      .describe("that it should have; when left out, the first of the whole names among the packages"),
  })
  .meta({ id: "PackageIndexWish" });
export type PackageIndexWish = z.output<typeof PackageIndexWish>;

/** How an index answered. */
export const PackageIndexTest = z
  .object({
    ok: z.boolean(),
    code: z
      .enum(["index_refused", "index_unreachable", "package_missing", "not_an_index"])
      .nullable()
      .describe("why it is of no use; null when it is"),
    message: z.string().nullable(),
    package: z.string().nullable().describe("that was asked for; null: only whether it answers"),
    ms: z.number().nullable(),
  })
  .meta({ id: "PackageIndexTest" });
export type PackageIndexTest = z.infer<typeof PackageIndexTest>;

const PackageIndexFilter = z.object({ ...pageQuery, language: PackageLanguage.optional(), ownerId: z.string().max(64).optional() });
export type PackageIndexFilter = z.output<typeof PackageIndexFilter>;

const common = { tag: "environments", auth: "user" } as const;
const collection = "/api/v1/package-indexes";
const one = { ...common, path: `${collection}/:id`, params: z.object({ id: z.string().max(64) }) } as const;

export const packageIndexRoutes = {
  listPackageIndexes: route({
    ...common,
    method: "GET",
    path: collection,
    summary: "List the package indexes that are yours, your teams', or everybody's, newest first",
    query: PackageIndexFilter,
    responses: { 200: pageOf(PackageIndex) },
    errors: ["invalid_cursor"],
  }),
  createPackageIndex: route({
    ...common,
    method: "POST",
    path: collection,
    audit: "environment.index_create",
    once: "answer",
    summary: "Name an index that some packages come from; programs of its owner are built with it from now on",
    body: PackageIndexInput,
    responses: { 201: PackageIndex },
    errors: ["forbidden", "not_found", "conflict", "credential_unusable", "too_many_indexes"],
  }),
  testPackageIndex: route({
    ...common,
    method: "POST",
    path: `${collection}/test`,
    audit: "environment.index_test",
    summary: "Ask an index for a package, as a build would: whether it answers, takes the credential, and has it",
    body: PackageIndexWish,
    responses: { 200: PackageIndexTest },
    errors: ["forbidden", "not_found", "credential_unusable"],
  }),
  updatePackageIndex: route({
    ...one,
    method: "PATCH",
    audit: "environment.index_update",
    summary: "Change a package index",
    headers: ifMatch,
    body: PackageIndexChange,
    responses: { 200: PackageIndex },
    errors: ["forbidden", "not_found", "conflict", "credential_unusable", "revision_conflict"],
  }),
  deletePackageIndex: route({
    ...one,
    method: "DELETE",
    audit: "environment.index_delete",
    summary: "Forget a package index; what was built with it stays",
    responses: { 204: "none" },
    errors: ["forbidden", "not_found"],
  }),
};
