import type { TriggerFilter } from "@syla/contracts/triggers";
import type { Role } from "@syla/contracts/accounts";
import { sql, type Insertable, type Selectable, type Updateable } from "kysely";
import type { Queries, Work } from "../platform/database.ts";
import type { Schema } from "../platform/schema.ts";

/** A trigger with what its program is called, as long as there is one. */
export interface TriggerRow extends Selectable<Schema["triggers"]> {
  readonly program_name: string | null;
}

export type CallRow = Selectable<Schema["trigger_calls"]>;

function selectTriggers(queries: Queries) {
  return queries
    .selectFrom("triggers as t")
    .leftJoin("assets as a", (join) => join.onRef("a.id", "=", "t.program_id").on("a.deleted_at", "is", null))
    .selectAll("t")
    .select("a.name as program_name");
}

/** Newest first; one row more than `limit` tells that there is a next page. */
export async function listTriggers(queries: Queries, ownerId: string, filter: TriggerFilter, before: string | null): Promise<TriggerRow[]> {
  let query = selectTriggers(queries).where("t.owner_id", "=", ownerId);
  if (filter.programId !== undefined) query = query.where("t.program_id", "=", filter.programId);
  if (before !== null) query = query.where("t.id", "<", before);
  return await query
    .orderBy("t.id", "desc")
    .limit(filter.limit + 1)
    .execute();
}

export async function findTrigger(queries: Queries, id: string): Promise<TriggerRow | undefined> {
  return await selectTriggers(queries).where("t.id", "=", id).executeTakeFirst();
}

/** @returns false: the owner has as many as they may have */
export async function insertTrigger(queries: Queries, row: Insertable<Schema["triggers"]>, most: number): Promise<boolean> {
  return await queries.transaction().execute(async (work) => {
    await work.selectFrom("users").select("id").where("id", "=", row.owner_id).forNoKeyUpdate().execute();
    const { count } = await work
      .selectFrom("triggers")
      .select((select) => select.fn.countAll<number>().as("count"))
      .where("owner_id", "=", row.owner_id)
      .executeTakeFirstOrThrow();
    if (count >= most) return false;
    await work.insertInto("triggers").values(row).execute();
    return true;
  });
}

export async function changeTrigger(queries: Queries, id: string, change: Updateable<Schema["triggers"]>): Promise<void> {
  await queries
    .updateTable("triggers")
    .set({ ...change, updated_at: sql<Date>`now()` })
    .where("id", "=", id)
    .execute();
}

export async function deleteTrigger(queries: Queries, id: string): Promise<void> {
  await queries.deleteFrom("triggers").where("id", "=", id).execute();
}

/** The next secret; the one before is good as well for a while. */
export async function rotateSecret(queries: Queries, id: string, hours: number): Promise<void> {
  await queries
    .updateTable("triggers")
    .set({
      secret_generation: sql<number>`secret_generation + 1`,
      previous_secret_until: sql<Date>`now() + ${hours} * interval '1 hour'`,
      updated_at: sql<Date>`now()`,
    })
    .where("id", "=", id)
    .execute();
}

/** Switches it off. @returns false: it was off */
export async function disable(work: Work, id: string, reason: string): Promise<boolean> {
  const { numUpdatedRows } = await work
    .updateTable("triggers")
    .set({ enabled: false, disabled_reason: reason, updated_at: sql<Date>`now()` })
    .where("id", "=", id)
    .where("enabled", "=", true)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Who runs are started as, as they stand now. */
export async function findOwner(queries: Queries, id: string): Promise<{ role: Role; status: "active" | "suspended" } | undefined> {
  return await queries.selectFrom("users").select(["role", "status"]).where("id", "=", id).executeTakeFirst();
}

/**
 * Notes a call, and forgets the oldest of its kind beyond `most`. Of several that say to have started the run of one name, one at a time is
 * looked at: the first has.
 *
 * @returns the outcome
 */
export async function insertCall(queries: Queries, call: Insertable<Schema["trigger_calls"]>, most: number): Promise<CallRow["outcome"]> {
  const isGenuine = call.outcome !== "unauthenticated";
  return await queries.transaction().execute(async (work) => {
    let { outcome } = call;
    if (outcome === "started" && call.delivery_id != null) {
      await work.selectFrom("triggers").select("id").where("id", "=", call.trigger_id).forNoKeyUpdate().execute();
      const isKnown = await work
        .selectFrom("trigger_calls")
        .select("id")
        .where("trigger_id", "=", call.trigger_id)
        .where("run_id", "=", call.run_id ?? "")
        .where("outcome", "=", "started")
        .executeTakeFirst();
      if (isKnown !== undefined) outcome = "duplicate";
    }
    await work
      .insertInto("trigger_calls")
      .values({ ...call, outcome })
      .execute();
    await sql`delete from trigger_calls where id in (
      select id from trigger_calls where trigger_id = ${call.trigger_id} and (outcome <> 'unauthenticated') = ${isGenuine}
      order by id desc offset ${most})`.execute(work);
    return outcome;
  });
}

export async function noteCalled(queries: Queries, id: string): Promise<void> {
  await queries
    .updateTable("triggers")
    .set({ last_called_at: sql<Date>`now()` })
    .where("id", "=", id)
    .execute();
}

/** The name under which a body first came, within these minutes: however many calls bring it, and be it at the same moment. */
export async function firstName(
  queries: Queries,
  triggerId: string,
  { deliveryId, bodySha256, minutes }: { readonly deliveryId: string; readonly bodySha256: string; readonly minutes: number },
): Promise<string> {
  const isFresh = sql`trigger_bodies.at > now() - ${minutes} * interval '1 minute'`;
  const { rows } = await sql<{ delivery_id: string }>`
    insert into trigger_bodies (trigger_id, body_sha256, delivery_id) values (${triggerId}, ${bodySha256}, ${deliveryId})
    on conflict (trigger_id, body_sha256) do update set
      delivery_id = case when ${isFresh} then trigger_bodies.delivery_id else excluded.delivery_id end,
      at = case when ${isFresh} then trigger_bodies.at else now() end
    returning delivery_id`.execute(queries);
  await sql`delete from trigger_bodies where (trigger_id, body_sha256) in (
    select trigger_id, body_sha256 from trigger_bodies where trigger_id = ${triggerId} and not ${isFresh} for update skip locked)`.execute(
    queries,
  );
  return rows[0]?.delivery_id ?? deliveryId;
}

/** The run that a call of this name has started. */
export async function findStarted(queries: Queries, triggerId: string, deliveryId: string): Promise<string | null> {
  const row = await queries
    .selectFrom("trigger_calls")
    .select("run_id")
    .where("trigger_id", "=", triggerId)
    .where("outcome", "=", "started")
    .where("delivery_id", "=", deliveryId)
    .orderBy("id", "desc")
    .limit(1)
    .executeTakeFirst();
  return row?.run_id ?? null;
}

export async function findRunOf(queries: Queries, ownerId: string, idempotencyKey: string): Promise<string | undefined> {
  const row = await queries
    .selectFrom("runs")
    .select("id")
    .where("owner_id", "=", ownerId)
    .where("idempotency_key", "=", idempotencyKey)
    .executeTakeFirst();
  return row?.id;
}

/** One page, newest first. */
export async function listCalls(queries: Queries, triggerId: string, limit: number, before: string | null): Promise<CallRow[]> {
  let query = queries.selectFrom("trigger_calls").selectAll().where("trigger_id", "=", triggerId);
  if (before !== null) query = query.where("id", "<", before);
  return await query
    .orderBy("id", "desc")
    .limit(limit + 1)
    .execute();
}
