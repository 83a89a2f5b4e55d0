import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTestDatabase } from "@syla/testkit/database";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { migrate } from "../../src/platform/migrate.ts";

const ours = join(import.meta.dirname, "../../src/migrations");

async function query<T extends pg.QueryResultRow>(url: string, text: string): Promise<T[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<T>(text)).rows;
  } finally {
    await client.end();
  }
}

describe("migrations", () => {
  it("run once, in order, also when two servers start at the same time", async () => {
    await using database = await createTestDatabase({ empty: true });
    const results = await Promise.all([migrate(database.address, ours), migrate(database.address, ours)]);
    const names = readdirSync(ours).map((name) => name.replace(/\.sql$/, ""));
    expect(results.flat().toSorted()).toEqual(names.toSorted());
    expect(await migrate(database.address, ours)).toEqual([]);
    expect(await query(database.url, "select name from migrations order by name")).toEqual(names.toSorted().map((name) => ({ name })));
  });

  it("refuse a database of a newer version and one with a changed past", async () => {
    await using database = await createTestDatabase();
    await query(database.url, "insert into migrations (name, sha256) values ('9999-future', 'x')");
    await expect(migrate(database.address, ours)).rejects.toMatchObject({ code: "database_newer" });
    await query(database.url, "delete from migrations where name = '9999-future'");
    await query(database.url, "update migrations set sha256 = 'other' where name = '0001-start'");
    await expect(migrate(database.address, ours)).rejects.toMatchObject({ code: "database_mismatch" });
  });

  it("leave nothing of one that fails, and go on from there", async () => {
    await using database = await createTestDatabase({ empty: true });
    using directory = createTemporaryDirectory();
    const folder = join(directory.path, "migrations");
    mkdirSync(folder);
    writeFileSync(join(folder, "0001-good.sql"), "create table good (n int);");
    writeFileSync(join(folder, "0002-bad.sql"), "create table half (n int); select 1/0;");
    await expect(migrate(database.address, folder)).rejects.toThrow("division by zero");
    expect(await query(database.url, "select name from migrations")).toEqual([{ name: "0001-good" }]);
    expect(await query(database.url, "select to_regclass('half') as half")).toEqual([{ half: null }]);
    writeFileSync(join(folder, "0002-bad.sql"), "create table half (n int);");
    expect(await migrate(database.address, folder)).toEqual(["0002-bad"]);
  });

  it("run also where later ones have run before, as those of lines of work that come together", async () => {
    await using database = await createTestDatabase({ empty: true });
    using directory = createTemporaryDirectory();
    const names = readdirSync(ours).map((name) => name.replace(/\.sql$/, ""));
    const late = "0081-workspace-mirrors";
    for (const name of names) if (name !== late) cpSync(join(ours, `${name}.sql`), join(directory.path, `${name}.sql`));
    expect(names.filter((name) => name > late).length).toBeGreaterThan(0);
    await migrate(database.address, directory.path);
    expect(await migrate(database.address, ours)).toEqual([late]);
  });

  it("say that the database cannot be reached", async () => {
    await expect(migrate({ connectionString: "postgres://x:y@127.0.0.1:1/z" }, ours)).rejects.toMatchObject({
      code: "database_unavailable",
    });
  });

  it("let no run leave a final state", async () => {
    await using database = await createTestDatabase();
    await query(database.url, "insert into users (id, name) values ('u', 'Ann')");
    await query(
      database.url,
      "insert into runs (id, kind, status, owner_id, language, entrypoint, config, request_hash) values ('r', 'execution', 'queued', 'u', 'python', 'main.py', '{}', 'h')",
    );
    await expect(query(database.url, "update runs set status = 'succeeded' where id = 'r'")).rejects.toThrow(
      "illegal run transition queued -> succeeded",
    );
    await query(database.url, "update runs set status = 'cancelled' where id = 'r'");
    await expect(query(database.url, "update runs set status = 'queued' where id = 'r'")).rejects.toThrow("illegal run transition");
  });
});
