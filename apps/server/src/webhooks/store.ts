import type { WebhookFilter } from "@syla/contracts/webhooks";
import { sql, type Insertable, type Selectable, type Updateable } from "kysely";
import { databaseError, type Queries, type Work } from "../platform/database.ts";
import type { Schema } from "../platform/schema.ts";

/** A webhook as somebody sees it. */
export interface WebhookRow extends Selectable<Schema["webhooks"]> {
  readonly owner_name: string | null;
  /** What the viewer is in the team that owns it. */
  readonly team_role: "owner" | "member" | null;
}

export type EventRow = Selectable<Schema["webhook_events"]>;

/** Tells every server that something has happened that a webhook is to be told of. */
export const eventsChannel = "webhook_events";

function selectWebhooks(queries: Queries, viewerId: string) {
  return queries
    .selectFrom("webhooks as w")
    .leftJoin("users as u", "u.id", "w.owner_id")
    .leftJoin("teams as t", "t.id", "w.owner_id")
    .leftJoin("team_members as m", (join) => join.onRef("m.team_id", "=", "w.owner_id").on("m.user_id", "=", viewerId))
    .selectAll("w")
    .select(["m.role as team_role", sql<string | null>`coalesce(u.name, t.name)`.as("owner_name")]);
}

/** Newest first; one row more than `limit` tells that there is a next page. */
export async function listWebhooks(
  queries: Queries,
  viewerId: string,
  filter: WebhookFilter,
  before: string | null,
): Promise<WebhookRow[]> {
  let query = selectWebhooks(queries, viewerId).where((where) =>
    where.or([where("w.owner_id", "=", viewerId), where("m.user_id", "is not", null)]),
  );
  if (filter.ownerId !== undefined) query = query.where("w.owner_id", "=", filter.ownerId);
  if (before !== null) query = query.where("w.id", "<", before);
  return await query
    .orderBy("w.id", "desc")
    .limit(filter.limit + 1)
    .execute();
}

export async function findWebhook(queries: Queries, id: string, viewerId: string): Promise<WebhookRow | undefined> {
  return await selectWebhooks(queries, viewerId).where("w.id", "=", id).executeTakeFirst();
}

/** What sending needs of one; undefined when it is gone or its owner may not sign in. */
export async function findTarget(queries: Queries, id: string): Promise<Selectable<Schema["webhooks"]> | undefined> {
  return await queries
    .selectFrom("webhooks as w")
    .leftJoin("users as u", "u.id", "w.owner_id")
    .selectAll("w")
    .where("w.id", "=", id)
    .where((where) => where.or([where("u.id", "is", null), where("u.status", "=", "active")]))
    .executeTakeFirst();
}

