import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { appendFileSync, cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { StorageJob } from "@syla/contracts/storage";
import { hasS3, startTestS3 } from "@syla/testkit/s3";
import { execute, getRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { describe, expect, it } from "vitest";
import { openBackup } from "../../src/platform/blob-backup.ts";
import { openBlobs, type Blobs } from "../../src/platform/blobs.ts";
import { copyContent } from "../../src/storage/move.ts";

const cli = join(import.meta.dirname, "../../../cli/src/main.ts");
const listOf = async (blobs: Blobs) => new Set((await Array.fromAsync(blobs.list())).map((ref) => ref.sha256));

interface Moved {
  readonly code: number | null;
  readonly last: {
    readonly done?: boolean;
    readonly moved?: boolean;
    readonly blobs: number;
    readonly copied: number;
    readonly damaged: string[];
  } | null;
  readonly complaint: string;
}

/** `syla server storage move`. `until`: it is killed when this resolves. */
async function move(
  dataDir: string,
  variables: Readonly<Record<string, string>>,
  words: string[] = [],
  until?: () => Promise<void>,
): Promise<Moved> {
  const child = spawn(process.execPath, [cli, "server", "storage", "move", "--json", "--data-dir", dataDir, ...words], {
    env: { PATH: process.env["PATH"], SYLA_HOME: join(dataDir, ".."), ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  let complaint = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
  const ended = once(child, "close") as Promise<[number | null]>;
  if (until !== undefined) {
    await until();
    child.kill("SIGKILL");
  }
  const [code] = await ended;
  return { code, complaint: complaint + text, last: JSON.parse(text.trim() || "null") as Moved["last"] };
}

/** The same, once whoever moved before has let go. */
async function moveAgain(...parameters: Parameters<typeof move>): Promise<Moved> {
  for (;;) {
    const moved = await move(...parameters);
    if (!moved.complaint.includes("data_dir_in_use")) return moved;
  }
}

async function perform(server: TestServer, kind: string): Promise<StorageJob> {
  const { id } = (await (await server.send("POST", "/api/v1/admin/storage/jobs", { kind })).json()) as StorageJob;
  const job = async () => StorageJob.parse(await (await server.fetch(`/api/v1/admin/storage/jobs/${id}`)).json());
  await expect.poll(async () => (await job()).state, { timeout: 50_000 }).not.toBe("running");
  return await job();
}

describe.runIf(hasS3)("moving an installation", () => {
  it("to a bucket and back loses nothing, killed in the middle too", { timeout: 180_000 }, async () => {
    await using s3 = await startTestS3();
    using directory = createTemporaryDirectory();
    const dataDir = join(directory.path, "data");
    const { SYLA_STORAGE: _s3, ...settings } = s3.variables;
    const before = await startTestServer({ SYLA_DATA_DIR: dataDir, ...settings });
    const countThere = async () => (await s3.client.send(new ListObjectsV2Command({ Bucket: s3.bucket }))).KeyCount ?? 0;
    const run = await execute(before, { language: "python", code: "print('before')", files: [{ path: "a", content: "a".repeat(70_000) }] });
    await getRun(before, run.id);
    for (let count = 0; count < 40; count += 1) await before.context.blobs.put(randomBytes(count === 20 ? 9_000_000 : 30_000));
    const all = await listOf(before.context.blobs);
    expect((await move(dataDir, s3.variables)).complaint).toContain("data_dir_in_use");
    await before.running.stopNow();

    const some = async () => await expect.poll(countThere, { interval: 20, timeout: 50_000 }).toBeGreaterThan(2);
    const killed = await move(dataDir, s3.variables, ["--verify"], some);
    expect([killed.code, killed.last]).toEqual([null, null]);
    const moved = await moveAgain(dataDir, s3.variables, ["--verify"]);
    expect(moved.last).toMatchObject({ done: true, moved: true, blobs: all.size, damaged: [] });
    expect(moved.last?.copied).toBeGreaterThan(0);
    expect(moved.last?.copied).toBeLessThan(all.size);
    expect((await move(dataDir, s3.variables)).last).toMatchObject({ done: true, moved: true, copied: 0 });

    const DATABASE_URL = before.context.config.databaseUrl?.reveal() ?? "";
    await expect(startTestServer({ SYLA_DATA_DIR: dataDir, DATABASE_URL })).rejects.toMatchObject({ code: "storage_moved" });
    const there = await startTestServer({ SYLA_DATA_DIR: dataDir, DATABASE_URL, ...s3.variables });
    expect(await listOf(there.context.blobs)).toEqual(all);
    expect(await (await there.fetch(`/api/v1/runs/${run.id}/log`)).text()).toBe("before\n");
    const later = await execute(there, { language: "python", code: "print('later')" });
    await getRun(there, later.id);
    const grown = await listOf(there.context.blobs);
    await there.running.stopNow();

    expect((await move(dataDir, settings)).last).toMatchObject({ done: true, moved: true });
    const back = await startTestServer({ SYLA_DATA_DIR: dataDir, DATABASE_URL });
    const home = await listOf(back.context.blobs);
    for (const sha256 of grown) expect(home.has(sha256) && (await back.context.blobs.verify(sha256))).toBe(true);
    await back.running.stopNow();
    await before[Symbol.asyncDispose]();
    await there[Symbol.asyncDispose]();
    await back[Symbol.asyncDispose]();
  });
});

describe.runIf(hasS3)("an installation with a bucket beside its directory", () => {
  it(
    "is copied while it runs, paused and resumed; what is damaged is restored from the bucket, or from a backup",
    { timeout: 180_000 },
    async () => {
      await using s3 = await startTestS3();
      using directory = createTemporaryDirectory();
      const backup = join(directory.path, "backup");
      const { SYLA_STORAGE: _s3, ...settings } = s3.variables;
      await using server = await startTestServer({ ...settings, SYLA_DATA_DIR: join(directory.path, "data") });
      const { blobs } = server.context;
      const put = async (size: number) => (await blobs.put(randomBytes(size))).sha256;
      const large: string[] = [];
      const mostBlobs = 30;
      for (let count = 0; count < mostBlobs; count += 1) large.push(await put(count % 2 === 0 ? 70_000 : 1000));
      const { id } = (await (await server.send("POST", "/api/v1/admin/storage/jobs", { kind: "copy" })).json()) as StorageJob;
      const stopped = StorageJob.parse(await (await server.send("POST", `/api/v1/admin/storage/jobs/${id}/stop`)).json());
      expect(stopped).toMatchObject({ state: "stopped", report: { error: null } });
      expect(stopped.report.copied).toBeLessThan(mostBlobs);
      const resumed = await perform(server, "copy");
      expect(resumed).toMatchObject({ state: "done", report: { findingCount: 0 } });
      expect(resumed.report.blobs).toBeGreaterThanOrEqual(mostBlobs);
      expect((await perform(server, "copy")).report.copied).toBe(0);

      const file = (sha256: string) => join(server.dataDir, "blobs", "sha256", sha256.slice(0, 2), sha256);
      const [first = "", , second = ""] = large;
      const upload = { method: "POST", headers: { "content-type": "application/octet-stream" } };
      await server.fetch("/api/v1/blobs", { ...upload, body: new Uint8Array(await blobs.get(second)) });
      writeFileSync(file(first), "spoilt");
      await blobs.delete(second);
      const repaired = await perform(server, "repair");
      expect(repaired.report.findings).toMatchObject([
        { sha256: first, problem: "damaged", outcome: "restored", detail: expect.stringContaining(s3.bucket) as string },
        { sha256: second, problem: "missing", outcome: "restored" },
      ]);
      expect(await blobs.verify(first)).toBe(true);

      const small = large[1] ?? "";
      await server.running.stopNow();
      cpSync(join(server.dataDir, "blobs"), backup, { recursive: true });
      const DATABASE_URL = server.context.config.databaseUrl?.reveal() ?? "";
      const again = { SYLA_DATA_DIR: server.dataDir, DATABASE_URL, SYLA_STORAGE_BACKUP: backup };
      await using later = await startTestServer(again);
      writeFileSync(file(first), "spoilt again");
      await later.context.blobs.delete(small);
      await later.fetch("/api/v1/blobs", { ...upload, body: new Uint8Array(await later.context.blobs.get(second)) });
      await later.context.blobs.delete(second);
      expect((await perform(later, "repair")).report.findings).toMatchObject([
        { sha256: first, problem: "damaged", outcome: "restored", detail: backup },
        { sha256: second, problem: "missing", outcome: "restored", detail: backup },
      ]);
      expect([await later.context.blobs.verify(first), await later.context.blobs.verify(second)]).toEqual([true, true]);
      await later.running.stopNow();
      await expect(startTestServer({ ...again, SYLA_STORAGE_BACKUP: directory.path })).rejects.toMatchObject({ code: "config_invalid" });
    },
  );
});

describe("a backup that is read", () => {
  it("has small and large content, says what is damaged, and is never written", async () => {
    using directory = createTemporaryDirectory();
    const store = await openBlobs(directory.path);
    const [small, large] = [await store.put(Buffer.from("small")), await store.put(randomBytes(100_000))];
    await store.close();
    const pack = readdirSync(join(directory.path, "packs")).at(-1) ?? "";
    appendFileSync(join(directory.path, "packs", pack), randomBytes(50));
    const before = readFileSync(join(directory.path, "packs", pack));
    const backup = openBackup(directory.path);
    expect((await (await backup.open(small.sha256)).toArray()).join("")).toBe("small");
    expect([await backup.has(small.sha256), await backup.verify(large.sha256), await backup.has("0".repeat(64))]).toEqual([
      true,
      true,
      false,
    ]);
    writeFileSync(join(directory.path, "sha256", large.sha256.slice(0, 2), large.sha256), "spoilt");
    expect(await backup.verify(large.sha256)).toBe(false);
    await expect(backup.has("../x")).rejects.toMatchObject({ code: "not_found" });
    backup.close();
    expect(readFileSync(join(directory.path, "packs", pack))).toEqual(before);
  });
});

describe("copying content", () => {
  it("leaves what is damaged, and names it", async () => {
    using directory = createTemporaryDirectory();
    const [from, to] = [await openBlobs(join(directory.path, "a")), await openBlobs(join(directory.path, "b"))];
    const sound = await from.put(randomBytes(100_000));
    const spoilt = await from.put(randomBytes(100_000));
    const small = await from.put(Buffer.from("small"));
    writeFileSync(join(directory.path, "a", "sha256", spoilt.sha256.slice(0, 2), spoilt.sha256), "spoilt");
    const report = await copyContent(from, to, { verify: true });
    expect(report).toMatchObject({ blobs: 3, copied: 2, damaged: [spoilt.sha256] });
    expect(await listOf(to)).toEqual(new Set([sound.sha256, small.sha256]));
    expect(await copyContent(from, to, { verify: false })).toMatchObject({ copied: 0, damaged: [spoilt.sha256] });
    await from.close();
    await to.close();
  });
});
