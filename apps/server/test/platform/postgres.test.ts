import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findProcesses } from "@syla/testkit/processes";
import { createTemporaryDirectory, type TemporaryDirectory } from "@syla/testkit/temporary-directory";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { databaseError, notify, openDatabase } from "../../src/platform/database.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { Notifications } from "../../src/platform/notifications.ts";
import { linkLibraries } from "../../src/platform/postgres-binaries.ts";
import { EmbeddedPostgres, ensureDatabase } from "../../src/platform/postgres.ts";

const logger = createLogger("silent");

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch {
      await sleep(50);
    }
  }
}

describe("embedded PostgreSQL", () => {
  let directory: TemporaryDirectory;
  let postgres: EmbeddedPostgres;
  beforeAll(async () => {
    directory = createTemporaryDirectory();
    postgres = await EmbeddedPostgres.start(join(directory.path, "postgres"), logger);
    await ensureDatabase(postgres, "syla");
    await ensureDatabase(postgres, "syla");
  });
  afterAll(async () => {
    await postgres.stop();
    directory[Symbol.dispose]();
  });

  it("asks for its password, listens on no network and syncs to disk", async () => {
    const database = openDatabase(postgres.address("syla"), logger);
    const rows = await sql<{ addresses: string; fsync: string; encoding: string; zone: string }>`
      select current_setting('listen_addresses') as addresses, current_setting('fsync') as fsync,
             current_setting('server_encoding') as encoding, current_setting('timezone') as zone`.execute(database.queries);
    expect(rows.rows).toEqual([{ addresses: "", fsync: "on", encoding: "UTF8", zone: "UTC" }]);
    expect((await sql<{ n: number }>`select 9007199254740991::int8 as n`.execute(database.queries)).rows).toEqual([
      { n: 9007199254740991 },
    ]);
    await database.close();
    const stranger = openDatabase({ ...postgres.address("syla"), password: "guess" }, logger);
    await expect(stranger.ping()).rejects.toThrow("password authentication failed");
    await stranger.close();
    expect(statSync(join(directory.path, "postgres/password")).mode & 0o077).toBe(0);
  });

  it("comes back after it was killed; queries and listeners recover by themselves", async () => {
    const database = openDatabase(postgres.address("syla"), logger);
    const notifications = new Notifications(postgres.address("syla"), logger);
    const received: string[] = [];
    const gap = Promise.withResolvers<void>();
    const end = await notifications.listen(
      "news",
      (payload) => received.push(payload),
      () => gap.resolve(),
    );
    await sql`create table facts (n int)`.execute(database.queries);
    await sql`insert into facts values (7)`.execute(database.queries);
    await notify(database.queries, "news", "before");

    const { pid } = postgres;
    if (pid === undefined) throw new Error("no process");
    const pending = sql`select pg_sleep(30)`.execute(database.queries);
    await sleep(100);
    process.kill(pid, "SIGKILL");
    await expect(pending).rejects.toThrow("Connection terminated");
    await expect(database.ping()).rejects.toMatchObject({ code: "database_unavailable", status: 503 });
    await eventually(() => database.ping());
    while (postgres.pid === pid) await sleep(10);
    expect((await sql`select n from facts`.execute(database.queries)).rows).toEqual([{ n: 7 }]);

    await gap.promise;
    await notify(database.queries, "news", "after");
    while (received.length < 2) await sleep(20);
    expect(received).toEqual(["before", "after"]);
    end();
    await notifications.close();
    await database.close();
  });

  it("sends a notification with the commit, not before", async () => {
    const database = openDatabase(postgres.address("syla"), logger);
    const notifications = new Notifications(postgres.address("syla"), logger);
    const received: string[] = [];
    await notifications.listen("work", (payload) => received.push(payload));
    await expect(
      database.queries.transaction().execute(async (work) => {
        await notify(work, "work", "rolled back");
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    await database.queries.transaction().execute((work) => notify(work, "work", "committed"));
    while (received.length === 0) await sleep(10);
    expect(received).toEqual(["committed"]);
    await notifications.close();
    await database.close();
  });

  it("starts where the path is too long for a socket", async () => {
    const deep = join(directory.path, "d".repeat(100));
    mkdirSync(deep);
    const other = await EmbeddedPostgres.start(join(deep, "postgres"), logger);
    const { host } = other.address("postgres");
    expect(Buffer.byteLength(host)).toBeLessThan(90);
    await ensureDatabase(other, "x");
    await other.stop();
    expect(existsSync(host)).toBe(false);
  });

  it("starts over the pid file of another process, and refuses foreign and damaged clusters", async () => {
    const root = join(directory.path, "second");
    await (await EmbeddedPostgres.start(root, logger)).stop();
    const cluster = join(root, "cluster");
    writeFileSync(join(cluster, "postmaster.pid"), `${process.pid}\n${cluster}\n`);
    await (await EmbeddedPostgres.start(root, logger)).stop();

    writeFileSync(join(cluster, "PG_VERSION"), "15\n");
    await expect(EmbeddedPostgres.start(root, logger)).rejects.toMatchObject({ code: "postgres_version" });
    rmSync(join(cluster, "PG_VERSION"));
    await expect(EmbeddedPostgres.start(root, logger)).rejects.toMatchObject({ code: "postgres_unavailable" });
    writeFileSync(join(cluster, "PG_VERSION"), "18\n");
    rmSync(join(cluster, "global/pg_control"));
    const failure = EmbeddedPostgres.start(root, logger);
    await expect(failure).rejects.toMatchObject({ code: "postgres_unavailable" });
    await expect(failure).rejects.toThrow(/could not find the database system/);
  });

  it("links the libraries of a package that was installed without scripts", () => {
    const root = join(directory.path, "package");
    mkdirSync(join(root, "native/lib"), { recursive: true });
    writeFileSync(join(root, "native/lib/libx.so.1.2"), "library");
    writeFileSync(join(root, "native/pg-symlinks.json"), '[{"source":"native/lib/libx.so.1.2","target":"native/lib/libx.so.1"}]');
    linkLibraries(root);
    linkLibraries(root);
    expect(readFileSync(join(root, "native/lib/libx.so.1"), "utf8")).toBe("library");
  });

  it("replaces a half-made cluster", async () => {
    const root = join(directory.path, "third");
    mkdirSync(join(root, "cluster.new"), { recursive: true });
    writeFileSync(join(root, "cluster.new", "junk"), "");
    await (await EmbeddedPostgres.start(root, logger)).stop();
    expect(readFileSync(join(root, "cluster/PG_VERSION"), "utf8")).toBe("18\n");
  });

  // Mounting a small disk needs root.
  it.runIf(process.getuid?.() === 0)("reports a full disk, keeps what it has and goes on when there is room", async () => {
    const disk = join(directory.path, "disk");
    mkdirSync(disk);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=160m", "tmpfs", disk]);
    try {
      const other = await EmbeddedPostgres.start(join(disk, "postgres"), logger, ["max_wal_size=32MB", "min_wal_size=32MB"]);
      const database = openDatabase(other.address("postgres"), logger);
      await sql`create table filler (bytes bytea)`.execute(database.queries);
      await sql`create table facts (n int)`.execute(database.queries);
      await sql`insert into facts values (7)`.execute(database.queries);
      // A file beside it leaves less room for the table than for the log, which PostgreSQL cannot do without.
      const ballast = join(disk, "ballast");
      writeFileSync(ballast, Buffer.alloc(freeBytes(disk) - 34 * 1024 * 1024));
      const fill = async () => {
        for (;;) await sql`insert into filler values (${randomBytes(1_000_000)})`.execute(database.queries);
      };
      const codes = ["storage_full", "database_unavailable"];
      expect(codes).toContain(databaseError(await fill().catch((error: unknown) => error))?.code);
      rmSync(ballast);
      await eventually(() => database.ping());
      await eventually(() => sql`insert into facts values (8)`.execute(database.queries));
      expect((await sql`select n from facts order by n`.execute(database.queries)).rows).toEqual([{ n: 7 }, { n: 8 }]);
      await database.close();
      await other.stop();
    } finally {
      execFileSync("umount", ["-l", disk]);
    }
  });

  it("is not left behind in any of these", () => {
    expect(findProcesses(join(directory.path, "postgres")).map((entry) => entry.pid)).toEqual([postgres.pid]);
    expect(findProcesses(directory.path)).toHaveLength(1);
  });
});
