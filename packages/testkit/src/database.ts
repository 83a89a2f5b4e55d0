import { randomBytes } from "node:crypto";
import type { PostgresAddress } from "@syla/server/platform/postgres";
import pg from "pg";
import { inject } from "vitest";
import { databaseUrl } from "./database-url.ts";
import { templateDatabase } from "./global-setup.ts";

/** A database of a test's own, with every migration. */
export interface TestDatabase {
  readonly address: PostgresAddress;
  /** The same as `DATABASE_URL` takes it. */
  readonly url: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Clones the template: a few dozen milliseconds. With `empty`, without any migration. */
export async function createTestDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString("hex")}`;
  const template = options.empty === true ? "template0" : templateDatabase;
  // Copied as files: as records of the log it would write them twice.
  await administer(`create database ${name} template ${template} strategy file_copy`);
  const address = { ...inject("postgres"), database: name };
  return { address, url: databaseUrl(address), [Symbol.asyncDispose]: () => administer(`drop database if exists ${name} with (force)`) };
}

async function administer(statement: string): Promise<void> {
  const client = new pg.Client(inject("postgres"));
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
