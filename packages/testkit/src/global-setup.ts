import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createLogger } from "@syla/server/platform/logger";
import { migrate } from "@syla/server/platform/migrate";
import { EmbeddedPostgres, ensureDatabase, type PostgresAddress } from "@syla/server/platform/postgres";
import type { TestProject } from "vitest/node";
import { createTemporaryDirectory } from "./temporary-directory.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The cluster of this test run; its database `template_syla` has all migrations. */
    postgres: PostgresAddress;
    /** A folder of this test run, inside the checkout, for what its files need only once. */
    runFolder: string;
  }
}

/** The database that tests are cloned from. */
export const templateDatabase = "template_syla";

/**
 * Starts one real PostgreSQL for the whole test run and migrates the template. The cluster is thrown away afterwards, so it
 * need not survive a power cut: nothing is synced, and its log holds no more than transactions need. Tests of durability start a
 * server with a cluster of its own.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = createTemporaryDirectory();
  const postgres = await EmbeddedPostgres.start(join(directory.path, "postgres"), createLogger("warn"), [
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "wal_init_zero=off",
    "max_connections=400",
  ]);
  await ensureDatabase(postgres, templateDatabase);
  await migrate(postgres.address(templateDatabase), join(import.meta.dirname, "../../../apps/server/src/migrations"));
  project.provide("postgres", postgres.address("postgres"));
  const runFolder = createRunFolder();
  project.provide("runFolder", runFolder);
  return async () => {
    await postgres.stop();
    directory[Symbol.dispose]();
    rmSync(runFolder, { recursive: true, force: true });
  };
}

function createRunFolder(): string {
  const build = join(import.meta.dirname, "../../../.build");
  mkdirSync(build, { recursive: true });
  return mkdtempSync(join(build, "test-run-"));
}
