import type { PackageIndexFilter } from "@syla/contracts/package-indexes";
import { sql, type Selectable } from "kysely";
import type { Queries } from "../../platform/database.ts";
import type { Schema } from "../../platform/schema.ts";
import type { Manager } from "../request.ts";

/** An index, with what somebody may do with it. */
export interface IndexRow extends Selectable<Schema["package_indexes"]> {
  readonly owner_name: string | null;
  /** Of the viewer in the team that owns it; null when they are not in it. */
  readonly team_role: "owner" | "member" | null;
}

function selectFor(viewerId: string) {
  return sql`select i.*, coalesce(u.name, t.name) as owner_name, m.role as team_role
    from package_indexes i
    left join users u on u.id = i.owner_id
    left join teams t on t.id = i.owner_id
    left join team_members m on m.team_id = i.owner_id and m.user_id = ${viewerId}`;
}

/** Newest first: the viewer's, those of their teams, and those of the system. */
export async function listIndexes(
  queries: Queries,
  viewerId: string,
  manager: Manager | null,
  { ownerId, limit }: PackageIndexFilter,
  before: string | null,
): Promise<IndexRow[]> {
  const { rows } = await sql<IndexRow>`${selectFor(viewerId)}
    where (i.owner_id = ${viewerId} or m.user_id is not null or i.owner_id = 'system')
      and (${manager}::text is null or i.manager = ${manager})
      and (${ownerId ?? null}::text is null or i.owner_id = ${ownerId ?? null})
      and (${before}::text is null or i.id < ${before})
    order by i.id desc limit ${limit + 1}`.execute(queries);
  return rows;
}

export async function findIndex(queries: Queries, id: string, viewerId: string): Promise<IndexRow | undefined> {
  const { rows } = await sql<IndexRow>`${selectFor(viewerId)} where i.id = ${id}`.execute(queries);
  return rows[0];
}

/** An index, whoever looks. */
export type OtherIndex = Selectable<Schema["package_indexes"]>;

/** Those that programs of an owner are built with: its own, and the system's. */
export async function indexesOf(queries: Queries, ownerId: string, manager: Manager): Promise<OtherIndex[]> {
  return await queries
    .selectFrom("package_indexes")
    .selectAll()
    .where("owner_id", "in", [ownerId, "system"])
    .where("manager", "=", manager)
    .orderBy("id")
    .execute();
}

/** What of an index is written. */
export interface IndexValues {
  readonly name: string;
  readonly url: string;
  readonly packages: readonly string[];
  readonly credentialId: string | null;
}

/** Whoever changes the indexes of an owner does so alone, until the transaction ends: what they may be depends on the others. */
export async function lockIndexesOf(work: Queries, ownerId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`indexes of ${ownerId}`}, 0))`.execute(work);
}

export async function insertIndex(
  queries: Queries,
  row: IndexValues & { id: string; ownerId: string; manager: Manager; createdBy: string },
): Promise<void> {
  await queries
    .insertInto("package_indexes")
    .values({
      id: row.id,
      owner_id: row.ownerId,
      manager: row.manager,
      name: row.name,
      url: row.url,
      packages: JSON.stringify(row.packages),
      credential_id: row.credentialId,
      created_by: row.createdBy,
    })
    .execute();
}

export async function changeIndex(queries: Queries, id: string, { name, url, packages, credentialId }: IndexValues): Promise<void> {
  await queries
    .updateTable("package_indexes")
    .set({ name, url, packages: JSON.stringify(packages), credential_id: credentialId, updated_at: sql<Date>`now()` })
    .where("id", "=", id)
    .execute();
}

export async function deleteIndex(queries: Queries, id: string): Promise<void> {
  await queries.deleteFrom("package_indexes").where("id", "=", id).execute();
}
