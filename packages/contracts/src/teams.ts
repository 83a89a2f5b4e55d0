import { z } from "zod";
import { pageOf, pageQuery } from "./page.ts";
import { route } from "./route.ts";
import { description, name } from "./fields.ts";
import { LeastTier } from "./runs.ts";

export const TeamRole = z.enum(["owner", "member"]);
export type TeamRole = z.infer<typeof TeamRole>;

export const Team = z
  .object({
    id: z.string(),
    name: z.string(),
    slug: z.string(),
    description: z.string(),
    createdAt: z.iso.datetime(),
    memberCount: z.int(),
    concurrentRuns: z
      .int()
      .nullable()
      .describe("runs that its members may have at once, all of them together; null: as many as each of them may"),
    leastTier: LeastTier.describe("how runs and sandboxes of its members are isolated at least"),
    yourRole: TeamRole.nullable().describe("null for an administrator who is not in it"),
  })
  .meta({ id: "Team" });
export type Team = z.infer<typeof Team>;

export const TeamMember = z
  .object({ userId: z.string(), name: z.string(), email: z.string().nullable(), role: TeamRole, joinedAt: z.iso.datetime() })
  .meta({ id: "TeamMember" });
export type TeamMember = z.infer<typeof TeamMember>;

/** An invitation that has not been accepted yet. */
export const TeamInvitation = z
  .object({ id: z.string(), email: z.string(), role: TeamRole, createdAt: z.iso.datetime(), expiresAt: z.iso.datetime() })
  .meta({ id: "TeamInvitation" });
export type TeamInvitation = z.infer<typeof TeamInvitation>;

export const TeamInput = z.strictObject({ name, description: description.default("") }).meta({ id: "TeamInput" });
export const TeamChange = z
  .strictObject({
    name,
    description,
    concurrentRuns: z.int().min(0).max(1_000_000).nullable().describe("administrators set it; null takes it away"),
    leastTier: LeastTier,
  })
  .partial()
  .meta({ id: "TeamChange" });
export type TeamChange = z.output<typeof TeamChange>;
export const TeamInvitationInput = z
  .strictObject({ email: z.email().max(320), role: TeamRole.default("member") })
  .meta({ id: "TeamInvitationInput" });

const TeamFilter = z.object({ ...pageQuery, owner: z.enum(["me", "all"]).default("me").describe("`all` is for administrators") });
export type TeamFilter = z.output<typeof TeamFilter>;

const base = "/api/v1/teams";
const common = { tag: "teams", auth: "user" } as const;
const params = z.object({ id: z.string().max(64) });
const memberParams = z.object({ id: z.string().max(64), userId: z.string().max(64) });
const invitationParams = z.object({ id: z.string().max(64), invitationId: z.string().max(64) });
const refusals = ["not_found", "forbidden"] as const;

export const teamRoutes = {
  listTeams: route({
    ...common,
    method: "GET",
    path: base,
    summary: "List your teams, newest first",
    query: TeamFilter,
    responses: { 200: pageOf(Team) },
    errors: ["invalid_cursor", "forbidden"],
  }),
  createTeam: route({
    ...common,
    audit: "team.create",
    method: "POST",
    path: base,
    once: "answer",
    summary: "Create a team; you are its owner",
    body: TeamInput,
    responses: { 201: Team },
    errors: ["forbidden"],
  }),
  getTeam: route({
    ...common,
    method: "GET",
    path: `${base}/:id`,
    summary: "Read a team",
    params,
    responses: { 200: Team },
    errors: ["not_found"],
  }),
  updateTeam: route({
    ...common,
    audit: "team.update",
    method: "PATCH",
    path: `${base}/:id`,
    summary: "Change the name or the description of a team, how many runs its members may have at once, or how those are isolated at least",
    params,
    body: TeamChange,
    responses: { 200: Team },
    errors: [...refusals],
  }),
  deleteTeam: route({
    ...common,
    audit: "team.delete",
    method: "DELETE",
    path: `${base}/:id`,
    summary: "Delete a team, and every grant that it has",
    params,
    query: z.object({
      transferTo: z.string().max(64).optional().describe("who gets the assets that it owns: `me`, or another team of yours"),
    }),
    responses: { 204: "none" },
    errors: [...refusals, "team_owns_assets"],
  }),
  getTeamGrants: route({
    ...common,
    method: "GET",
    path: `${base}/:id/grants`,
    summary: "How much a team has been given, which its members lose when it is deleted, and how many assets it owns",
    params,
    responses: { 200: z.object({ runs: z.int(), sandboxes: z.int(), assets: z.int(), ownedAssets: z.int() }) },
    errors: [...refusals],
  }),
  listTeamMembers: route({
    ...common,
    method: "GET",
    path: `${base}/:id/members`,
    summary: "List the members of a team",
    params,
    query: z.object(pageQuery),
    responses: { 200: pageOf(TeamMember) },
    errors: ["not_found", "invalid_cursor"],
  }),
  updateTeamMember: route({
    ...common,
    audit: "team.member_update",
    method: "PATCH",
    path: `${base}/:id/members/:userId`,
    summary: "Make a member an owner, or an owner a member; a team keeps at least one owner",
    params: memberParams,
    body: z.strictObject({ role: TeamRole }),
    responses: { 200: TeamMember },
    errors: [...refusals, "last_owner"],
  }),
  removeTeamMember: route({
    ...common,
    audit: "team.member_remove",
    method: "DELETE",
    path: `${base}/:id/members/:userId`,
    summary: "Remove a member, or leave (`me`)",
    params: memberParams,
    responses: { 204: "none" },
    errors: [...refusals, "last_owner"],
  }),
  listTeamInvitations: route({
    ...common,
    method: "GET",
    path: `${base}/:id/invitations`,
    summary: "List the invitations that are open",
    params,
    query: z.object(pageQuery),
    responses: { 200: pageOf(TeamInvitation) },
    errors: [...refusals, "invalid_cursor"],
  }),
  inviteToTeam: route({
    ...common,
    audit: "team.invite",
    method: "POST",
    path: `${base}/:id/invitations`,
    once: "shown",
    summary: "Invite somebody by e-mail; the link is also shown this once",
    params,
    body: TeamInvitationInput,
    responses: { 201: z.object({ invitation: TeamInvitation, url: z.url() }).meta({ id: "NewTeamInvitation" }) },
    errors: [...refusals, "conflict"],
  }),
  revokeTeamInvitation: route({
    ...common,
    audit: "team.invitation_revoke",
    method: "DELETE",
    path: `${base}/:id/invitations/:invitationId`,
    summary: "Take an invitation back",
    params: invitationParams,
    responses: { 204: "none" },
    errors: [...refusals],
  }),
  joinTeam: route({
    ...common,
    audit: "team.join",
    method: "POST",
    path: `${base}/join`,
    summary: "Accept an invitation: by its link's token, or by its id for whoever has the address that it was sent to",
    body: z.union([z.strictObject({ token: z.string().min(1).max(128) }), z.strictObject({ invitationId: z.string().min(1).max(64) })]),
    responses: { 200: Team },
    errors: ["invitation_invalid"],
  }),
};
