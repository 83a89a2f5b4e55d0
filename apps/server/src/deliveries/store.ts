import type { DeliveryFilter } from "@syla/contracts/admin";
import { sql, type RawBuilder, type Selectable } from "kysely";
import { notify, type Queries } from "../platform/database.ts";
import type { Schema } from "../platform/schema.ts";

export type DeliveryRow = Selectable<Schema["deliveries"]>;
type Channel = DeliveryRow["channel"];

/** Something to be sent outside. */
export interface NewDelivery {
  readonly id: string;
  readonly channel: "email" | "webhook";
  readonly userId: string | null;
  readonly notificationId: string | null;
  readonly message: object;
  readonly dueAt?: Date;
  /** The webhook that it is for, and what it tells of. */
  readonly hook?: { readonly id: string; readonly ownerId: string; readonly eventType: string };
}

/** A statement has room for 65,535 values. */
const insertedAtOnce = 1000;

/** Puts things into the queue of what is sent outside. */
export async function insertDeliveries(queries: Queries, deliveries: readonly NewDelivery[]): Promise<void> {
  if (deliveries.length === 0) return;
  const rows = deliveries.map(({ id, channel, userId, notificationId, message, dueAt, hook }) => ({
    id,
    channel,
    user_id: userId,
    owner_id: hook?.ownerId ?? userId ?? "",
    notification_id: notificationId,
    message: JSON.stringify(message),
    webhook_id: hook?.id ?? null,
    event_type: hook?.eventType ?? null,
    ...(dueAt === undefined ? {} : { due_at: dueAt, tries_from: dueAt }),
  }));
  for (let from = 0; from < rows.length; from += insertedAtOnce)
    await queries
      .insertInto("deliveries")
      .values(rows.slice(from, from + insertedAtOnce))
      .execute();
  await notify(queries, deliveriesChannel, "");
}

/** Tells every server that there may be something to send. */
export const deliveriesChannel = "deliveries";

/** Tries at once: how many there are of each, and how many there may be. */
export interface Bound {
  readonly running: ReadonlyMap<string, number>;
  readonly most: number;
}

/** What of one channel may be taken. */
export interface Claim {
  readonly channel: Channel;
  readonly owners: Bound;
  readonly targets: Bound;
}

/** A webhook, or the one address of a person's notifications. */
export function targetOfRow({ webhook_id: webhookId, owner_id: ownerId }: DeliveryRow): string {
  return webhookId ?? ownerId;
}

const target = sql<string>`coalesce(webhook_id, owner_id)`;
const busy = ({ running, most }: Bound) => [...running].filter(([, count]) => count >= most).map(([key]) => key);
const runningOf = ({ running }: Bound, key: RawBuilder<unknown>) =>
  sql<number>`coalesce((${JSON.stringify(Object.fromEntries(running))}::jsonb ->> ${key})::integer, 0)`;

function mayBeTaken({ channel, owners, targets }: Claim) {
  return sql<boolean>`(state = 'due' and channel = ${channel} and owner_id <> all(${busy(owners)}) and ${target} <> all(${busy(targets)}))`;
}

/**
 * Takes what is due, for a while: whoever dies meanwhile leaves it to others. Of the owners that are looked at, beginning with the one that comes `after`,
 * those with the fewest tries come first.
 */
export async function claimDeliveries(
  queries: Queries,
  claim: Claim,
  { count, after, leaseMs }: { readonly count: number; readonly after: string | null; readonly leaseMs: number },
): Promise<DeliveryRow[]> {
  const { owners, targets } = claim;
  const ready = sql`${mayBeTaken(claim)} and due_at <= now() and (lease_until is null or lease_until < now())`;
  const { rows } = await sql<DeliveryRow>`
    with recursive looked_at as (
      (select owner_id, 1 as place from deliveries where ${ready} and (${after}::text is null or owner_id > ${after}::text) order by owner_id limit 1)
      union all
      select (select d.owner_id from deliveries d where ${ready} and d.owner_id > o.owner_id order by d.owner_id limit 1), o.place + 1
      from looked_at o where o.owner_id is not null and o.place < ${count}
    ), shares as (
      select owner_id as owner, ${runningOf(owners, sql`owner_id`)} as running from looked_at where owner_id is not null
    ), locked as (
      select mine.*, s.owner, s.running from shares s cross join lateral (
        select id, due_at, ${target} as target from deliveries d where ${ready} and d.owner_id = s.owner
        order by due_at limit ${owners.most} - s.running for update of d skip locked
      ) mine
    ), placed as (
      select id, due_at, running + row_number() over (partition by owner order by due_at, id) as turn,
        ${runningOf(targets, sql`target`)} + row_number() over (partition by target order by due_at, id) as of_target
      from locked
    ), chosen as (
      select id from placed where of_target <= ${targets.most} order by turn, due_at limit ${count}
    )
    update deliveries set lease_until = now() + ${leaseMs} * interval '1 millisecond', attempts = attempts + 1
    from chosen where deliveries.id = chosen.id returning deliveries.*`.execute(queries);
  return rows;
}

/** How a try went. */
export type Settlement =
  | { readonly state: "sent"; readonly message: object }
  | { readonly state: "failed"; readonly error: string }
  | { readonly state: "due"; readonly error: string; readonly delayMs: number };

/** A try, as it is kept. */
export interface NewAttempt {
  readonly at: string;
  readonly url: string;
  readonly durationMs: number;
  readonly status: number | null;
  readonly error: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly head: string;
}

/** So many tries are kept of each, the newest. */
const keptAttempts = 20;

