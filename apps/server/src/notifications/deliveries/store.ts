import type { DeliveryFilter } from "@syla/contracts/admin";
import { sql, type Selectable } from "kysely";
import { notify, type Queries } from "../../platform/database.ts";
import type { Schema } from "../../platform/schema.ts";
import { deliveriesChannel } from "../store.ts";

export type DeliveryRow = Selectable<Schema["deliveries"]>;
type Channel = DeliveryRow["channel"];

/** Takes what is due, for a while: whoever dies meanwhile leaves it to others. */
export async function claimDeliveries(
  queries: Queries,
  channels: readonly Channel[],
  count: number,
  leaseMs: number,
): Promise<DeliveryRow[]> {
  return await queries
    .updateTable("deliveries")
    .set({ lease_until: sql<Date>`now() + ${leaseMs} * interval '1 millisecond'`, attempts: sql<number>`attempts + 1` })
    .where("id", "in", (nested) =>
      nested
        .selectFrom("deliveries")
        .select("id")
        .where("state", "=", "due")
        .where("channel", "in", [...channels])
        .where("due_at", "<=", sql<Date>`now()`)
        .where((where) => where.or([where("lease_until", "is", null), where("lease_until", "<", sql<Date>`now()`)]))
        .orderBy("due_at")
        .limit(count)
        .forUpdate()
        .skipLocked(),
    )
    .returningAll()
    .execute();
}

/** How a try went. */
export type Settlement =
  | { readonly state: "sent"; readonly message: object }
  | { readonly state: "failed"; readonly error: string }
  | { readonly state: "due"; readonly error: string; readonly delayMs: number };

/** Writes how a try went, unless somebody else has taken it over meanwhile. */
export async function settleDelivery(queries: Queries, { id, attempts }: DeliveryRow, end: Settlement): Promise<void> {
  await queries
    .updateTable("deliveries")
    .set({
      state: end.state,
      lease_until: null,
      ...(end.state === "sent"
        ? { sent_at: new Date(), last_error: null, message: JSON.stringify(end.message) }
        : { last_error: end.error.slice(0, 500) }),
      ...(end.state === "due" ? { due_at: sql<Date>`now() + ${end.delayMs} * interval '1 millisecond'` } : {}),
    })
    .where("id", "=", id)
    .where("state", "=", "due")
    .where("attempts", "=", attempts)
    .execute();
}

/** Milliseconds until the next one is due; null when nothing waits. */
export async function nextDueMs(queries: Queries, channels: readonly Channel[]): Promise<number | null> {
  const row = await queries
    .selectFrom("deliveries")
    .select(sql<number | null>`extract(epoch from min(greatest(due_at, coalesce(lease_until, due_at))) - now())::float8 * 1000`.as("ms"))
    .where("state", "=", "due")
    .where("channel", "in", [...channels])
    .executeTakeFirst();
  return row?.ms ?? null;
}

/** Forgets what was sent long ago. */
export async function dropSent(queries: Queries, before: Date): Promise<void> {
  await queries.deleteFrom("deliveries").where("state", "=", "sent").where("sent_at", "<", before).execute();
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

/** Makes it due now, whatever came of it before; undefined when it was sent. The day of tries begins again. */
export async function requeueDelivery(queries: Queries, id: string): Promise<DeliveryRow | undefined> {
  const row = await queries
    .updateTable("deliveries")
    .set({ state: "due", due_at: sql<Date>`now()`, attempts: 0, last_error: null })
    .where("id", "=", id)
    .where("state", "!=", "sent")
    .where((where) => where.or([where("lease_until", "is", null), where("lease_until", "<", sql<Date>`now()`)]))
    .returningAll()
    .executeTakeFirst();
  if (row !== undefined) await notify(queries, deliveriesChannel, "");
  return row;
}
