import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BackupJob, BackupStatus } from "@syla/contracts/backups";
import { createTestDatabase } from "@syla/testkit/database";
import { startTestServer } from "@syla/testkit/server";
import { spawnServer } from "@syla/testkit/server-process";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { describe, expect, it } from "vitest";
import { restoreInstallation } from "../../src/backups/restore.ts";
import { loadConfig } from "../../src/config.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { Secret } from "../../src/platform/secret.ts";
import { type Asked, backUp, passphrase, read, upload, verify } from "./jobs.ts";

/** The paths of all files below a folder. */
function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Asks a server of another process as its first admin. */
function askAt(url: string, dataDir: string): Asked {
  const authorization = `Bearer ${readFileSync(join(dataDir, "cli.key"), "utf8").trim()}`;
  const call: Asked["fetch"] = (path, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set("authorization", authorization);
    return fetch(url + path, { ...init, headers });
  };
  return {
    fetch: call,
    send: (method, path, body, headers) =>
      call(path, { method, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) }),
  };
}

/** A small disk; unmounted at the end. */
function mountSmallDisk(path: string): Disposable & { path: string } {
  mkdirSync(path);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs", path]);
  return { path, [Symbol.dispose]: () => execFileSync("umount", ["-l", path]) };
}

/** Flips a bit in the middle of a file. */
function flip(file: string): void {
  const bytes = readFileSync(file);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

describe("a backup whose server is killed", () => {
  it("is none; the next one finds what it has written, and is whole", { timeout: 120_000 }, async () => {
    using directory = createTemporaryDirectory();
    await using database = await createTestDatabase();
    const [dataDir, repository] = [join(directory.path, "data"), join(directory.path, "repository")];
    const variables = { DATABASE_URL: database.url, SYLA_BACKUP_TO: repository, SYLA_BACKUP_PASSPHRASE: passphrase };
    let written: string[];
    {
      await using killed = spawnServer(dataDir, variables);
      const server = askAt(await killed.ready(), dataDir);
      for (let index = 0; index < 8; index += 1) await upload(server, randomBytes(9_000_000));
      await server.send("POST", "/api/v1/backups", {});
      await expect.poll(() => filesIn(join(repository, "data")).length, { timeout: 30_000, interval: 5 }).toBeGreaterThan(5);
      killed.child.kill("SIGKILL");
      await killed.exited();
      written = filesIn(join(repository, "data"));
    }
    expect(filesIn(join(repository, "backups"))).toEqual([]);
    await using again = spawnServer(dataDir, variables);
    const server = askAt(await again.ready(), dataDir);
    // Until it is known that the other one is dead, its job goes on.
    await expect.poll(async () => (await server.send("POST", "/api/v1/backups", {})).status, { timeout: 60_000, interval: 100 }).toBe(202);
    await expect
      .poll(async () => BackupStatus.parse(await read(server, "/api/v1/backups")).jobs.map(({ state }) => state), { timeout: 60_000 })
      .toEqual(["done", "failed"]);
    const { items, jobs } = BackupStatus.parse(await read(server, "/api/v1/backups"));
    expect(jobs[1]?.report.error).toBe("The server that did it is gone.");
    const all = filesIn(join(repository, "data"));
    for (const file of written) expect(all).toContain(file);
    expect(jobs[0]?.report.newObjects).toBeLessThanOrEqual(all.length - written.length + 1);
    expect((await verify(server, items[0]?.id ?? "", true)).report).toMatchObject({ problemCount: 0 });
  });
});

describe("a repository that is damaged", () => {
  it("is told of, object by object, refused by a restore, and mended by the next backup", { timeout: 120_000 }, async () => {
    using directory = createTemporaryDirectory();
    const repository = join(directory.path, "repository");
    const variables = { SYLA_BACKUP_TO: repository, SYLA_BACKUP_PASSPHRASE: passphrase };
    await using server = await startTestServer(variables);
    const sha256 = await upload(server, randomBytes(3_000_000));
    const first = await backUp(server);
    const [largest = ""] = filesIn(join(repository, "data")).toSorted((a, b) => readFileSync(b).length - readFileSync(a).length);
    flip(largest);
    const name = largest.slice(largest.lastIndexOf("/") + 1);
    expect((await verify(server, first.backupId, false)).report.problemCount).toBe(0);
    await using database = await createTestDatabase({ empty: true });
    await using other = await createTestDatabase({ empty: true });
    const dataDir = join(directory.path, "elsewhere");
    const target = loadConfig({ ...variables, SYLA_DATA_DIR: dataDir, DATABASE_URL: database.url });
    const wish = { id: undefined, toTime: undefined, replace: false, contentFrom: undefined, leaveDamaged: false };
    await expect(restoreInstallation(target, wish, createLogger("silent"), () => {})).rejects.toMatchObject({
      code: "backup_damaged",
      message: expect.stringContaining(name) as string,
    });
    expect(existsSync(join(dataDir, "restoring.json"))).toBe(false);
    // Whoever has no other backup gets everything else.
    const without = { ...target, databaseUrl: new Secret(other.url), dataDir: join(directory.path, "without") };
    expect(await restoreInstallation(without, { ...wish, leaveDamaged: true }, createLogger("silent"), () => {})).toMatchObject({
      missing: 1,
    });
    const { report } = await verify(server, first.backupId, true);
    expect(report).toMatchObject({ problemCount: 1, problems: [expect.stringContaining(name)] });
    const second = await backUp(server);
    expect(second).toMatchObject({ state: "done", report: { missing: 0 } });
    expect((await verify(server, first.backupId, true)).report.problemCount).toBe(0);
    expect(await restoreInstallation(target, wish, createLogger("silent"), () => {})).toMatchObject({ id: second.backupId, missing: 0 });
    expect(await server.context.blobs.verify(sha256)).toBe(true);
  });

  it("shows the backups that open, goes on with new ones, and lets go of the one that does not", { timeout: 120_000 }, async () => {
    using directory = createTemporaryDirectory();
    const repository = join(directory.path, "repository");
    await using server = await startTestServer({ SYLA_BACKUP_TO: repository, SYLA_BACKUP_PASSPHRASE: passphrase });
    const [one, two] = [await backUp(server), await backUp(server)];
    flip(join(repository, "backups", one.backupId ?? ""));
    const status = async () => BackupStatus.parse(await read(server, "/api/v1/backups"));
    expect(await status()).toMatchObject({ items: [{ id: two.backupId }], problem: { code: "backup_damaged" } });
    expect((await server.send("POST", `/api/v1/backups/${one.backupId}/verify`, {})).status).toBe(409);
    expect(await server.context.backups.backUpWhenDue()).toBe(true);
    const [automatic] = (await status()).jobs;
    expect(automatic?.report.problems).toEqual([expect.stringContaining("could not be removed")]);
    const remove = async (id: string | null) => BackupJob.parse(await (await server.send("DELETE", `/api/v1/backups/${id}`)).json());
    await remove(one.backupId);
    await expect.poll(async () => (await status()).jobs[0]?.state, { timeout: 20_000 }).toBe("done");
    expect(await status()).toMatchObject({ problem: null, items: [{ id: automatic?.backupId }, { id: two.backupId }] });
  });
});

// Mounting a small disk needs root.
describe.runIf(process.getuid?.() === 0)("a repository on a full disk", () => {
  it("fails the backup and nothing else; what was written is found again when there is room", { timeout: 120_000 }, async () => {
    using directory = createTemporaryDirectory();
    using small = mountSmallDisk(join(directory.path, "disk"));
    const disk = small.path;
    const repository = join(disk, "repository");
    await using server = await startTestServer({ SYLA_BACKUP_TO: repository, SYLA_BACKUP_PASSPHRASE: passphrase });
    const sha256 = await upload(server, randomBytes(12_000_000));
    const failed = await backUp(server);
    expect(failed).toMatchObject({ state: "failed", report: { error: expect.stringContaining("is full") as string } });
    expect(filesIn(join(repository, "backups"))).toEqual([]);
    expect(filesIn(join(repository, "incoming"))).toEqual([]);
    expect(await server.context.blobs.verify(sha256)).toBe(true);
    const filler = join(disk, "filler");
    expect(() => appendFileSync(filler, Buffer.alloc(9_000_000))).toThrow("ENOSPC");
    rmSync(filler);
    execFileSync("mount", ["-o", "remount,size=64m", disk]);
    const whole = await backUp(server);
    expect(whole.state).toBe("done");
    expect((await verify(server, whole.backupId, true)).report.problemCount).toBe(0);
  });
});
