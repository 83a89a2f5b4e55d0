import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createLogger } from "@syla/server/platform/logger";
import { migrate } from "@syla/server/platform/migrate";
import { EmbeddedPostgres, ensureDatabase } from "@syla/server/platform/postgres";
import { inject } from "vitest";

/**
 * Puts the cluster of PostgreSQL into a data directory that no server has had yet, with every migration: as a first start leaves it, in a tenth of
 * the time. The first test of a test run that asks for one makes it; the others copy it.
 */
export async function prepareCluster(dataDir: string): Promise<void> {
  const ready = join(inject("runFolder"), "cluster");
  if (!existsSync(ready)) await makeCluster(ready);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  execFileSync("cp", ["-a", ready, join(dataDir, "postgres")]);
}

async function makeCluster(target: string): Promise<void> {
  const unfinished = mkdtempSync(`${target}-`);
  const postgres = await EmbeddedPostgres.start(unfinished, createLogger("warn"), ["fsync=off"]);
  await ensureDatabase(postgres, "syla");
  await migrate(postgres.address("syla"), join(import.meta.dirname, "../../../apps/server/src/migrations"));
  await postgres.stop();
  try {
    renameSync(unfinished, target);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!["ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error; // another file was as quick
  }
}
