import { sql } from "kysely";
import type { Insertable, Selectable } from "kysely";
import type { Queries, Work } from "../platform/database.ts";
import type { Schema } from "../platform/schema.ts";

/** A live document as it is kept. */
export type DocumentRow = Selectable<Schema["live_documents"]>;

/** What was written since the snapshot, in its order. */
export interface UpdateRow {
  readonly seq: number;
  readonly update: Buffer;
  readonly user_id: string | null;
}

/** A change that is to be kept. */
export interface NewUpdate {
  readonly documentId: string;
  readonly update: Uint8Array;
  readonly userId: string | null;
}

/** The document of a file, which is made when there is none; null: somebody else has made it just now. */
export async function insertDocument(queries: Queries, row: Insertable<Schema["live_documents"]>): Promise<DocumentRow | null> {
  const query = queries.insertInto("live_documents").values(row);
  const made = await query
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
  return made ?? null;
}

export async function findDocument(queries: Queries, id: string): Promise<DocumentRow | undefined> {
  return await queries.selectFrom("live_documents").selectAll().where("id", "=", id).executeTakeFirst();
}

/** Somebody has it open. */
export async function touchDocuments(queries: Queries, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await queries
    .updateTable("live_documents")
    .set({ used_at: sql<Date>`now()` })
    .where("id", "in", [...ids])
    .execute();
}

/** Of documents, what each has in common with its file. */
export async function listBases(
  queries: Queries,
  ids: readonly string[],
): Promise<Pick<DocumentRow, "id" | "path" | "base_sha256" | "detached_at">[]> {
  if (ids.length === 0) return [];
  const query = queries.selectFrom("live_documents").select(["id", "path", "base_sha256", "detached_at"]);
  return await query.where("id", "in", [...ids]).execute();
}

/** Where documents are by now: the last of what was written in each. */
export async function findPlaces(
  queries: Queries,
  ids: readonly string[],
): Promise<Pick<DocumentRow, "id" | "last_seq" | "path" | "detached_at">[]> {
  if (ids.length === 0) return [];
  return await queries
    .selectFrom("live_documents")
    .select(["id", "last_seq", "path", "detached_at"])
    .where("id", "in", [...ids])
    .execute();
}

/** What was written after `seq`. */
export async function listUpdates(queries: Queries, id: string, seq: number): Promise<UpdateRow[]> {
  const query = queries
    .selectFrom("live_updates")
    .select(["seq", "update", "user_id"])
    .where("document_id", "=", id)
    .where("seq", ">", seq);
  return await query.orderBy("seq").execute();
}

/**
 * Keeps changes, numbered without gaps in the order in which they are committed. Documents are locked in the order of their ids.
 *
 * @returns the number of each; null where the document is gone
 */
export async function insertUpdates(work: Work, updates: readonly NewUpdate[]): Promise<(number | null)[]> {
  const ids = [...new Set(updates.map(({ documentId }) => documentId))].toSorted();
  const { rows } = await sql<{ id: string; last_seq: number }>`
    select id, last_seq from live_documents where id = any(${ids}) order by id for update`.execute(work);
  const last = new Map(rows.map((row) => [row.id, row.last_seq]));
  const kept: { documentId: string; seq: number; update: Uint8Array; userId: string | null }[] = [];
  const numbers = updates.map((update) => {
    const before = last.get(update.documentId);
    if (before === undefined) return null;
    last.set(update.documentId, before + 1);
    kept.push({ ...update, seq: before + 1 });
    return before + 1;
  });
  if (kept.length === 0) return numbers;
  await sql`
    insert into live_updates (document_id, seq, update, user_id)
    select n.id, n.seq, n.update, u.id from unnest(${kept.map((one) => one.documentId)}::text[], ${kept.map((one) => one.seq)}::bigint[],
      ${kept.map((one) => Buffer.from(one.update))}::bytea[], ${kept.map((one) => one.userId)}::text[]) as n(id, seq, update, user_id)
    left join users u on u.id = n.user_id`.execute(work);
  await sql`
    update live_documents d set last_seq = n.seq, pending_bytes = pending_bytes + n.bytes, used_at = now()
    from (select document_id as id, max(seq) as seq, sum(length(update)) as bytes from unnest(
      ${kept.map((one) => one.documentId)}::text[], ${kept.map((one) => one.seq)}::bigint[],
      ${kept.map((one) => Buffer.from(one.update))}::bytea[]) as t(document_id, seq, update) group by 1) as n where d.id = n.id`.execute(
    work,
  );
  return numbers;
}

/** Makes replicas somebody's, as far as they are nobody's. @returns those that are somebody else's */
export async function claimReplicas(queries: Queries, documentId: string, clientIds: readonly number[], userId: string): Promise<number[]> {
  await sql`
    insert into live_replicas (document_id, client_id, user_id)
    select ${documentId}, id, ${userId} from unnest(${[...clientIds]}::bigint[]) as id on conflict do nothing`.execute(queries);
  const { rows } = await sql<{ client_id: number }>`
    select client_id from live_replicas where document_id = ${documentId} and client_id = any(${[...clientIds]}::bigint[]) and user_id <> ${userId}`.execute(
    queries,
  );
  return rows.map(({ client_id }) => client_id);
}

/** The document as it stays until the transaction ends. */
export async function lockDocument(work: Work, id: string): Promise<DocumentRow | undefined> {
  return await work.selectFrom("live_documents").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
}

/** What a document's state and the file have in common from now on; what was written before is in it. */
export async function moveSnapshot(
  work: Work,
  id: string,
  change: { readonly snapshot: Uint8Array; readonly seq: number; readonly sha256: string; readonly lineEnd: string },
): Promise<void> {
  await work.deleteFrom("live_updates").where("document_id", "=", id).where("seq", "<=", change.seq).execute();
  await sql`
    update live_documents set snapshot = ${Buffer.from(change.snapshot)}, snapshot_seq = ${change.seq}, base_sha256 = ${change.sha256},
      line_end = ${change.lineEnd}, problem = null, detached_at = null,
      pending_bytes = (select coalesce(sum(length(update)), 0) from live_updates where document_id = ${id}) where id = ${id}`.execute(work);
}

/** The file was taken up again, is gone, or cannot be written. */
export async function markDocument(
  queries: Queries,
  id: string,
  change: Partial<Pick<DocumentRow, "detached_at" | "problem">>,
): Promise<void> {
  await queries.updateTable("live_documents").set(change).where("id", "=", id).execute();
}

/** Some documents that nobody has had open for so long, and that hold nothing that is not in the files. */
export async function removeUnused(queries: Queries, settledMs: number, detachedMs: number, most: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from live_documents where id in (
      select id from live_documents where used_at < now() - ${settledMs} * interval '1 millisecond'
        and (last_seq = snapshot_seq or (detached_at is not null and detached_at < now() - ${detachedMs} * interval '1 millisecond'))
      order by used_at limit ${most} for update skip locked)`.execute(queries);
  return Number(numAffectedRows ?? 0);
}

/** The names of people. */
export async function findName(queries: Queries, userId: string): Promise<string> {
  const row = await queries.selectFrom("users").select("name").where("id", "=", userId).executeTakeFirst();
  return row?.name ?? "";
}
