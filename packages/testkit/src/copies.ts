import { sql } from "kysely";
import type { TestServer } from "./server.ts";

/** Fills the catalog with copies of an asset, without the time that making each would take: `Copy 1`, … with the tag `copies`, and `few` for the first. */
export async function copyAsset(server: TestServer, id: string, count: number, few: number): Promise<void> {
  await sql`
    insert into assets (id, type, name, name_key, slug, description, tags, slots, owner_id, visibility, tree_sha256, config, search, created_by, updated_by)
    select 'prog_' || lpad(n::text, 26, '0'), type, 'Copy ' || n, 'copy ' || n, 'copy-' || n, '',
      array['copies', case when n <= ${few} then 'few' else 'many' end],
      slots, owner_id, visibility, tree_sha256, config, search, created_by, updated_by
    from assets, generate_series(1, ${count}::int) as n where id = ${id}`.execute(server.context.database.queries);
}
