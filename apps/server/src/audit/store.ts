import type { AuditExportFilter } from "@syla/contracts/audit";
import { sql, type Selectable } from "kysely";
import type { Queries, Work } from "../platform/database.ts";
import { firstIdAt } from "../platform/ids.ts";
import type { Schema } from "../platform/schema.ts";
import type { Batch, SealedEvent } from "./chain.ts";

/** One entry of the audit trail. */
export interface AuditEvent {
  readonly id: string;
  readonly at: Date;
  readonly actor_id: string | null;
  readonly actor_name: string;
  readonly actor_role: string | null;
  readonly via: string;
  readonly impersonator_id: string | null;
  readonly action: string;
  readonly resource_type: string | null;
  readonly resource_id: string | null;
  readonly outcome: "ok" | "denied" | "failed";
  readonly error_code: string | null;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly request_id: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Adds entries, in one statement. The actor's name is looked up and kept: it is what it was then. */
export async function insertEvents(queries: Queries, events: readonly AuditEvent[]): Promise<void> {
  const rows = storableJson(events);
  await sql`
    insert into audit_events (id, at, actor_id, actor_name, actor_role, via, impersonator_id, action, resource_type, resource_id, outcome,
      error_code, ip, user_agent, request_id, details)
    select e.id, e.at, e.actor_id, coalesce(nullif(e.actor_name, ''), u.name, ''), e.actor_role, e.via, e.impersonator_id, e.action,
      e.resource_type, e.resource_id, e.outcome, e.error_code, e.ip, e.user_agent, e.request_id, e.details
    from jsonb_to_recordset(${rows}::jsonb) as e(id text, at timestamptz, actor_id text, actor_name text, actor_role text, via text,
      impersonator_id text, action text, resource_type text, resource_id text, outcome text, error_code text, ip text, user_agent text,
      request_id text, details jsonb)
    left join users u on u.id = e.actor_id
    on conflict (id) do nothing`.execute(queries);
}

/** JSON as PostgreSQL takes it: callers may put NUL and halves of surrogate pairs into addresses and headers. */
function storableJson(value: unknown): string {
  return JSON.stringify(value, (_key, entry: unknown) =>
    typeof entry === "string" ? entry.replaceAll("\0", "\u{fffd}").toWellFormed() : entry,
  );
}

/** Held by who seals, or removes what is old: one at a time over all servers. */
const chainLock = 7_301_001;

/** Does work on the chain, unless another server is at it: then undefined. */
export async function withChain<T>(queries: Queries, work: (work: Work) => Promise<T>): Promise<T | undefined> {
  return await queries.transaction().execute(async (transaction) => {
    const { rows } = await sql<{ locked: boolean }>`select pg_try_advisory_xact_lock(${chainLock}) as locked`.execute(transaction);
    return rows[0]?.locked === true ? await work(transaction) : undefined;
  });
}

export async function readChain(queries: Queries): Promise<Selectable<Schema["audit_chain"]>> {
  return await queries.selectFrom("audit_chain").selectAll().executeTakeFirstOrThrow();
}

const sealedColumns = sql<SealedEvent>`id, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, actor_id, actor_name,
  actor_role, via, impersonator_id, action, resource_type, resource_id, outcome, error_code, ip, user_agent, request_id,
  details::text as details`;

/** The oldest events without a seal that are at least so old. */
export async function findUnsealed(queries: Queries, ageMs: number, most: number): Promise<SealedEvent[]> {
  const { rows } = await sql<SealedEvent>`
    select ${sealedColumns} from audit_events
    where seal_seq is null and at <= now() - ${ageMs} * interval '1 millisecond' order by id limit ${most}`.execute(queries);
  return rows;
}

/** Adds a seal to the chain, and marks its events. */
export async function insertSeal(work: Work, seal: Batch & { readonly hash: string }): Promise<void> {
  const { seq, hash, previousHash, eventIds, eventHashes } = seal;
  await sql`update audit_events set seal_seq = ${seq} where id = any(${[...eventIds]}::text[])`.execute(work);
  await work
    .insertInto("audit_seals")
    .values({
      seq,
      count: eventIds.length,
      first_id: eventIds[0] ?? "",
      last_id: eventIds.at(-1) ?? "",
      hash,
      previous_hash: previousHash,
      event_ids: [...eventIds],
      event_hashes: [...eventHashes],
    })
    .execute();
  await work.updateTable("audit_chain").set({ head_seq: seq, head_hash: hash }).execute();
}

/** Removes the oldest seals, with their events, that were made before a time. The chain then begins after them. Answers what went. */
export async function removeSealsBefore(work: Work, before: Date, most: number): Promise<{ seals: number; events: number }> {
  const kept = work.selectFrom("audit_seals").select("seq").where("at", ">=", before).orderBy("seq").limit(1);
  const seals = await work
    .selectFrom("audit_seals")
    .select(["seq", "hash", "event_ids"])
    .where((where) => where.or([where.not(where.exists(kept)), where("seq", "<", kept)]))
    .orderBy("seq")
    .limit(most)
    .execute();
  const last = seals.at(-1);
  if (last === undefined) return { seals: 0, events: 0 };
  await sql`select set_config('syla.audit_retention', 'on', true)`.execute(work);
  await sql`delete from audit_events where id = any(${seals.flatMap((seal) => seal.event_ids)}::text[])`.execute(work);
  await work.deleteFrom("audit_seals").where("seq", "<=", last.seq).execute();
  await work.updateTable("audit_chain").set({ anchor_seq: last.seq, anchor_hash: last.hash }).execute();
  return { seals: seals.length, events: seals.reduce((sum, seal) => sum + seal.event_ids.length, 0) };
}

/** The seals after one, in order. */
export async function listSeals(queries: Queries, after: number, most: number): Promise<Selectable<Schema["audit_seals"]>[]> {
  return await queries.selectFrom("audit_seals").selectAll().where("seq", ">", after).orderBy("seq").limit(most).execute();
}

/** The events with these ids, and the seal that each says it is in. */
export async function findSealedEvents(queries: Queries, ids: readonly string[]): Promise<(SealedEvent & { seal_seq: number | null })[]> {
  const { rows } = await sql<SealedEvent & { seal_seq: number | null }>`
    select ${sealedColumns}, seal_seq from audit_events where id = any(${[...ids]}::text[])`.execute(queries);
  return rows;
}

/** How many events say that they are in each seal; those without one under 0. */
export async function countBySeal(queries: Queries): Promise<Map<number, number>> {
  const { rows } = await sql<{ seal: number; count: number }>`
    select coalesce(seal_seq, 0) as seal, count(*) as count from audit_events group by 1`.execute(queries);
  return new Map(rows.map(({ seal, count }) => [seal, count]));
}

/** The first event that says it is in a seal whose list does not have it. */
export async function findAdded(queries: Queries, seal: number, ids: readonly string[]): Promise<string | undefined> {
  const { rows } = await sql<{ id: string }>`
    select id from audit_events where seal_seq = ${seal} and id <> all(${[...ids]}::text[]) order by id limit 1`.execute(queries);
  return rows[0]?.id;
}

export type AuditRow = Selectable<Schema["audit_events"]>;

/** What to look for. `before`: the id after which the page starts. */
export type AuditSearch = Omit<AuditExportFilter, "format"> & { readonly before: string | null };

/** Entries, newest first. */
export async function listEvents(queries: Queries, search: AuditSearch, most: number): Promise<AuditRow[]> {
  let query = queries.selectFrom("audit_events").selectAll();
  if (search.before !== null) query = query.where("id", "<", search.before);
  if (search.actor !== undefined) query = query.where("actor_id", "=", search.actor);
  if (search.resourceType !== undefined) query = query.where("resource_type", "=", search.resourceType);
  if (search.resource !== undefined) query = query.where("resource_id", "=", search.resource);
  if (search.outcome !== undefined) query = query.where("outcome", "=", search.outcome);
  if (search.since !== undefined) query = query.where("id", ">=", firstIdAt("aud", Date.parse(search.since)));
  if (search.until !== undefined) query = query.where("id", "<", firstIdAt("aud", Date.parse(search.until)));
  if (search.action?.endsWith("*") === true) query = query.where("action", "like", `${escapeLike(search.action.slice(0, -1))}%`);
  else if (search.action !== undefined) query = query.where("action", "=", search.action);
  if (search.q !== undefined) {
    const pattern = `%${escapeLike(search.q)}%`;
    const columns = ["actor_name", "action", "resource_id", "request_id", "ip"] as const;
    query = query.where((where) => where.or(columns.map((column) => where(column, "ilike", pattern))));
  }
  return await query.orderBy("id", "desc").limit(most).execute();
}

function escapeLike(text: string): string {
  return text.replaceAll(/[\\%_]/g, String.raw`\$&`);
}
