import { sql } from "kysely";
import type { Queries } from "../../platform/database.ts";

/** A request, by hashes of its key and of what it asks for. */
export interface KeyedRequest {
  readonly ownerId: string;
  readonly keyHash: string;
  readonly requestHash: string;
}

/** What came of one. */
export interface StoredRequest {
  readonly request_hash: string;
  readonly status: number | null;
  readonly answer: string | null;
  readonly headers: Record<string, string>;
  /** The id of what it has made so far, '' where that has none; null: nothing. */
  readonly made: string | null;
  readonly worker_id: string;
  /** Its worker is gone, or has let go of it. */
  readonly isLost: boolean;
}

/**
 * Takes a request on that nobody in this process has in hand. False: it is being worked on, or was. What has made nothing yet and was left by a
 * process that is gone, or by this one, is taken over; and so is what nobody may ask for any more.
 */
export async function beginRequest(queries: Queries, request: KeyedRequest, workerId: string, keptHours: number): Promise<boolean> {
  const { ownerId, keyHash, requestHash } = request;
  const { rows } = await sql`
    insert into idempotent_requests as r (owner_id, key_hash, request_hash, worker_id) values (${ownerId}, ${keyHash}, ${requestHash}, ${workerId})
    on conflict (owner_id, key_hash) do update
      set request_hash = excluded.request_hash, worker_id = excluded.worker_id, started_at = now(), status = null, answer = null, headers = '{}', made = null
      where r.started_at < now() - make_interval(hours => ${keptHours})
        or (r.status is null and r.made is null and (r.worker_id = excluded.worker_id or not exists (
          select 1 from workers w where w.id = r.worker_id and w.stopped_at is null)))
    returning 1`.execute(queries);
  return rows.length === 1;
}

export async function findRequest(queries: Queries, { ownerId, keyHash }: KeyedRequest): Promise<StoredRequest | undefined> {
  return await queries
    .selectFrom("idempotent_requests")
    .select(["request_hash", "status", "answer", "headers", "made", "worker_id"])
    .select(
      sql<boolean>`status is null and not exists (
        select 1 from workers w where w.id = worker_id and w.stopped_at is null)`.as("isLost"),
    )
    .where("owner_id", "=", ownerId)
    .where("key_hash", "=", keyHash)
    .executeTakeFirst();
}

/** Keeps what came of it, unless another process has taken it over meanwhile. */
export async function endRequest(
  queries: Queries,
  { ownerId, keyHash }: KeyedRequest,
  workerId: string,
  end: {
    readonly request_hash: string;
    readonly status: number;
    readonly answer: string | null;
    readonly headers: Readonly<Record<string, string>>;
  },
): Promise<void> {
  await queries
    .updateTable("idempotent_requests")
    .set({ ...end, headers: JSON.stringify(end.headers) })
    .where("owner_id", "=", ownerId)
    .where("key_hash", "=", keyHash)
    .where("worker_id", "=", workerId)
    .where("status", "is", null)
    .execute();
}

/** Nobody's: of what its worker has let go of. */
const nobody = "";

/**
 * Lets go of a request that came to nothing: it may be sent again, unless it has made something by then. Not what another process has taken over
 * meanwhile.
 */
export async function letGoOfRequest(queries: Queries, { ownerId, keyHash }: KeyedRequest, workerId: string): Promise<void> {
  await sql`
    with failed as (
      select owner_id, key_hash, made from idempotent_requests
      where owner_id = ${ownerId} and key_hash = ${keyHash} and worker_id = ${workerId} and status is null for update),
    forgotten as (delete from idempotent_requests r using failed f
      where r.owner_id = f.owner_id and r.key_hash = f.key_hash and f.made is null)
    update idempotent_requests r set worker_id = ${nobody} from failed f
    where r.owner_id = f.owner_id and r.key_hash = f.key_hash and f.made is not null`.execute(queries);
}

/** Some of those that nobody may ask for any more. */
export async function forgetOldRequests(queries: Queries, keptHours: number): Promise<void> {
  await sql`delete from idempotent_requests where (owner_id, key_hash) in (
    select owner_id, key_hash from idempotent_requests where started_at < now() - make_interval(hours => ${keptHours})
    order by started_at limit 100 for update skip locked)`.execute(queries);
}
