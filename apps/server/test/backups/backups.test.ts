import { randomBytes } from "node:crypto";
import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import { Backup, BackupJob, BackupStatus } from "@syla/contracts/backups";
import { createTestDatabase } from "@syla/testkit/database";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { describe, expect, it } from "vitest";
import { restoreInstallation } from "../../src/backups/restore.ts";
import { loadConfig } from "../../src/config.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { collect } from "../../src/storage/collection.ts";
import { backUp, passphrase, read, upload, verify } from "./jobs.ts";

const newest = { id: undefined, toTime: undefined, replace: false, contentFrom: undefined, leaveDamaged: false };
const logger = createLogger("silent");

async function makeWorkspace(server: TestServer, name: string): Promise<string> {
  const files = [{ path: "a.txt", content: `first of ${name}` }];
  return ((await (await server.send("POST", "/api/v1/workspaces", { name, files })).json()) as { id: string }).id;
}

const contentOf = async (server: TestServer, id: string) => await (await server.fetch(`/api/v1/workspaces/${id}/file?path=a.txt`)).text();

describe("backups of an installation", () => {
  it("are made while people work, only with what is new, and restored elsewhere", { timeout: 300_000 }, async () => {
    using directory = createTemporaryDirectory();
    const variables = { SYLA_BACKUP_TO: join(directory.path, "repository"), SYLA_BACKUP_PASSPHRASE: passphrase };
    await using server = await startTestServer(variables);
    const large = await upload(server, randomBytes(9_000_000));
    const id = await makeWorkspace(server, "kept");
    const { key } = (await (await server.send("POST", "/api/v1/api-keys", { name: "kept" })).json()) as { key: string };
    // Somebody goes on all the while.
    const over = new AbortController();
    let written = 0;
    const work = (async () => {
      while (!over.signal.aborted) {
        await upload(server, Buffer.from(`while it was made ${written}`));
        written += 1;
      }
    })();
    const first = await backUp(server);
    over.abort();
    await work;
    expect(first).toMatchObject({ kind: "create", state: "done", report: { missing: 0, error: null, step: "done" } });
    const second = await backUp(server);
    expect(second.report.newBytes).toBeLessThan(first.report.newBytes / 10);
    const status = BackupStatus.parse(await read(server, "/api/v1/backups"));
    expect(status.items.map((backup) => backup.id)).toEqual([second.backupId, first.backupId]);
    expect(status).toMatchObject({ problem: null, everyHours: 24, keep: 7, logHours: 0 });
    const verified = await verify(server, first.backupId, true);
    expect(verified).toMatchObject({ state: "done", report: { problemCount: 0 } });
    expect(verified.report.objects).toBeGreaterThan(10);

    await using database = await createTestDatabase({ empty: true });
    const dataDir = join(directory.path, "elsewhere");
    const target = { ...variables, SYLA_DATA_DIR: dataDir, DATABASE_URL: database.url };
    const wrong = { ...target, SYLA_BACKUP_PASSPHRASE: "wrong horse battery staple" };
    await expect(restoreInstallation(loadConfig(wrong), newest, logger, () => {})).rejects.toMatchObject({
      code: "backup_passphrase_wrong",
    });
    const report = await restoreInstallation(loadConfig(target), newest, logger, () => {});
    expect(report).toMatchObject({ id: second.backupId, step: "done", missing: 0 });
    await expect(restoreInstallation(loadConfig(target), newest, logger, () => {})).rejects.toMatchObject({
      code: "restore_target_in_use",
    });
    await using elsewhere = await startTestServer(target);
    expect(await contentOf(elsewhere, id)).toBe("first of kept");
    const { jobs } = BackupStatus.parse(await read(elsewhere, "/api/v1/backups"));
    expect(jobs.find((job) => job.backupId === second.backupId && job.kind === "create")?.state).toBe("done");
    expect(await elsewhere.context.blobs.verify(large)).toBe(true);
    const headers = { authorization: `Bearer ${key}` };
    expect((await elsewhere.fetch("/api/v1/users/me", { headers })).status).toBe(200);
    const again = await verify(elsewhere, second.backupId, true);
    expect(again.report.problemCount).toBe(0);
  });

  it("are one at a time, hold nothing up that is deleted, and leave nothing half when stopped", { timeout: 200_000 }, async () => {
    using directory = createTemporaryDirectory();
    await using server = await startTestServer({
      SYLA_BACKUP_TO: join(directory.path, "repository"),
      SYLA_BACKUP_PASSPHRASE: passphrase,
    });
    const { backups, database, blobs } = server.context;
    const unwanted = (await blobs.put(Buffer.from("nobody's"))).sha256;
    let finish = (): void => undefined;
    const wish = { kind: "create", backupId: null, workspaceId: null, isAutomatic: false, startedBy: null } as const;
    const { job, done } = await backups.begin(wish, (_report, signal) =>
      Promise.race([
        new Promise<void>((resolve) => (finish = resolve)),
        new Promise<void>((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
      ]),
    );
    const refused = await server.send("POST", "/api/v1/backups", {});
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([409, "backup_busy"]);
    const { claims, store } = { claims: { claim: () => null, expect: () => {}, forget: () => {} }, store: "test" };
    const collecting = { database, blobs, claims, store, graceMs: 0 };
    expect(await collect(collecting)).toMatchObject({ deleted: 0 });
    expect(await blobs.has(unwanted)).toBe(true);
    const stopped = BackupJob.parse(await (await server.send("POST", `/api/v1/backup-jobs/${job.id}/stop`)).json());
    expect(stopped.state).toBe("stopped");
    await expect(done).rejects.toThrow("it was stopped");
    finish();
    expect((await collect(collecting)).deleted).toBeGreaterThan(0);
    expect(await blobs.has(unwanted)).toBe(false);
    expect((await backUp(server)).state).toBe("done");
  });

  it("are made by themselves, so many are kept, and administrators are told of one that fails", { timeout: 200_000 }, async () => {
    using directory = createTemporaryDirectory();
    const repository = join(directory.path, "repository");
    await using server = await startTestServer({ SYLA_BACKUP_TO: repository, SYLA_BACKUP_PASSPHRASE: passphrase });
    const { backups, database } = server.context;
    const makeDue = async () => {
      await database.queries
        .updateTable("backup_jobs")
        .set({ started_at: new Date(0) })
        .execute();
    };
    await server.send("PATCH", "/api/v1/admin/settings", { values: { backupKeep: "1" } });
    expect(await backups.backUpWhenDue()).toBe(true);
    expect(await backups.backUpWhenDue()).toBe(false);
    await makeDue();
    expect(await backups.backUpWhenDue()).toBe(true);
    expect(await backups.list()).toHaveLength(1);
    renameSync(repository, `${repository}-unmounted`);
    const { items, problem } = BackupStatus.parse(await read(server, "/api/v1/backups"));
    expect([items, problem?.code]).toEqual([[], "backup_repository_foreign"]);
    await makeDue();
    expect(await backups.backUpWhenDue()).toBe(false);
    const told = await read<{ items: { title: string }[] }>(server, "/api/v1/notifications");
    expect(told.items.map(({ title }) => title)).toContain("The automatic backup failed");
    expect(existsSync(repository)).toBe(false);
    renameSync(`${repository}-unmounted`, repository);
    await makeDue();
    expect(await backups.backUpWhenDue()).toBe(true);
  });

  it("say what is wrong with what was asked for", { timeout: 100_000 }, async () => {
    await using server = await startTestServer();
    const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code: string }).code];
    expect(await codeOf(await server.send("POST", "/api/v1/backups", {}))).toEqual([409, "backup_not_configured"]);
    expect(await codeOf(await server.send("POST", "/api/v1/backups", { note: "x".repeat(201) }))).toEqual([400, "invalid_request"]);
    expect(await read(server, "/api/v1/backups")).toMatchObject({ place: null, items: [], nextAt: null });
    using directory = createTemporaryDirectory();
    const config = (more: Record<string, string>) => () => loadConfig({ SYLA_DATA_DIR: directory.path, ...more });
    expect(config({ SYLA_BACKUP_LOG_HOURS: "24" })).toThrow("needs SYLA_BACKUP_TO");
    expect(config({ SYLA_BACKUP_LOG_HOURS: "25", SYLA_BACKUP_TO: "/x" })).toThrow("SYLA_STORAGE_GRACE_HOURS");
    expect(config({ SYLA_BACKUP_LOG_HOURS: "1", SYLA_BACKUP_TO: "/x", DATABASE_URL: "postgres://a@b/c" })).toThrow("embedded PostgreSQL");
    expect(config({ SYLA_BACKUP_TO: "s3://x" })).toThrow("name of a bucket");
  });
});

