import { z } from "zod";
import { pageOf, pageQuery } from "./page.ts";
import { route } from "./route.ts";
import { SpendCapInput } from "./spend-caps.ts";

/** What a grant allows, each more than the one before. Owners may do everything. */
export const accessLevels = ["view", "run", "edit", "admin"] as const;
export const AccessLevel = z.enum(accessLevels).meta({ id: "AccessLevel" });
export type AccessLevel = z.infer<typeof AccessLevel>;

/** What can be shared. */
export const ResourceType = z.enum(["run", "sandbox", "asset", "workspace"]).meta({ id: "ResourceType" });
export type ResourceType = z.infer<typeof ResourceType>;

export const Visibility = z.enum(["private", "public"]).meta({ id: "Visibility" });
export type Visibility = z.infer<typeof Visibility>;

/** Whether `level` allows what `needed` does. */
export function levelCovers(level: AccessLevel, needed: AccessLevel): boolean {
  return accessLevels.indexOf(level) >= accessLevels.indexOf(needed);
}

/** The levels that are enough where one is needed. */
export function levelsFrom(needed: AccessLevel): AccessLevel[] {
  return accessLevels.filter((level) => levelCovers(level, needed));
}

/** Whom a grant is for. A person is named by the e-mail address that was given, whether there is an account or not. */
const Subject = z.object({
  type: z.enum(["person", "team", "link"]),
  name: z.string().describe("an e-mail address, a team's name, or the first characters of a link"),
  teamId: z.string().nullable(),
});

/** One grant on a thing. */
export const Grant = z
  .object({
    id: z.string(),
    resourceType: ResourceType,
    resourceId: z.string(),
    subject: Subject,
    level: AccessLevel,
    createdAt: z.iso.datetime(),
    createdBy: z.string().nullable().describe("name of the person"),
    expiresAt: z.iso.datetime().nullable().describe("an expired one allows nothing any more"),
    useCount: z.int().nullable().describe("of a link: how many have redeemed it"),
    anonymous: z.boolean().nullable().describe("of a link: whether it shows the thing to people who are not signed in, too, as it is now"),
  })
  .meta({ id: "Grant" });
export type Grant = z.infer<typeof Grant>;

/** Why somebody has access. */
export const AccessReason = z
  .object({
    type: z.enum(["owner", "direct", "team", "link", "public", "admin"]),
    level: AccessLevel,
    name: z.string().nullable().describe("of the team, or the first characters of the link"),
    teamRole: z.enum(["owner", "member"]).nullable().describe("in the team, where that is what it belongs to"),
    expiresAt: z.iso.datetime().nullable(),
  })
  .meta({ id: "AccessReason" });
export type AccessReason = z.infer<typeof AccessReason>;

/** What you may do with a thing, and why. */
export const Access = z
  .object({
    resourceType: ResourceType,
    resourceId: z.string(),
    name: z.string(),
    owner: z.object({ id: z.string(), name: z.string() }),
    visibility: Visibility,
    level: AccessLevel.describe("the highest that you have"),
    isOwner: z.boolean(),
    anonymousLinks: z.boolean().describe("a link to it lets people view it who are not signed in, too"),
    reasons: z.array(AccessReason),
  })
  .meta({ id: "Access" });
export type Access = z.infer<typeof Access>;

/** Somebody who has access, and why. */
export const PersonAccess = z
  .object({ key: z.string(), name: z.string(), level: AccessLevel, reasons: z.array(AccessReason) })
  .meta({ id: "PersonAccess" });
export type PersonAccess = z.infer<typeof PersonAccess>;

const thing = { resourceType: ResourceType, resourceId: z.string().min(1).max(64) };
const expiresAt = z.iso.datetime().nullable().optional().describe("left out or null: never");

const cap = SpendCapInput.nullable()
  .optional()
  .describe("of a model, with `run` and more: what may be spent by it; null: any amount; what the server usually allows when left out");

export const GrantInput = z
  .strictObject({
    ...thing,
    email: z.email().max(320).optional().describe("of a person; without an account it waits until there is one"),
    teamId: z.string().max(64).optional().describe("one of your teams"),
    level: AccessLevel,
    expiresAt,
    cap,
  })
  .meta({ id: "GrantInput" });
