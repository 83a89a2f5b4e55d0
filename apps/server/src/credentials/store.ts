import type { CredentialFilter, CredentialUse } from "@syla/contracts/credentials";
import { sql, type Selectable } from "kysely";
import type { Queries, Work } from "../platform/database.ts";
import type { Schema } from "../platform/schema.ts";
import type { Envelope } from "./envelope.ts";

/** A credential, with what somebody may do with it. */
export interface CredentialRow extends Selectable<Schema["credentials"]> {
  readonly owner_name: string | null;
  /** Of the viewer in the team that owns it; null when they are not in it. */
  readonly team_role: "owner" | "member" | null;
  readonly use_count: number;
}

/** A credential with what it is sealed with. */
export type SealedRow = Selectable<Schema["credentials"]>;

/** Things that name the credential `c`: models, programs with secrets or from a private repository, package indexes, workspaces that mirror one. */
const uses = sql`from (
  select a.type, a.id, a.name from assets a where a.deleted_at is null and (a.config ->> 'credentialId' = c.id
    or jsonb_path_exists(a.config, '$.secretHeaders.* ? (@ == $id)', jsonb_build_object('id', c.id))
    or (a.import_source ? 'credentialId' and a.import_source ->> 'credentialId' = c.id)
    or a.config -> 'secrets' @> jsonb_build_array(jsonb_build_object('credentialId', c.id)))
  union all select 'package_index', i.id, i.name from package_indexes i where i.credential_id = c.id
  union all select 'workspace', w.id, w.name from workspace_mirrors m join workspaces w on w.id = m.workspace_id
    where m.credential_id = c.id and w.deleted_at is null) a`;

function selectFor(viewerId: string) {
  return sql`select c.*, coalesce(u.name, t.name) as owner_name, m.role as team_role, (select count(*) ${uses})::int as use_count
    from credentials c
    left join users u on u.id = c.owner_id
    left join teams t on t.id = c.owner_id
    left join team_members m on m.team_id = c.owner_id and m.user_id = ${viewerId}`;
}

/** Newest first: the viewer's, those of their teams, and for administrators those of the system. */
export async function listCredentials(
  queries: Queries,
  viewer: { userId: string; seesSystem: boolean },
  filter: CredentialFilter,
  before: string | null,
): Promise<CredentialRow[]> {
  const { rows } = await sql<CredentialRow>`${selectFor(viewer.userId)}
    where (c.owner_id = ${viewer.userId} or m.user_id is not null or (${viewer.seesSystem} and c.owner_id = 'system'))
      and (${filter.kind ?? null}::text is null or c.kind = ${filter.kind ?? null})
      and (${filter.ownerId ?? null}::text is null or c.owner_id = ${filter.ownerId ?? null})
      and (${before}::text is null or c.id < ${before})
    order by c.id desc limit ${filter.limit + 1}`.execute(queries);
  return rows;
}

export async function findCredential(queries: Queries, id: string, viewerId: string): Promise<CredentialRow | undefined> {
  const { rows } = await sql<CredentialRow>`${selectFor(viewerId)} where c.id = ${id}`.execute(queries);
  return rows[0];
}

export async function listUses(queries: Queries, id: string): Promise<CredentialUse[]> {
  const { rows } = await sql<CredentialUse>`
    select a.type, a.id, a.name from (select ${id}::text as id) c, lateral (select a.type, a.id, a.name ${uses} order by a.id limit 200) a`.execute(
    queries,
  );
  return rows;
}

/** A credential as a secret is made of it. */
export async function takeCredential(work: Queries, id: string): Promise<SealedRow | undefined> {
  return await work.selectFrom("credentials").selectAll().where("id", "=", id).executeTakeFirst();
}

/** False: the owner has one of this name. */
export async function insertCredential(
  queries: Queries,
  row: {
    id: string;
    ownerId: string;
    kind: string;
    name: string;
    username: string | null;
    host: string | null;
    expiresAt: Date | null;
    createdBy: string;
  } & Envelope,
): Promise<boolean> {
  const inserted = await queries
    .insertInto("credentials")
    .values({
      id: row.id,
      owner_id: row.ownerId,
      kind: row.kind,
      name: row.name,
      username: row.username,
      host: row.host,
      sealed: row.sealed,
      data_key: row.dataKey,
      key_id: row.keyId,
      expires_at: row.expiresAt,
      created_by: row.createdBy,
    })
    .onConflict((conflict) => conflict.columns(["owner_id", "name"]).doNothing())
    .returning("id")
    .executeTakeFirst();
  return inserted !== undefined;
}

