import type { LeastTier } from "@syla/contracts/runs";
import type { TeamRole } from "@syla/contracts/teams";
import { sql, type Selectable } from "kysely";
import type { Queries, Work } from "../platform/database.ts";
import type { Schema } from "../platform/schema.ts";

export type InvitationRow = Selectable<Schema["invitations"]>;

/** A team as somebody sees it. */
export interface TeamRow extends Selectable<Schema["teams"]> {
  readonly member_count: number;
  /** The viewer's; null when they are not in it. */
  readonly role: TeamRole | null;
}

export interface MemberRow {
  readonly user_id: string;
  readonly name: string;
  readonly email: string | null;
  readonly role: TeamRole;
  readonly created_at: Date;
}

/** One page; one row more than `limit` tells that there is a next page. */
interface PageOf {
  readonly limit: number;
  readonly after: string | null;
}

function selectTeams(queries: Queries, viewerId: string) {
  return queries
    .selectFrom("teams as t")
    .leftJoin("team_members as v", (join) => join.onRef("v.team_id", "=", "t.id").on("v.user_id", "=", viewerId))
    .selectAll("t")
    .select((select) => [
      "v.role",
      select
        .selectFrom("team_members as m")
        .whereRef("m.team_id", "=", "t.id")
        .select((count) => count.fn.countAll<number>().as("count"))
        .$asScalar()
        .$notNull()
        .as("member_count"),
    ]);
}

/** Newest first. */
export async function listTeams(queries: Queries, viewerId: string, everybodys: boolean, page: PageOf): Promise<TeamRow[]> {
  let query = selectTeams(queries, viewerId);
  if (!everybodys) query = query.where("v.user_id", "is not", null);
  if (page.after !== null) query = query.where("t.id", "<", page.after);
  return await query
    .orderBy("t.id", "desc")
    .limit(page.limit + 1)
    .execute();
}

export async function findTeam(queries: Queries, id: string, viewerId: string): Promise<TeamRow | undefined> {
  return await selectTeams(queries, viewerId).where("t.id", "=", id).executeTakeFirst();
}

export async function insertTeam(
  work: Work,
  team: { id: string; name: string; slug: string; description: string; createdBy: string },
): Promise<void> {
  const { id, name, slug, description, createdBy } = team;
  await work.insertInto("teams").values({ id, name, slug, description, created_by: createdBy }).execute();
  await work.insertInto("team_members").values({ team_id: id, user_id: createdBy, role: "owner" }).execute();
}

export async function changeTeam(
  queries: Queries,
  id: string,
  change: { name?: string; description?: string; concurrent_runs?: number | null; least_tier?: LeastTier },
): Promise<void> {
  await queries
    .updateTable("teams")
    .set({ ...change, updated_at: sql<Date>`now()` })
    .where("id", "=", id)
    .execute();
}

/** Deletes a team with its members, invitations and grants. */
export async function deleteTeam(work: Work, id: string): Promise<void> {
  await work.deleteFrom("grants").where("subject_type", "=", "team").where("subject_id", "=", id).execute();
  await work.deleteFrom("teams").where("id", "=", id).execute();
}

/** How many things of each type a team has been given. */
export async function countGrants(queries: Queries, id: string): Promise<{ runs: number; sandboxes: number; assets: number }> {
  const rows = await queries
    .selectFrom("grants")
    .select((select) => ["resource_type", select.fn.countAll<number>().as("count")])
    .where("subject_type", "=", "team")
    .where("subject_id", "=", id)
    .where((where) => where.or([where("expires_at", "is", null), where("expires_at", ">", sql<Date>`now()`)]))
    .groupBy("resource_type")
    .execute();
  const count = (type: string) => rows.find((row) => row.resource_type === type)?.count ?? 0;
  return { runs: count("run"), sandboxes: count("sandbox"), assets: count("asset") };
}

function selectMembers(queries: Queries, teamId: string) {
  return queries
    .selectFrom("team_members as m")
    .innerJoin("users as u", "u.id", "m.user_id")
    .select(["m.user_id", "u.name", "u.email", "m.role", "m.created_at"])
    .where("m.team_id", "=", teamId);
}

/** In the order of their ids. */
export async function listMembers(queries: Queries, teamId: string, page: PageOf): Promise<MemberRow[]> {
  let query = selectMembers(queries, teamId);
  if (page.after !== null) query = query.where("m.user_id", ">", page.after);
  return await query
    .orderBy("m.user_id")
    .limit(page.limit + 1)
    .execute();
}