export type GrantInput = z.output<typeof GrantInput>;
export const GrantChange = z.strictObject({ level: AccessLevel.optional(), expiresAt, cap }).meta({ id: "GrantChange" });
export type GrantChange = z.output<typeof GrantChange>;
export const ShareLinkInput = z
  .strictObject({
    ...thing,
    level: AccessLevel,
    expiresAt,
    cap,
    needsAccount: z.boolean().default(false).describe("it opens for people who sign in alone, also where others may view by links"),
  })
  .meta({ id: "ShareLinkInput" });
export type ShareLinkInput = z.output<typeof ShareLinkInput>;

/** A link as it is shown, this once. */
const NewShareLink = z
  .object({
    grant: Grant,
    token: z.string(),
    url: z.url(),
    anonymous: z.boolean().describe("whoever has the link may view, without signing in; false: only people who sign in"),
  })
  .meta({ id: "NewShareLink" });

const GrantFilter = z.object({ ...pageQuery, ...thing });
export type GrantFilter = z.output<typeof GrantFilter>;

const common = { tag: "access", auth: "user" } as const;
const byId = z.object({ id: z.string().max(64) });

export const accessRoutes = {
  getAccess: route({
    ...common,
    method: "GET",
    path: "/api/v1/access",
    summary: "What you may do with a run, a sandbox or an asset, and why",
    query: z.object(thing),
    responses: { 200: Access },
    errors: ["not_found"],
  }),
  listPeople: route({
    ...common,
    method: "GET",
    path: "/api/v1/access/people",
    summary: "List who has access to a run, a sandbox or an asset, and why; administrators have it besides",
    query: GrantFilter,
    responses: { 200: pageOf(PersonAccess) },
    errors: ["not_found", "forbidden", "invalid_cursor"],
  }),
  listGrants: route({
    ...common,
    method: "GET",
    path: "/api/v1/grants",
    summary: "List the grants on a run, a sandbox or an asset, newest first",
    query: GrantFilter,
    responses: { 200: pageOf(Grant) },
    errors: ["not_found", "forbidden", "invalid_cursor"],
  }),
  createGrant: route({
    ...common,
    audit: "share.grant",
    method: "POST",
    path: "/api/v1/grants",
    once: "answer",
    summary: "Share a run, a sandbox or an asset with a person or a team; whoever has a grant already gets this one in its place",
    body: GrantInput,
    responses: { 201: Grant },
    errors: ["not_found", "forbidden", "conflict"],
  }),
  updateGrant: route({
    ...common,
    audit: "share.update",
    method: "PATCH",
    path: "/api/v1/grants/:id",
    summary: "Change the level or the end of a grant",
    params: byId,
    body: GrantChange,
    responses: { 200: Grant },
    errors: ["not_found", "forbidden"],
  }),
  deleteGrant: route({
    ...common,
    audit: "share.revoke",
    method: "DELETE",
    path: "/api/v1/grants/:id",
    summary: "Take a grant back; of a link, what everybody has by it",
    params: byId,
    responses: { 204: "none" },
    errors: ["not_found", "forbidden"],
  }),
  createShareLink: route({
    ...common,
    audit: "share.link_create",
    method: "POST",
    path: "/api/v1/share-links",
    once: "shown",
    summary: "Make a link that gives access to whoever redeems it; it is shown this once",
    body: ShareLinkInput,
    responses: { 201: NewShareLink },
    errors: ["not_found", "forbidden", "conflict"],
  }),
  renewShareLink: route({
    ...common,
    audit: "share.link_renew",
    method: "POST",
    path: "/api/v1/grants/:id/link",
    summary:
      "Make a link anew; it is shown this once. The one before leads nowhere any more, and whoever has redeemed it keeps what they have",
    params: byId,
    responses: { 201: NewShareLink },
    errors: ["not_found", "forbidden", "conflict"],
  }),
  redeemShareLink: route({
    ...common,
    audit: "share.link_redeem",
    method: "POST",
    path: "/api/v1/share-links/redeem",
    summary: "Take the access that a link gives, for as long as the link lives",
    body: z.strictObject({ token: z.string().min(1).max(128) }),
    responses: { 200: z.object({ ...thing, level: AccessLevel }) },
    errors: ["share_link_invalid"],
  }),
};
