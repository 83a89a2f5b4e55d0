import { sql } from "kysely";
import type { BlobRef } from "../../platform/blobs.ts";
import type { Queries } from "../../platform/database.ts";

/** The size of content that is in the bucket. */
export async function findCold(queries: Queries, sha256: string): Promise<number | undefined> {
  return (await queries.selectFrom("cold_blobs").select("size").where("sha256", "=", sha256).executeTakeFirst())?.size;
}

/** Notes that the bucket has it. */
export async function insertCold(queries: Queries, store: string, { sha256, size }: BlobRef): Promise<void> {
  await sql`insert into cold_blobs (sha256, size, store) values (${sha256}, ${size}, ${store}) on conflict (sha256) do nothing`.execute(
    queries,
  );
}

/** @returns whether it was noted */
export async function deleteCold(queries: Queries, sha256: string): Promise<boolean> {
  return (await queries.deleteFrom("cold_blobs").where("sha256", "=", sha256).returning("sha256").executeTakeFirst()) !== undefined;
}

/** A page of what the bucket has, in order. */
export async function listCold(queries: Queries, after: string, limit: number): Promise<BlobRef[]> {
  return await queries
    .selectFrom("cold_blobs")
    .select(["sha256", "size"])
    .where("sha256", ">", after)
    .orderBy("sha256")
    .limit(limit)
    .execute();
}

export async function countCold(queries: Queries): Promise<{ readonly blobs: number; readonly bytes: number }> {
  const { rows } = await sql<{ blobs: number; bytes: number }>`
    select count(*)::bigint as blobs, coalesce(sum(size), 0)::bigint as bytes from cold_blobs`.execute(queries);
  return rows[0] ?? { blobs: 0, bytes: 0 };
}

/** The buckets that have some. */
export async function listColdStores(queries: Queries): Promise<string[]> {
  return (await queries.selectFrom("cold_blobs").select("store").distinct().execute()).map((row) => row.store);
}

/** The bucket is the store of everything now. */
export async function deleteColdOf(queries: Queries, store: string): Promise<void> {
  await queries.deleteFrom("cold_blobs").where("store", "=", store).execute();
}
