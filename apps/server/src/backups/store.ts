import type { Selectable } from "kysely";
import type { Queries } from "../platform/database.ts";
import type { Schema } from "../platform/schema.ts";

export type BackupJobRow = Selectable<Schema["backup_jobs"]>;

/** The newest automatic backup that was tried, and whether the one before it failed too. */
export async function findAutomatic(queries: Queries): Promise<BackupJobRow[]> {
  const query = queries.selectFrom("backup_jobs").selectAll().where("kind", "=", "create").where("is_automatic", "=", true);
  return await query.orderBy("id", "desc").limit(2).execute();
}

const repositoryKey = "backup_repository";

/** Which repository the installation backs up to. */
export async function readRepository(queries: Queries): Promise<unknown> {
  return (await queries.selectFrom("settings").select("value").where("key", "=", repositoryKey).executeTakeFirst())?.value;
}

export async function noteRepository(queries: Queries, value: { readonly id: string; readonly place: string }): Promise<void> {
  await queries
    .insertInto("settings")
    .values({ key: repositoryKey, value: JSON.stringify(value) })
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ value: JSON.stringify(value) }))
    .execute();
}
