import { levelsFrom, type AccessLevel, type ResourceType } from "@syla/contracts/access";
import { sql, type Selectable, type SqlBool } from "kysely";
import { newId } from "../../platform/ids.ts";
import type { Queries, Work } from "../../platform/database.ts";
import type { Schema } from "../../platform/schema.ts";

export type GrantRow = Selectable<Schema["grants"]>;

/** A grant with the words that people read. */
export interface NamedGrant extends GrantRow {
  readonly subject_name: string;
  readonly creator_name: string | null;
  readonly use_count: number | null;
  /** Of a link: whether it is for people with an account alone. */
  readonly needs_account: boolean | null;
}

/** What is granted, and by whom. */
export interface NewGrant {
  readonly resourceType: ResourceType;
  readonly resourceId: string;
  readonly subjectType: GrantRow["subject_type"];
  readonly subjectId: string;
  readonly level: AccessLevel;
  readonly createdBy: string;
  readonly expiresAt: Date | null;
}

/** The most grants on one thing. */
const mostGrants = 500;

/** One at a time gives access to a thing, until the transaction ends. */
export async function lockGrants(work: Work, resourceType: string, resourceId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`grants on ${resourceType} ${resourceId}`}, 0))`.execute(work);
}

/** Grants, in place of the grant that the subject has already. Undefined: there are too many. */
export async function upsertGrant(work: Work, grant: NewGrant): Promise<string | undefined> {
  const { resourceType, resourceId } = grant;
  await lockGrants(work, resourceType, resourceId);
  const { count } = await work
    .selectFrom("grants")
    .select((select) => select.fn.countAll<number>().as("count"))
    .where("resource_type", "=", resourceType)
    .where("resource_id", "=", resourceId)
    .executeTakeFirstOrThrow();
  if (count >= mostGrants) return undefined;
  const row = await work
    .insertInto("grants")
    .values({
      id: newId("grant"),
      resource_type: resourceType,
      resource_id: resourceId,
      subject_type: grant.subjectType,
      subject_id: grant.subjectId,
      level: grant.level,
      created_by: grant.createdBy,
      expires_at: grant.expiresAt,
    })
    .onConflict((conflict) =>
      conflict
        .columns(["resource_type", "resource_id", "subject_type", "subject_id"])
        .doUpdateSet({ level: grant.level, expires_at: grant.expiresAt }),
    )
    .returning("id")
    .executeTakeFirstOrThrow();
  return row.id;
}

function selectNamed(queries: Queries) {
  return queries
    .selectFrom("grants as g")
    .leftJoin("users as c", "c.id", "g.created_by")
    .leftJoin("users as u", (join) => join.onRef("u.id", "=", "g.subject_id").on("g.subject_type", "=", "user"))
    .leftJoin("teams as t", (join) => join.onRef("t.id", "=", "g.subject_id").on("g.subject_type", "=", "team"))
    .leftJoin("share_links as s", (join) => join.onRef("s.id", "=", "g.subject_id").on("g.subject_type", "=", "link"))
    .selectAll("g")
    .select([
      "c.name as creator_name",
      "s.use_count",
      "s.needs_account",
      sql<string>`coalesce(u.email, t.name, s.start, g.subject_id)`.as("subject_name"),
    ]);
}

/** One page, newest first; one row more than `limit` tells that there is a next page. */
export async function listGrants(
  queries: Queries,
  type: ResourceType,
  id: string,
  page: { limit: number; before: string | null },
): Promise<NamedGrant[]> {
  let query = selectNamed(queries).where("g.resource_type", "=", type).where("g.resource_id", "=", id);
  if (page.before !== null) query = query.where("g.id", "<", page.before);
  return await query
    .orderBy("g.id", "desc")
    .limit(page.limit + 1)
    .execute();
}

export async function findGrant(queries: Queries, id: string): Promise<NamedGrant | undefined> {
  return await selectNamed(queries).where("g.id", "=", id).executeTakeFirst();
}

/** A grant as it stays until the transaction ends. */
export async function lockGrant(work: Work, id: string): Promise<GrantRow | undefined> {
  return await work.selectFrom("grants").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
}

export async function changeGrant(
  queries: Queries,
  id: string,
  change: { level?: AccessLevel; expires_at?: Date | null },
): Promise<NamedGrant | undefined> {
  if (Object.keys(change).length > 0) await queries.updateTable("grants").set(change).where("id", "=", id).execute();
  return await findGrant(queries, id);
}

/** Takes a grant back; a link goes with its grant. */
export async function deleteGrant(work: Work, id: string): Promise<void> {
  const row = await work.deleteFrom("grants").where("id", "=", id).returning(["subject_type", "subject_id"]).executeTakeFirst();
  if (row?.subject_type === "link") await work.deleteFrom("share_links").where("id", "=", row.subject_id).execute();
}

export async function findPersonName(queries: Queries, id: string): Promise<string> {
  return (await queries.selectFrom("users").select("name").where("id", "=", id).executeTakeFirst())?.name ?? "";
}

/** What the owner of a thing is called: a person, a team, or the product itself. */
export async function findOwnerName(queries: Queries, id: string): Promise<string> {
  if (id === "system") return "Syla";
  if (!id.startsWith("team_")) return await findPersonName(queries, id);
  return (await queries.selectFrom("teams").select("name").where("id", "=", id).executeTakeFirst())?.name ?? "";
}

export async function insertShareLink(
  work: Work,
  link: { id: string; tokenHash: string; start: string; createdBy: string; needsAccount: boolean },
): Promise<void> {
  await work
    .insertInto("share_links")
    .values({ id: link.id, token_hash: link.tokenHash, start: link.start, created_by: link.createdBy, needs_account: link.needsAccount })
    .execute();
}

/** Puts a link that was just made in the place of the one that a grant has: what was redeemed goes over, and the one before is gone. */
export async function replaceLink(work: Work, { id: grantId, subject_id: before }: Pick<GrantRow, "id" | "subject_id">, linkId: string) {
  // Whoever is redeeming it has been counted before it is moved, or finds it gone.
  await work.selectFrom("share_links").select("id").where("id", "=", before).forUpdate().execute();
  await work.updateTable("share_link_uses").set({ link_id: linkId }).where("link_id", "=", before).execute();
  await sql`update share_links set use_count = (select use_count from share_links where id = ${before}) where id = ${linkId}`.execute(work);
  await work.updateTable("grants").set({ subject_id: linkId }).where("id", "=", grantId).execute();
  await work.deleteFrom("share_links").where("id", "=", before).execute();
}

const isLive = sql<SqlBool>`(g.expires_at is null or g.expires_at > now())`;

/** A link that still gives something. */
export async function findLiveLink(queries: Queries, tokenHash: string): Promise<{ id: string; needs_account: boolean } | undefined> {
  return await queries
    .selectFrom("share_links as s")
    .innerJoin("grants as g", (join) => join.onRef("g.subject_id", "=", "s.id").on("g.subject_type", "=", "link"))
    .select(["s.id", "s.needs_account"])
    .where("s.token_hash", "=", tokenHash)
    .where(isLive)
    .executeTakeFirst();
}

/** What a link gives. */
export async function findLinkGrant(queries: Queries, linkId: string): Promise<GrantRow | undefined> {
  return await queries
    .selectFrom("grants as g")
    .selectAll("g")
    .where("g.subject_type", "=", "link")
    .where("g.subject_id", "=", linkId)
    .where(isLive)
    .executeTakeFirst();
}

/** The grant of a link that still lives, and its person's use of it, counted once. */
export async function redeemLink(work: Work, tokenHash: string, userId: string): Promise<GrantRow | undefined> {
  const grant = await work
    .selectFrom("share_links as s")
    .innerJoin("grants as g", (join) => join.onRef("g.subject_id", "=", "s.id").on("g.subject_type", "=", "link"))
    .selectAll("g")
    .where("s.token_hash", "=", tokenHash)
    .where(isLive)
    .forUpdate("s")
    .executeTakeFirst();
  if (grant === undefined) return undefined;
  const used = await work
    .insertInto("share_link_uses")
    .values({ link_id: grant.subject_id, user_id: userId })
    .onConflict((conflict) => conflict.doNothing())
    .returning("link_id")
    .executeTakeFirst();
  await work
    .updateTable("share_links")
    .set((set) => ({ last_used_at: sql<Date>`now()`, use_count: set("use_count", "+", used === undefined ? 0 : 1) }))
    .where("id", "=", grant.subject_id)
    .execute();
  return grant;
}

/** Somebody with access, by one way. People are told apart by their address, so that nothing tells whether one has an account. */
export interface PersonRow {
  readonly key: string;
  readonly name: string;
  readonly reasons: readonly {
    readonly type: "owner" | "direct" | "team" | "link";
    readonly level: AccessLevel;
    readonly name: string | null;
    readonly teamRole: "owner" | "member" | null;
    readonly expiresAt: string | null;
  }[];
}

/** Who has access to a thing and by what, one page in the order of `key`. */
export async function listPeople(
  queries: Queries,
  type: ResourceType,
  id: string,
  ownerId: string,
  page: { limit: number; after: string | null },
): Promise<PersonRow[]> {
  const { rows } = await sql<PersonRow>`
    with live as (select * from grants g where g.resource_type = ${type} and g.resource_id = ${id} and (g.expires_at is null or g.expires_at > now())),
    ways as (
      select coalesce(lower(u.email), u.id) as key, u.name as person, 'owner' as type, 'admin' as level, null as name, null as role, null::timestamptz as expires_at
        from users u where u.id = ${ownerId}
      union all select coalesce(lower(u.email), u.id), u.name, 'team', case m.role when 'owner' then 'admin' else 'edit' end, t.name, m.role, null
        from team_members m join teams t on t.id = m.team_id join users u on u.id = m.user_id where m.team_id = ${ownerId}
      union all select coalesce(lower(u.email), g.subject_id), null, 'direct', g.level, null, null, g.expires_at
        from live g left join users u on g.subject_type = 'user' and u.id = g.subject_id where g.subject_type in ('user', 'email')
      union all select coalesce(lower(u.email), u.id), u.name, 'team', g.level, t.name, null, g.expires_at
        from live g join team_members m on g.subject_type = 'team' and m.team_id = g.subject_id
        join teams t on t.id = m.team_id join users u on u.id = m.user_id
      union all select coalesce(lower(u.email), u.id), u.name, 'link', g.level, s.start, null, g.expires_at
        from live g join share_link_uses l on g.subject_type = 'link' and l.link_id = g.subject_id
        join share_links s on s.id = l.link_id join users u on u.id = l.user_id)
    select key, coalesce(max(person), key) as name, jsonb_agg(jsonb_build_object('type', type, 'level', level, 'name', name,
      'teamRole', role, 'expiresAt', to_char(expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))) as reasons
    from ways where ${page.after}::text is null or key > ${page.after}
    group by key order by key limit ${page.limit + 1}`.execute(queries);
  return rows;
}

/** People who have at least this of a thing, as its owner or by what was granted on it. */
export async function findHolders(
  queries: Queries,
  type: ResourceType,
  id: string,
  ownerId: string,
  level: AccessLevel,
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    with live as (select * from grants g where g.resource_type = ${type} and g.resource_id = ${id}
      and (g.expires_at is null or g.expires_at > now()) and g.level = any(${levelsFrom(level)}::text[])),
    holders as (
      select ${ownerId} as id
      union select g.subject_id from live g where g.subject_type = 'user'
      union select m.user_id from live g join team_members m on g.subject_type = 'team' and m.team_id = g.subject_id
      union select l.user_id from live g join share_link_uses l on g.subject_type = 'link' and l.link_id = g.subject_id)
    select u.id from holders h join users u on u.id = h.id where u.status = 'active' order by u.id limit 500`.execute(queries);
  return rows.map((row) => row.id);
}

