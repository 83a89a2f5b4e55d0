import { sql, type Selectable } from "kysely";
import type { Queries } from "../../platform/database.ts";
import type { Schema } from "../../platform/schema.ts";

export type AnnouncementRow = Selectable<Schema["announcements"]>;

/** Those that hold now, newest first. */
export async function listAnnouncements(queries: Queries): Promise<AnnouncementRow[]> {
  return await queries
    .selectFrom("announcements")
    .selectAll()
    .where((where) => where.or([where("ends_at", "is", null), where("ends_at", ">", sql<Date>`now()`)]))
    .orderBy("id", "desc")
    .limit(20)
    .execute();
}

export async function insertAnnouncement(
  queries: Queries,
  announcement: Pick<AnnouncementRow, "id" | "title" | "body" | "level" | "ends_at" | "created_by">,
): Promise<AnnouncementRow> {
  return await queries.insertInto("announcements").values(announcement).returningAll().executeTakeFirstOrThrow();
}

/** @returns whether there was one */
export async function deleteAnnouncement(queries: Queries, id: string): Promise<boolean> {
  const { numDeletedRows } = await queries.deleteFrom("announcements").where("id", "=", id).executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Accounts that may sign in, a part at a time. */
export async function listActiveUsers(queries: Queries, after: string, limit: number): Promise<string[]> {
  const rows = await queries
    .selectFrom("users")
    .select("id")
    .where("status", "=", "active")
    .where("id", ">", after)
    .orderBy("id")
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}