/** Writes how a try went. False: somebody else has taken it over meanwhile. */
export async function settleDelivery(
  queries: Queries,
  { id, attempts }: DeliveryRow,
  end: Settlement,
  attempt: NewAttempt | null,
): Promise<boolean> {
  const tries = sql<string>`(select coalesce(jsonb_agg(t.one order by t.place), '[]') from (
      select one, place from jsonb_array_elements(deliveries.tries || ${JSON.stringify([attempt])}::jsonb) with ordinality as e(one, place)
      order by place desc limit ${keptAttempts}) as t)`;
  const { numUpdatedRows } = await queries
    .updateTable("deliveries")
    .set({
      state: end.state,
      lease_until: null,
      ...(attempt === null ? {} : { tries }),
      ...(end.state === "sent"
        ? { sent_at: new Date(), last_error: null, message: JSON.stringify(end.message) }
        : { last_error: end.error.slice(0, 500) }),
      ...(end.state === "due" ? { due_at: sql<Date>`now() + ${end.delayMs} * interval '1 millisecond'` } : {}),
    })
    .where("id", "=", id)
    .where("state", "=", "due")
    .where("attempts", "=", attempts)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Milliseconds until the next one is due that may be taken; null when nothing waits. */
export async function nextDueMs(queries: Queries, claim: Claim): Promise<number | null> {
  const row = await queries
    .selectFrom("deliveries")
    .select(sql<number | null>`extract(epoch from min(greatest(due_at, coalesce(lease_until, due_at))) - now())::float8 * 1000`.as("ms"))
    .where(mayBeTaken(claim))
    .executeTakeFirst();
  return row?.ms ?? null;
}

/** Forgets what was sent long ago, and what a webhook did not take. Mails that nobody took stay: somebody may pass them on. */
export async function dropOld(queries: Queries, before: Date): Promise<void> {
  await queries
    .deleteFrom("deliveries")
    .where((where) =>
      where.or([
        where.and([where("state", "=", "sent"), where("sent_at", "<", before)]),
        where.and([where("state", "=", "failed"), where("webhook_id", "is not", null), where("created_at", "<", before)]),
      ]),
    )
    .execute();
}

/** One page of the queue, newest first. */
export async function listDeliveries(queries: Queries, filter: DeliveryFilter, before: string | null): Promise<DeliveryRow[]> {
  let query = queries.selectFrom("deliveries").selectAll();
  if (before !== null) query = query.where("id", "<", before);
  if (filter.state !== undefined) query = query.where("state", "=", filter.state);
  return await query
    .orderBy("id", "desc")
    .limit(filter.limit + 1)
    .execute();
}

export async function findDelivery(queries: Queries, id: string): Promise<DeliveryRow | undefined> {
  return await queries.selectFrom("deliveries").selectAll().where("id", "=", id).executeTakeFirst();
}

const isFree = sql<boolean>`(lease_until is null or lease_until < now())`;
const again = { state: "due", due_at: sql<Date>`now()`, tries_from: sql<Date>`now()`, attempts: 0, last_error: null } as const;

/** Makes it due now, when it is in one of these states and nobody has it. The day of tries begins again. */
export async function requeueDelivery(
  queries: Queries,
  id: string,
  states: readonly DeliveryRow["state"][],
): Promise<DeliveryRow | undefined> {
  const row = await queries
    .updateTable("deliveries")
    .set(again)
    .where("id", "=", id)
    .where("state", "in", [...states])
    .where(isFree)
    .returningAll()
    .executeTakeFirst();
  if (row !== undefined) await notify(queries, deliveriesChannel, "");
  return row;
}

/** Which deliveries of a webhook. */
export interface HookDeliveryFilter {
  readonly state?: DeliveryRow["state"] | undefined;
  readonly eventType?: string | undefined;
  readonly since?: Date | undefined;
}

function ofHook(queries: Queries, webhookId: string, { state, eventType, since }: HookDeliveryFilter) {
  let query = queries.selectFrom("deliveries").where("webhook_id", "=", webhookId);
  if (state !== undefined) query = query.where("state", "=", state);
  if (eventType !== undefined) query = query.where("event_type", "=", eventType);
  if (since !== undefined) query = query.where("created_at", ">=", since);
  return query;
}

/** One page, newest first. */
export async function listHookDeliveries(
  queries: Queries,
  webhookId: string,
  filter: HookDeliveryFilter,
  { limit, before }: { readonly limit: number; readonly before: string | null },
): Promise<DeliveryRow[]> {
  let query = ofHook(queries, webhookId, filter).selectAll();
  if (before !== null) query = query.where("id", "<", before);
  return await query
    .orderBy("id", "desc")
    .limit(limit + 1)
    .execute();
}

/** Makes those that have been sent or given up due now, the oldest first. @returns how many */
export async function requeueHookDeliveries(
  queries: Queries,
  webhookId: string,
  filter: HookDeliveryFilter,
  limit: number,
): Promise<number> {
  const { numUpdatedRows } = await queries
    .updateTable("deliveries")
    .set(again)
    .where("id", "in", ofHook(queries, webhookId, filter).select("id").where("state", "!=", "due").orderBy("id").limit(limit))
    .where(isFree)
    .executeTakeFirst();
  if (numUpdatedRows > 0n) await notify(queries, deliveriesChannel, "");
  return Number(numUpdatedRows);
}

/** How many wait for a webhook, counted up to `most`. */
export async function waitingFor(queries: Queries, webhookId: string, most: number): Promise<number> {
  const row = await queries
    .selectFrom((from) =>
      from.selectFrom("deliveries").select("id").where("webhook_id", "=", webhookId).where("state", "=", "due").limit(most).as("w"),
    )
    .select((select) => select.fn.countAll<number>().as("count"))
    .executeTakeFirstOrThrow();
  return row.count;
}
