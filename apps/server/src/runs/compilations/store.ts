import { sql, type Selectable } from "kysely";
import type { Queries } from "../../platform/database.ts";
import type { Schema } from "../../platform/schema.ts";

export type CompilationRow = Selectable<Schema["compilations"]>;

/** A compilation to be kept. `files` and `messages` are what it made and said. */
export interface NewCompilation {
  readonly ownerId: string;
  readonly key: string;
  readonly language: string;
  readonly runtimeVersion: string | null;
  readonly files: readonly { readonly path: string; readonly size: number; readonly sha256: string }[];
  readonly messages: string;
  readonly compileMs: number;
}

/** What an owner compiled before, marked as used now. */
export async function useCompilation(queries: Queries, ownerId: string, key: string): Promise<CompilationRow | undefined> {
  return await queries
    .updateTable("compilations")
    .set({ used_at: sql<Date>`now()` })
    .where("owner_id", "=", ownerId)
    .where("key", "=", key)
    .returningAll()
    .executeTakeFirst();
}

export async function insertCompilation(queries: Queries, compilation: NewCompilation): Promise<void> {
  const { ownerId, key, language, runtimeVersion, files, messages, compileMs } = compilation;
  const row = {
    owner_id: ownerId,
    key,
    language,
    runtime_version: runtimeVersion,
    files: JSON.stringify(files),
    messages: messages.replaceAll("\0", "\u{fffd}").toWellFormed(),
    size: files.reduce((sum, file) => sum + file.size, 0),
    compile_ms: compileMs,
  };
  await queries
    .insertInto("compilations")
    .values(row)
    .onConflict((conflict) => conflict.columns(["owner_id", "key"]).doUpdateSet({ ...row, used_at: sql<Date>`now()` }))
    .execute();
}

/** Forgets what an owner used longest ago, above so many compilations or bytes. */
export async function trimCompilations(queries: Queries, ownerId: string, maxCount: number, maxBytes: number): Promise<void> {
  await sql`
    DELETE FROM compilations WHERE owner_id = ${ownerId} AND key IN (
      SELECT key FROM (
        SELECT key, row_number() OVER newest AS place, sum(size) OVER newest AS total
        FROM compilations WHERE owner_id = ${ownerId} WINDOW newest AS (ORDER BY used_at DESC, key)
      ) AS ranked WHERE place > ${maxCount} OR (total > ${maxBytes} AND place > 1)
    )`.execute(queries);
}
