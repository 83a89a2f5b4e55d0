import { levelsFrom, type AccessLevel, type ResourceType } from "@syla/contracts/access";
import type { Role } from "@syla/contracts/accounts";
import type { TeamRole } from "@syla/contracts/teams";
import { type Expression, sql, type SqlBool } from "kysely";
import type { Queries, Work } from "../platform/database.ts";
import type { Actor } from "./actor.ts";
import { can } from "./permission.ts";

/** Who asks, as far as lists depend on it. */
export type Viewer = Pick<Actor, "userId" | "role">;

/** A grant that reaches somebody, and by what. `name`: of the team, or the first characters of the link. */
export interface ReachingGrant {
  readonly via: "direct" | "team" | "link";
  readonly name: string | null;
  readonly level: AccessLevel;
  readonly expires_at: Date | null;
}

/** Whether the grant `g` reaches a person: given to them, to a team of theirs, or by a link that they have redeemed. */
const reaches = (userId: string | Expression<unknown>) => sql<SqlBool>`(
  (g.subject_type = 'user' and g.subject_id = ${userId})
  or (g.subject_type = 'team' and exists (select from team_members m where m.team_id = g.subject_id and m.user_id = ${userId}))
  or (g.subject_type = 'link' and exists (select from share_link_uses l where l.link_id = g.subject_id and l.user_id = ${userId})))`;

/** The grants on a thing that reach a person, or somebody with a link alone, and have not expired. */
export async function findReachingGrants(
  queries: Queries,
  { userId, linkId }: Pick<Actor, "userId" | "linkId">,
  type: ResourceType,
  id: string,
): Promise<ReachingGrant[]> {
  const reached = linkId === undefined ? reaches(userId) : sql<SqlBool>`(g.subject_type = 'link' and g.subject_id = ${linkId})`;
  const { rows } = await sql<ReachingGrant>`
    select case g.subject_type when 'user' then 'direct' else g.subject_type end as via, coalesce(t.name, s.start) as name, g.level, g.expires_at
    from grants g
    left join teams t on g.subject_type = 'team' and t.id = g.subject_id
    left join share_links s on g.subject_type = 'link' and s.id = g.subject_id
    where g.resource_type = ${type} and g.resource_id = ${id} and (g.expires_at is null or g.expires_at > now()) and ${reached}
    order by g.id`.execute(queries);
  return rows;
}

/** What somebody is in the team that owns a thing; null when no team of theirs does. */
export async function findTeamRole(queries: Queries, userId: string, ownerId: string): Promise<TeamRole | null> {
  if (!ownerId.startsWith("team_")) return null;
  const query = queries.selectFrom("team_members").select("role").where("team_id", "=", ownerId).where("user_id", "=", userId);
  return (await query.executeTakeFirst())?.role ?? null;
}

/** Whose a workspace is that has not been deleted. */
export async function findWorkspaceOwner(queries: Queries, id: string): Promise<string | undefined> {
  const query = queries.selectFrom("workspaces").select("owner_id").where("id", "=", id).where("deleted_at", "is", null);
  return (await query.executeTakeFirst())?.owner_id;
}

/** What grants give somebody on each of several things, and whether they give anybody anything. */
export async function findLevels(
  queries: Queries,
  userId: string,
  type: ResourceType,
  ids: readonly string[],
): Promise<{ id: string; levels: AccessLevel[] }[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<{ id: string; levels: AccessLevel[] }>`
    select g.resource_id as id, coalesce(array_agg(g.level) filter (where ${reaches(userId)}), '{}') as levels
    from grants g where g.resource_type = ${type} and g.resource_id = any(${[...ids]}) and (g.expires_at is null or g.expires_at > now())
    group by g.resource_id`.execute(queries);
  return rows;
}

/** The teams that somebody is in, and as what. */
export async function findTeamRoles(queries: Queries, userId: string): Promise<Map<string, TeamRole>> {
  const rows = await queries.selectFrom("team_members").select(["team_id", "role"]).where("user_id", "=", userId).execute();
  return new Map(rows.map((row) => [row.team_id, row.role]));
}

/** By what somebody sees things of a type: themselves, their teams and links, and what they see until a grant ends. */
export interface Viewpoint {
  readonly subjects: readonly string[];
  readonly ownedTeamIds: readonly string[];
  readonly lentIds: readonly string[];
}

export async function findViewpoint(queries: Queries, userId: string, type: ResourceType): Promise<Viewpoint> {
  const { rows } = await sql<{ kind: "self" | "team" | "owned" | "link" | "lent"; id: string }>`
    with subjects as (
      select 'self' as kind, ${userId}::text as id
      union all select case role when 'owner' then 'owned' else 'team' end, team_id from team_members where user_id = ${userId}
      union all select 'link', link_id from share_link_uses where user_id = ${userId})
    select * from subjects
    union all select 'lent', resource_id from grants join subjects on subjects.id = grants.subject_id
      where resource_type = ${type} and expires_at > now()`.execute(queries);
  const idsOf = (...kinds: string[]) => rows.filter(({ kind }) => kinds.includes(kind)).map(({ id }) => id);
  return { subjects: idsOf("self", "team", "owned", "link"), ownedTeamIds: idsOf("owned"), lentIds: idsOf("lent") };
}

