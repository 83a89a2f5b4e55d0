import type { StorageKind } from "@syla/contracts/storage";
import { sql } from "kysely";
import type { Queries, Work } from "../../platform/database.ts";
import { ownedQuery } from "../owners/store.ts";

interface Share {
  readonly blobs: number;
  readonly bytes: number;
}
export interface KindShare extends Share {
  readonly kind: StorageKind;
}
export interface OwnerShare extends Share {
  readonly ownerId: string;
}

/** For the rest of the transaction: the temporary table `stored`, of what the store has. */
export async function createStoredTable(work: Work): Promise<void> {
  await sql`create temporary table stored (sha256 text primary key, size bigint not null) on commit drop`.execute(work);
}

export async function addStored(work: Work, refs: readonly { readonly sha256: string; readonly size: number }[]): Promise<void> {
  await sql`insert into stored select * from unnest(${refs.map((ref) => ref.sha256)}::text[], ${refs.map((ref) => ref.size)}::bigint[])
    on conflict do nothing`.execute(work);
}

/** For the rest of the transaction: the temporary table `owned`, each content once for each owner and kind. Needs {@link createStoredTable}. */
export async function createOwnedTable(work: Work): Promise<void> {
  await sql`analyze stored`.execute(work);
  await sql`create temporary table owned on commit drop as
    select distinct kind, owner_id, stored.sha256, size from (${sql.raw(ownedQuery)}) as every join stored on stored.sha256 = every.sha256`.execute(
    work,
  );
}

/** How much there is of each kind; what nothing refers to is one. Needs `referenced` besides. */
export async function sumKinds(work: Work): Promise<KindShare[]> {
  const { rows } = await sql<KindShare>`
    select kind, count(*) as blobs, sum(size)::bigint as bytes from (
      select distinct kind, sha256, size from owned
      union all select 'other', sha256, size from stored
        where exists (select from referenced r where r.sha256 = stored.sha256) and not exists (select from owned o where o.sha256 = stored.sha256)
      union all select 'unreferenced', sha256, size from stored
        where not exists (select from referenced r where r.sha256 = stored.sha256)) as every
    group by kind order by bytes desc, kind`.execute(work);
  return rows;
}

/** Who has most. */
export async function sumOwners(work: Work, limit: number): Promise<OwnerShare[]> {
  const { rows } = await sql<OwnerShare>`
    select owner_id as "ownerId", count(*) as blobs, sum(size)::bigint as bytes
    from (select distinct owner_id, sha256, size from owned where owner_id is not null) as every
    group by owner_id order by bytes desc, owner_id limit ${limit}`.execute(work);
  return rows;
}

/** What people call owners: users and teams. */
export async function findOwnerNames(queries: Queries, ids: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await sql<{ id: string; name: string }>`
    select id, name from users where id = any(${[...ids]}) union all select id, name from teams where id = any(${[...ids]})`.execute(
    queries,
  );
  return new Map(rows.map(({ id, name }) => [id, name]));
}