export async function findMember(queries: Queries, teamId: string, userId: string): Promise<MemberRow | undefined> {
  return await selectMembers(queries, teamId).where("m.user_id", "=", userId).executeTakeFirst();
}

/** Holds a team's owners as they are until the transaction ends. @returns how many there are */
export async function lockOwners(work: Work, teamId: string): Promise<number> {
  await work.selectFrom("teams").select("id").where("id", "=", teamId).forUpdate().execute();
  const row = await work
    .selectFrom("team_members")
    .select((select) => select.fn.countAll<number>().as("count"))
    .where("team_id", "=", teamId)
    .where("role", "=", "owner")
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Adds a member, or makes one an owner. */
export async function addMember(work: Work, teamId: string, userId: string, role: TeamRole): Promise<void> {
  await work
    .insertInto("team_members")
    .values({ team_id: teamId, user_id: userId, role })
    .onConflict((conflict) =>
      role === "owner"
        ? conflict.columns(["team_id", "user_id"]).doUpdateSet({ role })
        : conflict.columns(["team_id", "user_id"]).doNothing(),
    )
    .execute();
}

export async function setMemberRole(work: Work, teamId: string, userId: string, role: TeamRole): Promise<void> {
  await work.updateTable("team_members").set({ role }).where("team_id", "=", teamId).where("user_id", "=", userId).execute();
}

export async function removeMember(work: Work, teamId: string, userId: string): Promise<void> {
  await work.deleteFrom("team_members").where("team_id", "=", teamId).where("user_id", "=", userId).execute();
}

function openInvitations(queries: Queries) {
  return queries
    .selectFrom("invitations")
    .selectAll()
    .where("accepted_at", "is", null)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", sql<Date>`now()`);
}

/** Newest first. */
export async function listInvitations(queries: Queries, teamId: string, page: PageOf): Promise<InvitationRow[]> {
  let query = openInvitations(queries).where("team_id", "=", teamId);
  if (page.after !== null) query = query.where("id", "<", page.after);
  return await query
    .orderBy("id", "desc")
    .limit(page.limit + 1)
    .execute();
}

export async function insertInvitation(
  work: Work,
  invitation: { id: string; email: string; teamId: string; role: TeamRole; tokenHash: string; invitedBy: string; expiresAt: Date },
): Promise<InvitationRow> {
  const { id, email, teamId, role, tokenHash, invitedBy, expiresAt } = invitation;
  return await work
    .insertInto("invitations")
    .values({ id, email, team_id: teamId, team_role: role, token_hash: tokenHash, invited_by: invitedBy, expires_at: expiresAt })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** @returns whether there was an open one */
export async function revokeInvitation(queries: Queries, teamId: string, id: string): Promise<boolean> {
  const result = await queries
    .updateTable("invitations")
    .set({ revoked_at: sql<Date>`now()` })
    .where("team_id", "=", teamId)
    .where("id", "=", id)
    .where("accepted_at", "is", null)
    .where("revoked_at", "is", null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Uses up an open invitation to a team. Undefined when there is none. */
export async function takeInvitation(work: Work, tokenHash: string): Promise<InvitationRow | undefined> {
  return await work
    .updateTable("invitations")
    .set({ accepted_at: sql<Date>`now()` })
    .where("token_hash", "=", tokenHash)
    .where("team_id", "is not", null)
    .where("accepted_at", "is", null)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", sql<Date>`now()`)
    .returningAll()
    .executeTakeFirst();
}

/** The same by its id, for whoever has confirmed the address that it was sent to. */
export async function takeInvitationTo(work: Work, id: string, userId: string): Promise<InvitationRow | undefined> {
  return await work
    .updateTable("invitations")
    .from("users")
    .set({ accepted_at: sql<Date>`now()` })
    .where("invitations.id", "=", id)
    .where("users.id", "=", userId)
    .where("users.email_verified", "=", true)
    .where(sql<string>`lower(users.email)`, "=", sql.ref<string>("invitations.email"))
    .where("team_id", "is not", null)
    .where("accepted_at", "is", null)
    .where("revoked_at", "is", null)
    .where("expires_at", ">", sql<Date>`now()`)
    .returningAll("invitations")
    .executeTakeFirst();
}

export async function countOpenInvitations(queries: Queries, teamId: string): Promise<number> {
  const row = await queries
    .selectFrom(openInvitations(queries).where("team_id", "=", teamId).as("open"))
    .select((select) => select.fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  return row.count;
}

export async function findUserName(queries: Queries, id: string): Promise<string> {
  return (await queries.selectFrom("users").select("name").where("id", "=", id).executeTakeFirst())?.name ?? "";
}