/** What of a credential can change. */
export interface CredentialChanges {
  readonly name?: string;
  readonly username?: string | null;
  readonly host?: string;
  readonly expiresAt?: Date | null;
  readonly envelope?: Envelope;
}

/** False: the owner has another one of this name. */
export async function changeCredential(work: Work, id: string, ownerId: string, change: CredentialChanges): Promise<boolean> {
  if (change.name !== undefined) {
    const taken = await work
      .selectFrom("credentials")
      .select("id")
      .where("owner_id", "=", ownerId)
      .where("name", "=", change.name)
      .where("id", "<>", id)
      .executeTakeFirst();
    if (taken !== undefined) return false;
  }
  const { envelope } = change;
  await work
    .updateTable("credentials")
    .set({
      ...(change.name === undefined ? {} : { name: change.name }),
      ...(change.username === undefined ? {} : { username: change.username }),
      ...(change.host === undefined ? {} : { host: change.host }),
      ...(change.expiresAt === undefined ? {} : { expires_at: change.expiresAt, warned_at: null }),
      ...(envelope === undefined
        ? {}
        : { sealed: envelope.sealed, data_key: envelope.dataKey, key_id: envelope.keyId, value_changed_at: sql<Date>`now()` }),
      id, // a change of nothing is a statement, too
    })
    .where("id", "=", id)
    .execute();
  return true;
}

/** Locks the row, so that nothing begins to use it before the transaction ends. */
export async function lockCredential(work: Work, id: string): Promise<void> {
  await work.selectFrom("credentials").select("id").where("id", "=", id).forUpdate().execute();
}

export async function deleteCredential(work: Work, id: string): Promise<void> {
  await work.deleteFrom("credentials").where("id", "=", id).execute();
}

/** Notes a use, at most once a minute. */
export async function noteUse(queries: Queries, id: string): Promise<void> {
  await queries
    .updateTable("credentials")
    .set({ last_used_at: sql<Date>`now()` })
    .where("id", "=", id)
    .where((where) => where.or([where("last_used_at", "is", null), where("last_used_at", "<", sql<Date>`now() - interval '1 minute'`)]))
    .execute();
}

const keysLock = "credential keys";

/** Until the transaction ends no master key goes away, and none comes. */
export async function holdKeys(work: Work): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(hashtextextended(${keysLock}, 0))`.execute(work);
}

/** Waits for everything that is being sealed, and lets nothing else be until the transaction ends. */
export async function lockKeys(work: Work): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${keysLock}, 0))`.execute(work);
}

/** The master keys that seal something. */
export async function listKeyIds(queries: Queries): Promise<string[]> {
  const rows = await queries.selectFrom("credentials").select("key_id").distinct().execute();
  return rows.map((row) => row.key_id);
}

/** Some that another key seals, in the order of their ids. */
export async function listSealedOtherwise(queries: Queries, keyId: string, after: string, limit: number): Promise<SealedRow[]> {
  const query = queries.selectFrom("credentials").selectAll().where("key_id", "<>", keyId).where("id", ">", after);
  return await query.orderBy("id").limit(limit).execute();
}

/** Whether another key seals something besides those. */
export async function isSealedOtherwise(queries: Queries, keyId: string, but: readonly string[]): Promise<boolean> {
  const { rows } = await sql`
    select 1 from credentials where key_id <> ${keyId} and id <> all(${[...but]}) limit 1`.execute(queries);
  return rows.length > 0;
}

/** False: it was changed or deleted meanwhile. */
export async function saveRewrapped(
  queries: Queries,
  id: string,
  before: Buffer,
  now: Pick<Envelope, "dataKey" | "keyId">,
): Promise<boolean> {
  const { numUpdatedRows } = await queries
    .updateTable("credentials")
    .set({ data_key: now.dataKey, key_id: now.keyId })
    .where("id", "=", id)
    .where("data_key", "=", before)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Takes those that expire soon and whose owners were not told yet, with whom to tell. */
export async function takeExpiring(work: Work, until: Date): Promise<{ id: string; name: string; expires_at: Date; user_ids: string[] }[]> {
  const { rows } = await sql<{ id: string; name: string; expires_at: Date; user_ids: string[] }>`
    update credentials c set warned_at = now() where c.id in (
      select id from credentials where expires_at < ${until} and warned_at is null order by expires_at limit 100 for update skip locked)
    returning c.id, c.name, c.expires_at, array(
      select u.id from users u where u.id = c.owner_id
      union select m.user_id from team_members m where m.team_id = c.owner_id and m.role = 'owner'
      union select a.id from users a where c.owner_id = 'system' and a.role = 'admin' and a.status = 'active') as user_ids`.execute(work);
  return rows;
}
