import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "@syla/contracts/errors";
import pg from "pg";
import { databaseError, type DatabaseTarget } from "./database.ts";

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
}

/** Any constant: servers that share a database take turns. Whoever holds it shared is spared changes of the schema meanwhile. */
export const migrationLock = 7_878_001;

/** A migration that has run in a database. */
export interface AppliedMigration {
  readonly name: string;
  readonly sha256: string;
}

/**
 * Brings the schema up to date: runs each `NNNN-name.sql` that has not run yet, in order, each in a transaction of its own.
 *
 * `only`: no others than these, the schema of a backup.
 *
 * @returns the names of the migrations that ran
 * @throws AppError `database_newer` for a database of a newer version, `database_mismatch` when a migration that ran differs from ours, `database_unavailable`
 */
export async function migrate(target: DatabaseTarget, directory: string, only?: readonly AppliedMigration[]): Promise<string[]> {
  const client = new pg.Client({ ...target, connectionTimeoutMillis: 10_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("select pg_advisory_lock($1)", [migrationLock]);
    const known = readMigrations(directory);
    if (only === undefined) return await applyPending(client, known);
    checkApplied(only, known);
    const wanted = new Set(only.map(({ name }) => name));
    return await applyPending(
      client,
      known.filter(({ name }) => wanted.has(name)),
    );
  } catch (error) {
    throw databaseError(error) ?? error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Looks whether this version knows all of these migrations. @throws AppError `database_newer`, `database_mismatch` */
export function requireKnown(applied: readonly AppliedMigration[], directory: string): void {
  checkApplied(applied, readMigrations(directory));
}

function readMigrations(directory: string): Migration[] {
  const names = readdirSync(directory)
    .filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name))
    .toSorted();
  return names.map((file) => {
    const sql = readFileSync(join(directory, file), "utf8");
    return { name: file.replace(/\.sql$/, ""), sql, sha256: createHash("sha256").update(sql).digest("hex") };
  });
}

async function applyPending(client: pg.Client, known: readonly Migration[]): Promise<string[]> {
  await client.query(
    "create table if not exists migrations (name text primary key, sha256 text not null, applied_at timestamptz not null default now())",
  );
  const applied = await client.query<{ name: string; sha256: string }>("select name, sha256 from migrations order by name");
  checkApplied(applied.rows, known);
  const done = new Set(applied.rows.map((row) => row.name));
  const pending = known.filter((migration) => !done.has(migration.name));
  for (const migration of pending) await apply(client, migration);
  return pending.map((migration) => migration.name);
}

function checkApplied(applied: readonly AppliedMigration[], known: readonly Migration[]): void {
  const byName = new Map(known.map((migration) => [migration.name, migration]));
  for (const { name, sha256 } of applied) {
    const ours = byName.get(name);
    if (ours === undefined)
      throw new AppError("database_newer", { message: `The database has the migration ${name}, which this version does not know.` });
    if (ours.sha256 !== sha256)
      throw new AppError("database_mismatch", { message: `The migration ${name} ran in this database with a different content.` });
  }
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  await client.query("begin");
  try {
    await client.query(migration.sql);
    await client.query("insert into migrations (name, sha256) values ($1, $2)", [migration.name, migration.sha256]);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw error;
  }
}
