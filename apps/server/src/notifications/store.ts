import type { NotificationFilter, NotificationType } from "@syla/contracts/notifications";
import { sql, type Selectable } from "kysely";
import { notify as send, type Queries } from "../platform/database.ts";
import type { Schema } from "../platform/schema.ts";

export type NotificationRow = Selectable<Schema["notifications"]>;

/** Tells every server whose notifications have changed. */
export const notificationsChannel = "notifications";

/** A person, as far as it matters where they are told of something. */
export interface Recipient {
  readonly user_id: string;
  readonly name: string;
  readonly email: string | null;
  readonly time_zone: string;
  readonly value: object | null;
}

/**
 * The next number in the stream of each person, those who do not exist left out. Held until the transaction ends: that is what makes
 * numbers visible in their order. Always locked in the order of the ids, so that two at once do not wait for each other.
 */
export async function nextNumbers(queries: Queries, userIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ user_id: string; last_seq: number }>`
    insert into notification_streams (user_id, last_seq)
    select id, 1 from users where id = any(${[...userIds]}) order by id
    on conflict (user_id) do update set last_seq = notification_streams.last_seq + 1
    returning user_id, last_seq`.execute(queries);
  return new Map(rows.map((row) => [row.user_id, row.last_seq]));
}

/** Those of the people who exist and may sign in, with what they chose. */
export async function findRecipients(queries: Queries, userIds: readonly string[]): Promise<Recipient[]> {
  return await queries
    .selectFrom("users as u")
    .leftJoin("notification_preferences as p", "p.user_id", "u.id")
    .select(["u.id as user_id", "u.name", "u.email", "u.time_zone", "p.value"])
    .where((where) => where("u.id", "=", where.fn.any(where.val([...userIds]))))
    .where("u.status", "=", "active")
    .execute();
}

/** A notification before it is stored. */
export interface NewNotification {
  readonly id: string;
  readonly userId: string;
  readonly seq: number;
  readonly type: NotificationType;
  readonly title: string;
  readonly body: string;
  readonly link: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly inApp: boolean;
}

/** Stores notifications and tells every server. */
export async function insertNotifications(queries: Queries, notifications: readonly NewNotification[]): Promise<void> {
  if (notifications.length === 0) return;
  await queries
    .insertInto("notifications")
    .values(
      notifications.map(({ id, userId, seq, type, title, body, link, details, inApp }) => ({
        id,
        user_id: userId,
        seq,
        type,
        title,
        body,
        link,
        details: JSON.stringify(details),
        in_app: inApp,
      })),
    )
    .execute();
  for (const userId of new Set(notifications.map((notification) => notification.userId))) await send(queries, notificationsChannel, userId);
}

/** One page, newest first; `before` is the number to begin below. */
export async function listNotifications(
  queries: Queries,
  userId: string,
  filter: NotificationFilter,
  before: number | null,
): Promise<NotificationRow[]> {
  let query = queries.selectFrom("notifications").selectAll().where("user_id", "=", userId).where("in_app", "=", true);
  if (before !== null) query = query.where("seq", "<", before);
  if (filter.type !== undefined) query = query.where("type", "=", filter.type);
  if (filter.unread !== undefined) query = query.where("read_at", filter.unread ? "is" : "is not", null);
  return await query
    .orderBy("seq", "desc")
    .limit(filter.limit + 1)
    .execute();
}

/** Those after a number, in order. */
export async function listAfter(queries: Queries, userId: string, seq: number, limit: number): Promise<NotificationRow[]> {
  return await queries
    .selectFrom("notifications")
    .selectAll()
    .where("user_id", "=", userId)
    .where("seq", ">", seq)
    .orderBy("seq")
    .limit(limit)
    .execute();
}

/** How many are unread, and the newest number. */
export async function countUnread(queries: Queries, userId: string): Promise<{ unread: number; seq: number }> {
  const { rows } = await sql<{ unread: number; seq: number }>`
    select (select count(*) from notifications where user_id = ${userId} and read_at is null and in_app) as unread,
      coalesce((select last_seq from notification_streams where user_id = ${userId}), 0) as seq`.execute(queries);
  return rows[0] ?? { unread: 0, seq: 0 };
}

