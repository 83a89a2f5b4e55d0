import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { prepareCluster } from "@syla/testkit/cluster";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { backUpInstallation, newProgress } from "../../src/backups/create.ts";
import { openConfiguredRepository } from "../../src/backups/open.ts";
import { archiveFolder, archiveSettings, nextSegment } from "../../src/backups/physical/log-archive.ts";
import { restoreInstallation } from "../../src/backups/restore.ts";
import { newVerifyReport, verifyBackup } from "../../src/backups/verify.ts";
import { loadConfig } from "../../src/config.ts";
import { openBlobs } from "../../src/platform/blobs.ts";
import { dataDirectoryAt, readOrCreateSecret } from "../../src/platform/data-directory.ts";
import { newId } from "../../src/platform/ids.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { EmbeddedPostgres } from "../../src/platform/postgres.ts";

const logger = createLogger("silent");
const signal = new AbortController().signal;

/** Does something with the database of a data directory, whose log is archived. */
async function withDatabase<T>(dataDir: string, work: (client: pg.Client, postgres: EmbeddedPostgres) => Promise<T>): Promise<T> {
  const directory = dataDirectoryAt(dataDir);
  mkdirSync(archiveFolder(directory), { recursive: true });
  const postgres = await EmbeddedPostgres.start(directory.postgres, logger, archiveSettings(archiveFolder(directory)));
  const client = new pg.Client(postgres.address("syla"));
  try {
    await client.connect();
    return await work(client, postgres);
  } finally {
    await client.end();
    await postgres.stop();
  }
}

/** The time of the database's clock, between what was committed before and what comes. */
async function now(client: pg.Client): Promise<Date> {
  const { rows } = await client.query<{ at: Date }>("select clock_timestamp() as at from pg_sleep(0.05)");
  await client.query("select pg_sleep(0.05)");
  return rows[0]?.at ?? new Date(0);
}

const uploads = async (client: pg.Client) =>
  (await client.query<{ sha256: string }>("select sha256 from uploads order by created_at, sha256")).rows.map(({ sha256 }) => sha256);

describe("the log of the database", () => {
  it(
    "takes it back to before a wrong delete, and leaves things as they are when the time is out of reach",
    { timeout: 280_000 },
    async () => {
      using folder = createTemporaryDirectory();
      const dataDir = join(folder.path, "home", "data");
      await prepareCluster(dataDir);
      const directory = dataDirectoryAt(dataDir);
      readOrCreateSecret(directory.secretFile);
      const variables = {
        SYLA_BACKUP_TO: join(folder.path, "repository"),
        SYLA_BACKUP_PASSPHRASE: "correct horse battery staple",
        SYLA_BACKUP_LOG_HOURS: "1",
      };
      const config = loadConfig({ ...variables, SYLA_DATA_DIR: dataDir });
      await using opened = new AsyncDisposableStack();
      const repository = opened.adopt(await openConfiguredRepository(config, true), (value) => value.close());
      const content = async (text: string) => {
        const blobs = await openBlobs(directory.blobs);
        const { sha256 } = await blobs.put(Buffer.from(text));
        await blobs.close();
        return sha256;
      };
      const [early, late] = [await content("before the backup"), await content("after the backup")];
      const insert = (client: pg.Client, sha256: string) =>
        client.query("insert into uploads (owner_id, sha256, size) values ('user_one', $1, 1)", [sha256]);
      const before = new Date();
      const { manifest, time } = await withDatabase(dataDir, async (client, postgres) => {
        await client.query("insert into users (id, name) values ('user_one', 'One')");
        await insert(client, early);
        const blobs = await openBlobs(directory.blobs);
        const source = { config, directory, target: postgres.address("syla"), blobs, version: "0", keepsLog: true };
        const made = await backUpInstallation(
          repository,
          source,
          { id: newId("bkp"), isAutomatic: false, note: "" },
          newProgress(),
          signal,
        );
        await blobs.close();
        // With the backup comes the log that makes its copy of the cluster whole.
        const atOnce = newVerifyReport();
        await verifyBackup(repository, made, { deep: true, report: atOnce });
        expect(atOnce.problems).toEqual([]);
        await insert(client, late);
        const at = await now(client);
        await client.query("delete from uploads");
        return { manifest: made, time: at };
      });
      const report = newVerifyReport();
      await verifyBackup(repository, manifest, { deep: true, report });
      expect(report.problems).toEqual([]);

      const wish = { id: undefined, replace: true, contentFrom: undefined, leaveDamaged: false };
      const restore = (toTime: Date | "latest", more: object = {}, into = dataDir) =>
        restoreInstallation(loadConfig({ ...variables, SYLA_DATA_DIR: into }), { ...wish, toTime, ...more }, logger, () => {});
      await expect(restore(time, { replace: false })).rejects.toMatchObject({ code: "restore_target_in_use" });
      await expect(restore(before)).rejects.toMatchObject({ code: "backup_time_unreachable" });
      await expect(restore(new Date(Date.now() + 3_600_000))).rejects.toMatchObject({ code: "backup_time_unreachable" });
      expect(readdirSync(dataDir).filter((name) => name.startsWith("replaced-") || name === "restoring.json")).toEqual([]);
      expect(await withDatabase(dataDir, uploads)).toEqual([]);

      expect(await restore(time)).toMatchObject({ missing: 0, id: manifest.id, replaced: expect.stringContaining("replaced-") as string });
      expect(await withDatabase(dataDir, uploads)).toEqual([early, late]);
      const there = await openBlobs(directory.blobs);
      expect((await there.get(late)).toString()).toBe("after the backup");
      await there.close();

      // The disk is lost: what is in the repository, and content that came after the backup from wherever it is.
      const elsewhere = join(folder.path, "elsewhere");
      const contentFrom = directory.blobs;
      rmSync(directory.postgres, { recursive: true });
      expect(await restore("latest", { replace: false, contentFrom }, elsewhere)).toMatchObject({ missing: 0, replaced: null });
      expect(await withDatabase(elsewhere, uploads)).toEqual([early]);
    },
  );

  it("has segments whose names go on as PostgreSQL's do", () => {
    expect(nextSegment("000000010000000000000001")).toBe("000000010000000000000002");
    expect(nextSegment("0000000100000000000000FF")).toBe("000000010000000100000000");
  });
});