/** What was granted to an address becomes its account's; of two grants on one thing the more generous stays, with the cap that makes it so. */
export async function moveEmailGrants(work: Work, userId: string, email: string): Promise<void> {
  const levels = sql`array['view', 'run', 'edit', 'admin']`;
  // One that let nobody spend anything, or does not any more, has no cap that says how much.
  await sql`
    insert into spend_caps (model_id, subject, amount, period, updated_by, updated_at)
    select c.model_id, kept.id, c.amount, c.period, c.updated_by, c.updated_at
    from grants moved join grants kept on kept.resource_type = moved.resource_type and kept.resource_id = moved.resource_id
    join spend_caps c on c.model_id = moved.resource_id and c.subject = moved.id
    where moved.subject_type = 'email' and moved.subject_id = ${email} and kept.subject_type = 'user' and kept.subject_id = ${userId}
      and (kept.level = 'view' or kept.expires_at <= now())
    on conflict do nothing`.execute(work);
  await sql`
    with moved as (delete from grants where subject_type = 'email' and subject_id = ${email} returning *)
    insert into grants (id, resource_type, resource_id, subject_type, subject_id, level, created_by, created_at, expires_at)
    select id, resource_type, resource_id, 'user', ${userId}, level, created_by, created_at, expires_at from moved
    on conflict (resource_type, resource_id, subject_type, subject_id) do update set
      level = case when array_position(${levels}, excluded.level) > array_position(${levels}, grants.level) then excluded.level else grants.level end,
      expires_at = case when excluded.expires_at is null or grants.expires_at is null then null else greatest(excluded.expires_at, grants.expires_at) end`.execute(
    work,
  );
}

export async function listMemberIds(queries: Queries, teamId: string): Promise<string[]> {
  const rows = await queries.selectFrom("team_members").select("user_id").where("team_id", "=", teamId).execute();
  return rows.map((row) => row.user_id);
}