/** Marks one; answers it as it is then. */
export async function setRead(queries: Queries, userId: string, id: string, read: boolean): Promise<NotificationRow | undefined> {
  const row = await queries
    .updateTable("notifications")
    .set({ read_at: read ? sql<Date>`coalesce(read_at, now())` : null })
    .where("id", "=", id)
    .where("user_id", "=", userId)
    .where("in_app", "=", true)
    .returningAll()
    .executeTakeFirst();
  if (row !== undefined) await send(queries, notificationsChannel, userId);
  return row;
}

/** Marks all up to a number. @returns how many were unread */
export async function setAllRead(queries: Queries, userId: string, upTo: number | undefined): Promise<number> {
  let query = queries.updateTable("notifications").set({ read_at: new Date() }).where("user_id", "=", userId).where("read_at", "is", null);
  if (upTo !== undefined) query = query.where("seq", "<=", upTo);
  const { numUpdatedRows } = await query.executeTakeFirst();
  if (numUpdatedRows > 0n) await send(queries, notificationsChannel, userId);
  return Number(numUpdatedRows);
}

/** Removes one. @returns whether there was one */
export async function deleteNotification(queries: Queries, userId: string, id: string): Promise<boolean> {
  const { numDeletedRows } = await queries
    .deleteFrom("notifications")
    .where("id", "=", id)
    .where("user_id", "=", userId)
    .where("in_app", "=", true)
    .executeTakeFirst();
  if (numDeletedRows > 0n) await send(queries, notificationsChannel, userId);
  return numDeletedRows > 0n;
}

/** How many of a type a person was told of since. */
export async function countSince(queries: Queries, userId: string, type: NotificationType, since: Date): Promise<number> {
  const row = await queries
    .selectFrom("notifications")
    .select((select) => select.fn.countAll<number>().as("count"))
    .where("user_id", "=", userId)
    .where("type", "=", type)
    .where("created_at", ">=", since)
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Stores what a person chose. A digest that begins now tells of what comes from now on. */
export async function savePreferences(
  queries: Queries,
  userId: string,
  change: { readonly value: object; readonly timeZone: string; readonly digestDueAt: Date | null },
): Promise<void> {
  const value = JSON.stringify(change.value);
  await queries.updateTable("users").set({ time_zone: change.timeZone }).where("id", "=", userId).execute();
  await sql`
    insert into notification_preferences as p (user_id, value, digest_due_at, digest_seq)
    values (${userId}, ${value}::jsonb, ${change.digestDueAt}, coalesce((select last_seq from notification_streams where user_id = ${userId}), 0))
    on conflict (user_id) do update set value = excluded.value, updated_at = now(), digest_due_at = excluded.digest_due_at,
      digest_seq = case when p.digest_due_at is null then excluded.digest_seq else p.digest_seq end`.execute(queries);
}

/** Locks the person's row, so that of two changes at once none is lost. */
export async function lockRecipient(queries: Queries, userId: string): Promise<Recipient | undefined> {
  await queries.selectFrom("users").select("id").where("id", "=", userId).forNoKeyUpdate().execute();
  return (await findRecipients(queries, [userId]))[0];
}

/** One digest that is due, held by this transaction. */
export async function takeDueDigest(work: Queries): Promise<{ user_id: string; digest_seq: number } | undefined> {
  return await work
    .selectFrom("notification_preferences")
    .select(["user_id", "digest_seq"])
    .where("digest_due_at", "<=", sql<Date>`now()`)
    .orderBy("digest_due_at")
    .limit(1)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
}

/** Says when the next one is due, and up to where this one went. */
export async function settleDigest(work: Queries, userId: string, seq: number, dueAt: Date | null): Promise<void> {
  await work.updateTable("notification_preferences").set({ digest_due_at: dueAt, digest_seq: seq }).where("user_id", "=", userId).execute();
}