/** @returns false: the owner has as many as they may have */
export async function insertWebhook(queries: Queries, row: Insertable<Schema["webhooks"]>, most: number): Promise<boolean> {
  return await queries.transaction().execute(async (work) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`webhooks ${row.owner_id}`}, 0))`.execute(work);
    const { count } = await work
      .selectFrom("webhooks")
      .select((select) => select.fn.countAll<number>().as("count"))
      .where("owner_id", "=", row.owner_id)
      .executeTakeFirstOrThrow();
    if (count >= most) return false;
    await work.insertInto("webhooks").values(row).execute();
    return true;
  });
}

export async function changeWebhook(queries: Queries, id: string, change: Updateable<Schema["webhooks"]>): Promise<void> {
  await queries
    .updateTable("webhooks")
    .set({ ...change, updated_at: sql<Date>`now()` })
    .where("id", "=", id)
    .execute();
}

export async function deleteWebhook(queries: Queries, id: string): Promise<void> {
  await queries.deleteFrom("webhooks").where("id", "=", id).execute();
}

/** The next secret; the one before signs as well for a while. */
export async function rotateSecret(queries: Queries, id: string, hours: number): Promise<void> {
  await queries
    .updateTable("webhooks")
    .set({
      secret_generation: sql<number>`secret_generation + 1`,
      previous_secret_until: sql<Date>`now() + ${hours} * interval '1 hour'`,
      updated_at: sql<Date>`now()`,
    })
    .where("id", "=", id)
    .execute();
}

/** Something was taken. Written only where it changes what is known, or now and then. */
export async function noteTaken(work: Work, id: string): Promise<void> {
  await work
    .updateTable("webhooks")
    .set({ failing_since: null, last_taken_at: sql<Date>`now()` })
    .where("id", "=", id)
    .where(sql<boolean>`(failing_since is not null or last_taken_at is null or last_taken_at < now() - interval '10 seconds')`)
    .execute();
}

/** Nothing was taken. */
export async function noteFailed(work: Work, id: string): Promise<void> {
  await work
    .updateTable("webhooks")
    .set({ failing_since: sql<Date>`now()` })
    .where("id", "=", id)
    .where("failing_since", "is", null)
    .execute();
}

/** Switches it off for a reason, when it is on; with `failingHours` only if nothing has been taken for so long. @returns it, if it was on */
export async function disable(
  work: Work,
  id: string,
  reason: string,
  failingHours = 0,
): Promise<Selectable<Schema["webhooks"]> | undefined> {
  return await work
    .updateTable("webhooks")
    .set({ enabled: false, disabled_reason: reason, updated_at: sql<Date>`now()` })
    .where("id", "=", id)
    .where("enabled", "=", true)
    .where(sql<boolean>`(${failingHours} = 0 or failing_since <= now() - ${failingHours} * interval '1 hour')`)
    .returningAll()
    .executeTakeFirst();
}

/** Who is told of what becomes of it. */
export async function findManagers(queries: Queries, ownerId: string): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`select id from users where id = ${ownerId}
    union select user_id from team_members where team_id = ${ownerId} and role = 'owner'`.execute(queries);
  return rows.map(({ id }) => id);
}

/** Some events that no other server has, with the transaction. */
export async function takeEvents(work: Work, count: number): Promise<EventRow[]> {
  return await work.selectFrom("webhook_events").selectAll().orderBy("id").limit(count).forUpdate().skipLocked().execute();
}

export async function deleteEvents(work: Work, ids: readonly number[]): Promise<void> {
  await work
    .deleteFrom("webhook_events")
    .where("id", "in", [...ids])
    .execute();
}

/** A webhook that is to be told of an event. */
export interface Wanting {
  readonly event_id: number;
  readonly webhook_id: string;
  readonly owner_id: string;
  readonly url: string;
}

/** Those who want to be told of one of the events. */
export async function findWanting(queries: Queries, eventIds: readonly number[]): Promise<Wanting[]> {
  const { rows } = await sql<Wanting>`
    select e.id as event_id, w.id as webhook_id, w.owner_id, w.url
    from webhook_events e
    join webhooks w on w.owner_id = any(e.owner_ids) and w.enabled and e.type = any(w.events)
    where e.id = any(${[...eventIds]}::bigint[])
      and (w.program_ids is null or e.type like 'quota.%' or e.program_id = any(w.program_ids))
      and (w.run_statuses is null or e.type <> 'run.finished' or e.run_status = any(w.run_statuses))
      and (w.asset_types is null or e.asset_type is null or e.asset_type = any(w.asset_types))
    order by e.id, w.id`.execute(queries);
  return rows;
}

/** What the database says of itself, and not of what it was asked: two waited for each other, it is full, or it stops. */
const passing = /^(?:08|40|53|55|57|58)/;

/** Does something as a part of a transaction that goes on without it. Null: it is done. @throws what is no matter of the thing that was done */
export async function failureOf(work: Work, perform: () => Promise<void>): Promise<Error | null> {
  await sql`savepoint handing_over`.execute(work);
  try {
    await perform();
    await sql`release savepoint handing_over`.execute(work);
    return null;
  } catch (error) {
    const { code = "" } = error as { readonly code?: string };
    if (!(error instanceof Error) || databaseError(error) !== undefined || passing.test(code)) throw error;
    await sql`rollback to savepoint handing_over`.execute(work);
    return error;
  }
}
