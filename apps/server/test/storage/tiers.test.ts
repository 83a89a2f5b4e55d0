import { hash, randomBytes } from "node:crypto";
import { existsSync, readdirSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { AppError } from "@syla/contracts/errors";
import { StorageJob, StorageStatus } from "@syla/contracts/storage";
import { createTestDatabase } from "@syla/testkit/database";
import { execute } from "@syla/testkit/runs";
import { hasS3, startTestS3 } from "@syla/testkit/s3";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBlobs, type LocalBlobs } from "../../src/platform/blobs.ts";
import { openDatabase, type Database } from "../../src/platform/database.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { openTiers, type Tiers } from "../../src/storage/tiers/tiers.ts";

const dayMs = 24 * 60 * 60 * 1000;
const never = new AbortController().signal;
const fileOf = (root: string, sha256: string) => join(root, "sha256", sha256.slice(0, 2), sha256);
const age = (file: string, days: number) => utimesSync(file, new Date(), new Date(Date.now() - days * dayMs));

describe("content that nobody reads", () => {
  const stack = new AsyncDisposableStack();
  let database: Database;
  beforeAll(async () => {
    const { address } = stack.use(await createTestDatabase());
    database = stack.adopt(openDatabase(address, createLogger("silent")), (value) => value.close());
  });
  afterAll(() => stack.disposeAsync());

  interface World extends AsyncDisposable {
    readonly hot: LocalBlobs;
    readonly cold: LocalBlobs;
    readonly hotRoot: string;
    readonly coldRoot: string;
    readonly tiers: Tiers;
    /** Puts content and makes it as if it had been put, and read last, so many days ago. */
    put(days: number, size?: number): Promise<string>;
  }

  async function openWorld(change: (blobs: { hot: LocalBlobs; cold: LocalBlobs }) => Partial<LocalBlobs> = () => ({})): Promise<World> {
    const directory = createTemporaryDirectory();
    const [hotRoot, coldRoot] = [join(directory.path, "hot"), join(directory.path, "cold")];
    const [opened, cold] = [await openBlobs(hotRoot), await openBlobs(coldRoot)];
    const hot = { ...opened, ...change({ hot: opened, cold }) };
    const tiers = openTiers({ queries: database.queries, hot, cold, store: "cold", place: "cold", coldMs: 7 * dayMs });
    return {
      hot,
      cold,
      hotRoot,
      coldRoot,
      tiers,
      put: async (days, size = 100_000) => {
        const { sha256 } = await tiers.blobs.put(randomBytes(size));
        if (size > 65_536) age(fileOf(hotRoot, sha256), days);
        return sha256;
      },
      [Symbol.asyncDispose]: async () => {
        await database.queries.deleteFrom("cold_blobs").execute();
        await tiers.blobs.close();
        directory[Symbol.dispose]();
      },
    };
  }
  const cool = (tiers: Tiers) => Array.fromAsync(tiers.cool(never), (moved) => `${moved.sha256} ${moved.outcome}`);

  it("goes to the bucket, can be read as before, and comes back", async () => {
    await using world = await openWorld();
    const { tiers, hotRoot, hot, cold } = world;
    const [old, young, small] = [await world.put(8), await world.put(6), await world.put(8, 1000)];
    const bytes = await hot.get(old);
    expect(await cool(tiers)).toEqual([`${old} moved`]);
    expect([await hot.has(old), await hot.has(young), await hot.has(small)]).toEqual([false, true, true]);
    expect(await tiers.count()).toEqual({ blobs: 1, bytes: 100_000 });
    expect(await tiers.blobs.stat(old)).toEqual({ sha256: old, size: 100_000 });
    expect(await tiers.blobs.verify(old)).toBe(true);
    expect(new Set((await Array.fromAsync(tiers.blobs.list())).map((ref) => ref.sha256))).toEqual(new Set([old, young, small]));
    const parts = await Promise.all([
      tiers.blobs.get(old),
      buffer(await tiers.blobs.open(old, { start: 10, end: 20 })),
      tiers.blobs.get(old),
    ]);
    expect(parts).toEqual([bytes, bytes.subarray(10, 20), bytes]);
    expect(existsSync(fileOf(hotRoot, old))).toBe(true);
    expect(await cool(tiers)).toEqual([]);
    expect((await Array.fromAsync(tiers.blobs.list())).length).toBe(3);
    // Read again and then left alone, it goes once more.
    age(fileOf(hotRoot, old), 8);
    expect(await cool(tiers)).toEqual([`${old} moved`]);
    await tiers.blobs.delete(old);
    expect([await tiers.blobs.has(old), await cold.has(old), (await tiers.count()).blobs]).toEqual([false, false, 0]);
    await expect(tiers.blobs.get(old)).rejects.toMatchObject({ code: "not_found" });
    await expect(tiers.blobs.verify(old)).rejects.toMatchObject({ code: "not_found" });
  });

  it("is what was not read, rather than what is old", async () => {
    await using world = await openWorld();
    const [read, unread] = [await world.put(8), await world.put(8)];
    await world.tiers.blobs.get(read);
    await expect.poll(() => Date.now() - statSync(fileOf(world.hotRoot, read)).mtimeMs).toBeLessThan(dayMs);
    expect(await cool(world.tiers)).toEqual([`${unread} moved`]);
  });

  it("stays where it is when it is damaged", async () => {
    await using world = await openWorld();
    const sha256 = await world.put(8);
    writeFileSync(fileOf(world.hotRoot, sha256), "spoilt".repeat(20_000));
    age(fileOf(world.hotRoot, sha256), 8);
    expect(await cool(world.tiers)).toEqual([`${sha256} damaged`]);
    expect([await world.hot.has(sha256), await world.cold.has(sha256)]).toEqual([true, false]);
  });

  it("is in one of the two places at least, wherever moving it is killed", async () => {
    await using world = await openWorld();
    const [first, second] = [await world.put(8), await world.put(8)];
    // Copied and not noted; copied over a half that something else left; noted and not yet removed.
    await world.cold.put(await world.hot.get(first));
    await world.cold.put(await world.hot.get(second));
    truncateSync(fileOf(world.coldRoot, second), 10);
    expect((await cool(world.tiers)).length).toBe(2);
    for (const sha256 of [first, second]) expect(await world.tiers.blobs.verify(sha256)).toBe(true);
    await world.tiers.blobs.get(first);
    expect((await cool(world.tiers)).length).toBe(0);
    expect(await world.tiers.blobs.verify(first)).toBe(true);
  });

  it("is not trusted to a bucket that answers something else", async () => {
    await using world = await openWorld();
    const sha256 = await world.put(8);
    const bytes = await world.hot.get(sha256);
    age(fileOf(world.hotRoot, sha256), 8);
    await cool(world.tiers);
    const other = randomBytes(bytes.length);
    writeFileSync(fileOf(world.coldRoot, sha256), other);
    await expect(world.tiers.blobs.get(sha256)).rejects.toMatchObject({ code: "storage_unavailable" });
    expect(await world.hot.has(sha256)).toBe(false);
    expect(await Array.fromAsync(world.tiers.recall(never), (moved) => moved.outcome)).toEqual(["damaged"]);
    expect(await world.tiers.blobs.verify(sha256)).toBe(false);
    await world.tiers.blobs.quarantine(sha256);
    expect(await world.tiers.blobs.has(sha256)).toBe(false);
  });

  it("is read where it is while there is no room for it", async () => {
    let isFull = false;
    await using world = await openWorld(({ hot }) => ({
      putStream: async (source, options) => {
        if (isFull) throw new AppError("storage_full");
        return await hot.putStream(source, options);
      },
    }));
    const sha256 = await world.put(8);
    await cool(world.tiers);
    isFull = true;
    expect(hash("sha256", await world.tiers.blobs.get(sha256))).toBe(sha256);
    expect((await buffer(await world.tiers.blobs.open(sha256))).length).toBe(100_000);
    await expect(Array.fromAsync(world.tiers.recall(never))).rejects.toMatchObject({ code: "storage_full" });
    isFull = false;
    expect((await Array.fromAsync(world.tiers.recall(never))).length).toBe(1);
    expect([await world.hot.has(sha256), (await world.tiers.count()).blobs]).toEqual([true, 0]);
  });
});

