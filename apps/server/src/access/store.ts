import type { AccessLevel, ResourceType } from "@syla/contracts/access";
import type { Role } from "@syla/contracts/accounts";
import { type Expression, sql, type SqlBool } from "kysely";
import type { Queries } from "../platform/database.ts";
import type { Actor } from "./actor.ts";

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
const reaches = (userId: string) => sql<SqlBool>`(
  (g.subject_type = 'user' and g.subject_id = ${userId})
  or (g.subject_type = 'team' and exists (select from team_members m where m.team_id = g.subject_id and m.user_id = ${userId}))
  or (g.subject_type = 'link' and exists (select from share_link_uses l where l.link_id = g.subject_id and l.user_id = ${userId})))`;

/** The grants on a thing that reach a person and have not expired. */
export async function findReachingGrants(queries: Queries, userId: string, type: ResourceType, id: string): Promise<ReachingGrant[]> {
  const { rows } = await sql<ReachingGrant>`
    select case g.subject_type when 'user' then 'direct' else g.subject_type end as via, coalesce(t.name, s.start) as name, g.level, g.expires_at
    from grants g
    left join teams t on g.subject_type = 'team' and t.id = g.subject_id
    left join share_links s on g.subject_type = 'link' and s.id = g.subject_id
    where g.resource_type = ${type} and g.resource_id = ${id} and (g.expires_at is null or g.expires_at > now()) and ${reaches(userId)}
    order by g.id`.execute(queries);
  return rows;
}

/** Rows of a table of things that others have shared with the viewer. The table's columns are `id` and `owner_id`. */
export function sharedWith(viewer: Viewer, type: ResourceType): Expression<SqlBool> {
  const table = sql.table(`${type}s`);
  return sql<SqlBool>`(${table}.owner_id <> ${viewer.userId} and exists (
    select from grants g where g.resource_type = ${type} and g.resource_id = ${table}.id
      and (g.expires_at is null or g.expires_at > now()) and ${reaches(viewer.userId)}))`;
}

/** Rows of a table of things that the viewer may see: the same rule as `can` with `view`, for lists. */
export function visibleTo(viewer: Viewer, type: ResourceType): Expression<SqlBool> {
  if (viewer.role === "admin") return sql<SqlBool>`true`;
  const table = sql.table(`${type}s`);
  const open = type === "run" ? sql<SqlBool>`${table}.visibility = 'public'` : sql<SqlBool>`false`;
  return sql<SqlBool>`(${table}.owner_id = ${viewer.userId} or ${open} or ${sharedWith(viewer, type)})`;
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
  const { rows } = await sql<Standing>`
    select u.role, u.status,
      case when ${actor.sessionId ?? null}::text is not null then s.id is not null
           when ${actor.keyId ?? null}::text is not null then k.id is not null
           when ${actor.tokenId ?? null}::text is not null then t.id is not null else true end as valid,
      coalesce(s.expires_at, k.expires_at, t.expires_at) as expires_at
    from users u
    left join sessions s on s.id = ${actor.sessionId ?? null} and s.expires_at > now()
    left join api_keys k on k.id = ${actor.keyId ?? null} and k.enabled and (k.expires_at is null or k.expires_at > now())
    left join token_families t on t.id = ${actor.tokenId ?? null} and t.expires_at > now()
    where u.id = ${actor.userId}`.execute(queries);
  return rows[0];
}
