import type { Role } from "@syla/contracts/accounts";
import type { AdminOverview, UserFilter, UserHoldings } from "@syla/contracts/admin";
import { sql } from "kysely";
import { notify, type Queries, type Work } from "../platform/database.ts";
import { keepCounts, transferCounts } from "../usage/service.ts";
import { forgetPerson, type Forgotten } from "./forgetting/store.ts";

const userColumns = [
  "id",
  "name",
  "email",
  "role",
  "status",
  "suspended_reason",
  "two_factor_enabled",
  "created_at",
  "last_seen_at",
] as const;

export type UserRow = NonNullable<Awaited<ReturnType<typeof findUser>>>;

/** An account. */
export async function findUser(queries: Queries, id: string) {
  return await queries.selectFrom("users").select(userColumns).where("id", "=", id).executeTakeFirst();
}

/** One page, newest first. */
export async function listUsers(queries: Queries, filter: UserFilter, before: string | null): Promise<UserRow[]> {
  let query = queries.selectFrom("users").select(userColumns);
  if (before !== null) query = query.where("id", "<", before);
  if (filter.role !== undefined) query = query.where("role", "=", filter.role);
  if (filter.status !== undefined) query = query.where("status", "=", filter.status);
  if (filter.q !== undefined) {
    const pattern = `%${filter.q.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
    query = query.where((where) => where.or((["name", "email", "id"] as const).map((column) => where(column, "ilike", pattern))));
  }
  return await query
    .orderBy("id", "desc")
    .limit(filter.limit + 1)
    .execute();
}

function selectAdmins(queries: Queries) {
  return queries.selectFrom("users").select("id").where("role", "=", "admin").where("status", "=", "active").orderBy("id");
}

/** The ids of every administrator who may sign in. */
export async function listAdmins(queries: Queries): Promise<string[]> {
  return (await selectAdmins(queries).execute()).map((row) => row.id);
}

/** Locks every administrator who may sign in, in one order, and answers their ids: of two who would demote each other, one sees the other gone. */
export async function lockAdmins(work: Work): Promise<string[]> {
  return (await selectAdmins(work).forNoKeyUpdate().execute()).map((row) => row.id);
}

/** Changes an account, and tells every server that what it may do has changed. */
export async function updateUser(
  work: Work,
  id: string,
  change: { readonly role?: Role; readonly status?: "active" | "suspended"; readonly suspended_reason?: string | null },
): Promise<UserRow> {
  const row = await work
    .updateTable("users")
    .set({ ...change, updated_at: new Date() })
    .where("id", "=", id)
    .returning(userColumns)
    .executeTakeFirstOrThrow();
  await announceAccess(work, id);
  return row;
}

/** Has every server forget what it remembers of an account. */
async function announceAccess(queries: Queries, userId: string): Promise<void> {
  await notify(queries, "access_changed", `user:${userId}`);
}

/** Ends the sessions in which this administrator acts as others, and those in which others act as this person. */
export async function endImpersonations(queries: Queries, userId: string): Promise<void> {
  const ended = await queries
    .deleteFrom("sessions")
    .where((where) =>
      where.or([
        where("impersonated_by", "=", userId),
        where.and([where("user_id", "=", userId), where("impersonated_by", "is not", null)]),
      ]),
    )
    .returning("user_id")
    .execute();
  for (const { user_id: id } of ended) await announceAccess(queries, id);
}

/** Ends every session of an account. @returns how many there were */
export async function deleteSessions(queries: Queries, userId: string): Promise<number> {
  const { numDeletedRows } = await queries.deleteFrom("sessions").where("user_id", "=", userId).executeTakeFirst();
  await announceAccess(queries, userId);
  return Number(numDeletedRows);
}

/** What an account has. */
export async function countHoldings(queries: Queries, id: string): Promise<UserHoldings> {
  const { rows } = await sql<UserHoldings>`
    select (select count(*) from runs where owner_id = ${id}) as runs,
      (select count(*) from sandboxes where owner_id = ${id} and ended_at is null) as sandboxes,
      (select count(*) from api_keys where reference_id = ${id}) as "apiKeys",
      (select count(*) from sessions where user_id = ${id} and expires_at > now()) as sessions,
      (select count(*) from team_members where user_id = ${id}) as teams,
      (select count(*) from grants where subject_type = 'user' and subject_id = ${id}) as grants,
      (select count(*) from assets where owner_id = ${id} and deleted_at is null) as assets`.execute(queries);
  return rows[0] as UserHoldings;
}

/** Whether something of the account is still going on. */
export async function isBusy(queries: Queries, id: string): Promise<boolean> {
  const { rows } = await sql<{ busy: boolean }>`
    select exists (select from runs where owner_id = ${id} and finished_at is null)
      or exists (select from sandboxes where owner_id = ${id} and ended_at is null) as busy`.execute(queries);
  return rows[0]?.busy === true;
}

/** The teams that nobody else is in. */
export async function listEndingTeams(queries: Queries, id: string): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select team_id as id from team_members m where user_id = ${id}
      and not exists (select from team_members o where o.team_id = m.team_id and o.user_id <> ${id})`.execute(queries);
  return rows.map((row) => row.id);
}

/** Who keeps what somebody said to their models. */
export async function listTextOwners(queries: Queries, id: string): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select distinct model_owner_id as id from llm_calls
    where user_id = ${id} and (request_text is not null or response_text is not null)`.execute(queries);
  return rows.map((row) => row.id);
}

/** Gives the runs, and the records of sandboxes, to another account. Keys of repeated requests are not taken along: they would mix. */
export async function transferRuns(work: Work, from: string, to: string): Promise<void> {
  await transferCounts(work, from, to);
  await sql`update runs set owner_id = ${to}, idempotency_key = null where owner_id = ${from}`.execute(work);
  await work.updateTable("sandboxes").set({ owner_id: to }).where("owner_id", "=", from).execute();
}

/**
 * Removes the account with everything that is still its own, and its name from what is not. What the audit trail says stays. A team that has nobody left goes too, after
 * `endTeam` has seen to what it owns; one that has members and no owner any more gets its oldest member as owner.
 */
export async function deleteUser(work: Work, user: Forgotten, endTeam: (teamId: string) => Promise<void>): Promise<void> {
  const { id } = user;
  const memberships = await work.selectFrom("team_members").select("team_id").where("user_id", "=", id).execute();
  await sql`
    delete from grants where (resource_type = 'run' and resource_id in (select r.id from runs r where r.owner_id = ${id}))
      or (resource_type = 'sandbox' and resource_id in (select s.id from sandboxes s where s.owner_id = ${id}))`.execute(work);
  await keepCounts(work, id);
  await work.deleteFrom("runs").where("owner_id", "=", id).execute();
  await work.deleteFrom("sandboxes").where("owner_id", "=", id).execute();
  await work.deleteFrom("grants").where("subject_type", "=", "user").where("subject_id", "=", id).execute();
  await sql`
    delete from share_links l where created_by = ${id}
      and not exists (select from grants where subject_type = 'link' and subject_id = l.id)`.execute(work);
  await forgetPerson(work, user);
  await work.deleteFrom("users").where("id", "=", id).execute();
  const teamIds = memberships.map((row) => row.team_id);
  const { rows: left } = await sql<{ id: string }>`
    select id from teams t where id = any(${teamIds}) and not exists (select from team_members where team_id = t.id)`.execute(work);
  for (const team of left) {
    await endTeam(team.id);
    await work.deleteFrom("grants").where("subject_type", "=", "team").where("subject_id", "=", team.id).execute();
    await work.deleteFrom("teams").where("id", "=", team.id).execute();
  }
  await sql`
    update team_members m set role = 'owner'
    from (select distinct on (team_id) team_id, user_id from team_members where team_id = any(${teamIds}) order by team_id, created_at, user_id) o
    where m.team_id = o.team_id and m.user_id = o.user_id
      and not exists (select from team_members where team_id = m.team_id and role = 'owner')`.execute(work);
  await announceAccess(work, id);
}

/** The session in which an administrator acts as somebody, by its id. */
export async function findImpersonation(queries: Queries, sessionId: string) {
  return await queries
    .selectFrom("sessions")
    .select(["impersonated_by", "impersonation_reason", "expires_at"])
    .where("id", "=", sessionId)
    .where("impersonated_by", "is not", null)
    .executeTakeFirst();
}

/** People and teams in numbers; deliveries are counted here too, since they are a part of the same picture. */
export async function readOverview(queries: Queries): Promise<Omit<AdminOverview, "mail">> {
  const { rows } = await sql<{ overview: Omit<AdminOverview, "mail"> }>`
    select jsonb_build_object(
      'users', (select jsonb_build_object('total', count(*), 'admins', count(*) filter (where role = 'admin'),
        'developers', count(*) filter (where role = 'developer'), 'endUsers', count(*) filter (where role = 'end_user'),
        'suspended', count(*) filter (where status = 'suspended'),
        'seenThisWeek', count(*) filter (where last_seen_at > now() - interval '7 days')) from users),
      'teams', jsonb_build_object('total', (select count(*) from teams), 'members', (select count(distinct user_id) from team_members)),
      'invitations', (select count(*) from invitations where accepted_at is null and revoked_at is null and expires_at > now()),
      'sessions', (select count(*) from sessions where expires_at > now()),
      'deliveries', (select jsonb_build_object('due', count(*) filter (where state = 'due'), 'failed', count(*) filter (where state = 'failed'))
        from deliveries where state <> 'sent')) as overview`.execute(queries);
  return rows[0]?.overview as Omit<AdminOverview, "mail">;
}
