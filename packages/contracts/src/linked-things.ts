import { z } from "zod";
import { AccessLevel, ResourceType } from "./access.ts";
import { AssetType } from "./asset-fields.ts";
import { DatasetColumn } from "./dataset-config.ts";
import { route } from "./route.ts";
import { SandboxStatus } from "./sandboxes.ts";

/** What is shown of an asset to somebody who has nothing but a link to it; of a model only what it is called and what is said of it. */
const LinkedAsset = z
  .object({
    type: AssetType,
    description: z.string(),
    tags: z.array(z.string()),
    runtime: z.string().nullable().describe("of a program"),
    columns: z.array(DatasetColumn).nullable().describe("of a dataset"),
    rowCount: z.int().nullable().describe("of a dataset"),
    versions: z
      .array(z.object({ version: z.string(), message: z.string(), createdAt: z.iso.datetime() }))
      .describe("the newest, highest first"),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: "LinkedAsset" });
export type LinkedAsset = z.infer<typeof LinkedAsset>;

/** What is shown of a sandbox: that it is there, and how it stands. What happens in it is for people with an account. */
const LinkedSandbox = z
  .object({
    status: SandboxStatus,
    language: z.string(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().describe("its hard end"),
    endedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "LinkedSandbox" });
export type LinkedSandbox = z.infer<typeof LinkedSandbox>;

/** What a share link leads to, as somebody who is not signed in sees it. */
export const LinkedThing = z
  .object({
    resourceType: ResourceType,
    resourceId: z.string(),
    name: z.string(),
    level: AccessLevel.describe("what whoever signs in gets by the link"),
    expiresAt: z.iso.datetime().nullable(),
    asset: LinkedAsset.nullable().describe("where it is one"),
    sandbox: LinkedSandbox.nullable().describe("where it is one"),
  })
  .meta({ id: "LinkedThing" });
export type LinkedThing = z.infer<typeof LinkedThing>;

export const linkedThingRoutes = {
  getShareLink: route({
    tag: "access",
    auth: "user",
    link: "any",
    method: "GET",
    path: "/api/v1/share-links/current",
    summary: "What the share link leads to that is sent in place of an API key",
    responses: { 200: LinkedThing },
    errors: ["not_found", "share_link_invalid"],
  }),
};