describe("a backup of a workspace", () => {
  it("is restored as a new one with its versions, or over what is there, which becomes a version", { timeout: 200_000 }, async () => {
    using directory = createTemporaryDirectory();
    await using server = await startTestServer({
      SYLA_BACKUP_TO: join(directory.path, "repository"),
      SYLA_BACKUP_PASSPHRASE: passphrase,
    });
    const id = await makeWorkspace(server, "notes");
    const base = `/api/v1/workspaces/${id}`;
    await server.send("POST", `${base}/versions`, { message: "kept" });
    const made = Backup.parse(await (await server.send("POST", `${base}/backups`, { note: "before" })).json());
    expect(made).toMatchObject({ scope: "workspace", workspace: { id, name: "notes" }, note: "before", missing: 0 });
    const changes = [{ op: "write", file: { path: "a.txt", content: "changed" } }];
    expect((await server.send("POST", `${base}/files`, { changes }, { "if-match": "*" })).status).toBe(200);
    expect(await contentOf(server, id)).toBe("changed");
    const restore = async (into: string) => await server.send("POST", `${base}/backups/${made.id}/restore`, { into });
    const fresh = (await (await restore("new")).json()) as { id: string; name: string; version: number };
    expect([fresh.id === id, fresh.name === "notes", fresh.version]).toEqual([false, false, 1]);
    expect(await contentOf(server, fresh.id)).toBe("first of notes");
    expect((await restore("same")).status).toBe(200);
    expect(await contentOf(server, id)).toBe("first of notes");
    const { items } = await read<{ items: { cause: string }[] }>(server, `${base}/versions`);
    expect(items.map(({ cause }) => cause)).toContain("before_restore");
    await server.fetch(`${base}?forGood=true`, { method: "DELETE" });
    expect((await restore("same")).status).toBe(404);
    expect((await restore("new")).status).toBe(200);
    const other = await makeWorkspace(server, "other");
    expect((await server.send("POST", `/api/v1/workspaces/${other}/backups/${made.id}/restore`, {})).status).toBe(404);
  });
});