/** The ids of the things of a type that grants give somebody, as a query inside another. */
export function grantedTo(userId: string, teamIds: readonly string[], type: ResourceType): Expression<string> {
  const live = sql`g.resource_type = ${type} and (g.expires_at is null or g.expires_at > now())`;
  return sql<string>`
    select g.resource_id from grants g where g.subject_type = 'user' and g.subject_id = ${userId} and ${live}
    union all select g.resource_id from grants g where g.subject_type = 'team' and g.subject_id = any(${[...teamIds]}) and ${live}
    union all select g.resource_id from grants g join share_link_uses l on l.link_id = g.subject_id
      where g.subject_type = 'link' and l.user_id = ${userId} and ${live}`;
}

/** Whether a grant gives somebody a thing; `userId`: a column of the query that this is a part of. */
export function isGranted(type: ResourceType, id: string, userId: Expression<unknown>): Expression<SqlBool> {
  return sql<SqlBool>`exists (select from grants g where g.resource_type = ${type} and g.resource_id = ${id}
    and (g.expires_at is null or g.expires_at > now()) and ${reaches(userId)})`;
}

/** Rows of a table of things that others have shared with the viewer, at least so far. The table's columns are `id` and `owner_id`. */
export function sharedWith(viewer: Viewer, type: ResourceType, level: AccessLevel = "view"): Expression<SqlBool> {
  const table = sql.table(`${type}s`);
  const enough = level === "view" ? sql`true` : sql`g.level = any(${levelsFrom(level)}::text[])`;
  return sql<SqlBool>`(${table}.owner_id <> ${viewer.userId} and exists (
    select from grants g where g.resource_type = ${type} and g.resource_id = ${table}.id
      and (g.expires_at is null or g.expires_at > now()) and ${enough} and ${reaches(viewer.userId)}))`;
}

/** Rows of a table of things that the viewer may see: the same rule as `can` with `view`, for lists. */
export function visibleTo(viewer: Viewer, type: ResourceType): Expression<SqlBool> {
  if (can(viewer, `${type}:list-all`)) return sql<SqlBool>`true`;
  const table = sql.table(`${type}s`);
  const open = type === "run" ? sql<SqlBool>`(${table}.visibility = 'public' or ${isShownTo(viewer)})` : sql<SqlBool>`false`;
  return sql<SqlBool>`(${table}.owner_id = ${viewer.userId} or ${open} or ${sharedWith(viewer, type)})`;
}

/** Runs that are shown to whoever may see their workspace, which the viewer may. */
function isShownTo({ userId }: Viewer): Expression<SqlBool> {
  const isOfTeam = sql`exists (select from team_members m where m.team_id = w.owner_id and m.user_id = ${userId})`;
  const isGiven = sql`exists (select from grants g where g.resource_type = 'workspace' and g.resource_id = w.id
    and (g.expires_at is null or g.expires_at > now()) and ${reaches(userId)})`;
  return sql<SqlBool>`(runs.shown_in_workspace and exists (select from workspaces w where w.id = runs.workspace_id and w.deleted_at is null
    and (w.owner_id = ${userId} or ${isOfTeam} or ${isGiven})))`;
}

/** What authentication rests on, as it is now. */
export interface Standing {
  readonly role: Role;
  readonly status: "active" | "suspended";
  /** Whether the session or the key still lets in. */
  readonly valid: boolean;
  readonly expires_at: Date | null;
}

/** Whether an actor would still be let in. Undefined: the account is gone. */
export async function findStanding(queries: Queries, actor: Actor): Promise<Standing | undefined> {
  if (actor.linkId !== undefined) return await findLinkStanding(queries, actor.linkId);
  const { rows } = await sql<Standing>`
    select u.role, u.status,
      (${actor.sessionId ?? null}::text is null or s.id is not null)
        and (${actor.keyId ?? null}::text is null or k.id is not null)
        and (${actor.tokenId ?? null}::text is null or t.id is not null) as valid,
      least(s.expires_at, k.expires_at, t.expires_at) as expires_at
    from users u
    left join sessions s on s.id = ${actor.sessionId ?? null} and s.expires_at > now()
    left join api_keys k on k.id = ${actor.keyId ?? null} and k.enabled and (k.expires_at is null or k.expires_at > now())
    left join token_families t on t.id = ${actor.tokenId ?? null} and t.expires_at > now()
    where u.id = ${actor.userId}`.execute(queries);
  return rows[0];
}

/** A link has no account. When it ends is said by its grant. */
async function findLinkStanding(queries: Queries, linkId: string): Promise<Standing | undefined> {
  const row = await queries.selectFrom("share_links").select("id").where("id", "=", linkId).executeTakeFirst();
  return row === undefined ? undefined : { role: "end_user", status: "active", valid: true, expires_at: null };
}

/** Removes every grant on things that are removed for good, with the links that were made for them. */
export async function removeGrants(work: Work, type: ResourceType, ids: readonly string[]): Promise<void> {
  const grants = await work
    .deleteFrom("grants")
    .where("resource_type", "=", type)
    .where("resource_id", "in", [...ids])
    .returning(["subject_type", "subject_id"])
    .execute();
  const links = grants.flatMap((grant) => (grant.subject_type === "link" ? [grant.subject_id] : []));
  if (links.length > 0) await work.deleteFrom("share_links").where("id", "in", links).execute();
}