describe.runIf(hasS3)("an installation with a bucket for what nobody reads", () => {
  it("moves it there, reads it there, refuses to start without it, and takes it back", { timeout: 180_000 }, async () => {
    await using s3 = await startTestS3();
    using directory = createTemporaryDirectory();
    const dataDir = join(directory.path, "data");
    const { SYLA_STORAGE: _s3, ...bucket } = s3.variables;
    await using database = await createTestDatabase();
    const start = (more: Readonly<Record<string, string>>) =>
      startTestServer({ SYLA_DATA_DIR: dataDir, DATABASE_URL: database.url, ...more });
    const content = join(dataDir, "blobs/sha256");
    const large = () =>
      readdirSync(content, { recursive: true, encoding: "utf8" }).filter((name) => statSync(join(content, name)).size === 102_400);
    let server: TestServer = await start({ ...bucket, SYLA_STORAGE_COLD_DAYS: "30" });
    const code = "open('/output/big.bin', 'wb').write(bytes(range(256)) * 400)";
    const run = await execute(server, { language: "python", code });
    const listed = await server.fetch(`/api/v1/runs/${run.id}/artifacts`);
    const [artifact] = ((await listed.json()) as { readonly items: readonly { readonly id: string }[] }).items;
    const download = async () => {
      const answer = await server.fetch(`/api/v1/runs/${run.id}/artifacts/${artifact?.id}`);
      expect(answer.status).toBe(200);
      return Buffer.from(await answer.arrayBuffer());
    };
    const perform = async (kind: string) => {
      const begun = await server.send("POST", "/api/v1/admin/storage/jobs", { kind });
      expect(begun.status).toBe(202);
      const { id } = (await begun.json()) as StorageJob;
      const job = async () => StorageJob.parse(await (await server.fetch(`/api/v1/admin/storage/jobs/${id}`)).json());
      await expect.poll(async () => (await job()).state, { timeout: 50_000 }).toBe("done");
      return (await job()).report;
    };
    const cold = async () => StorageStatus.parse(await (await server.fetch("/api/v1/admin/storage")).json()).cold;
    const bytes = await download();
    expect(large().length).toBe(1);
    expect((await perform("cool")).copied).toBe(0);
    for (const name of large()) age(join(content, name), 31);
    expect((await perform("cool")).copied).toBe(1);
    expect([large().length, await cold()]).toMatchObject([0, { blobs: 1, bytes: 102_400, afterDays: 30 }]);
    expect((await perform("check")).findings).toEqual([]);
    expect(await download()).toEqual(bytes);
    expect(large().length).toBe(1);
    for (const name of large()) age(join(content, name), 31);
    expect((await perform("cool")).copied).toBe(1);
    await server[Symbol.asyncDispose]();

    await expect(start({})).rejects.toMatchObject({ code: "storage_moved" });
    server = await start(bucket);
    expect(await cold()).toMatchObject({ blobs: 1, afterDays: null });
    expect((await server.send("POST", "/api/v1/admin/storage/jobs", { kind: "cool" })).status).toBe(409);
    expect((await perform("recall")).copied).toBe(1);
    expect(await cold()).toMatchObject({ blobs: 0 });
    await server[Symbol.asyncDispose]();

    server = await start({});
    expect(await cold()).toBeNull();
    expect(await download()).toEqual(bytes);
    await server[Symbol.asyncDispose]();
  });
});
