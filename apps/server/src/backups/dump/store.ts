import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import pg from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import { databaseError, type DatabaseTarget } from "../../platform/database.ts";
import { migrationLock, type AppliedMigration } from "../../platform/migrate.ts";
import { referenceQuery } from "../../storage/service.ts";

/** A table, its columns that hold something of their own, and those of its key. */
export interface TableShape {
  readonly name: string;
  readonly columns: readonly string[];
  readonly key: readonly string[];
}

/** What a snapshot of a database is read through: all of it is of one moment, and nobody waits for it. */
export interface Snapshot extends AsyncDisposable {
  migrations(): Promise<AppliedMigration[]>;
  tables(): Promise<TableShape[]>;
  sequences(): Promise<{ name: string; value: number | null }[]>;
  /** The rows as `COPY` writes them, in the order of the key. */
  copyRows(table: TableShape): Readable;
  /** The hashes of all content that something refers to, in order, each once. */
  copyReferences(): Readable;
}

/** What tells only of a store of content, which a restored database has another one of. */
const leftOut = ["blob_garbage", "cold_blobs"];

/** Equal rows are equal bytes, whatever the server's settings. */
const settings =
  "set datestyle = 'ISO'; set intervalstyle = 'postgres'; set timezone = 'UTC'; set bytea_output = 'hex'; set statement_timeout = 0; set idle_in_transaction_session_timeout = 0";

/** Opens a snapshot, which lasts until it is disposed of; the schema stays as it is meanwhile. @throws AppError `database_unavailable` */
export async function openSnapshot(target: DatabaseTarget): Promise<Snapshot> {
  const client = await connect(target);
  await client.query(settings);
  await client.query("select pg_advisory_lock_shared($1)", [migrationLock]);
  await client.query("begin transaction isolation level repeatable read, read only");
  const rowsOf = async <Row extends pg.QueryResultRow>(text: string): Promise<Row[]> => (await client.query<Row>(text)).rows;
  return {
    migrations: () => rowsOf<{ name: string; sha256: string }>("select name, sha256 from migrations order by name"),
    tables: () => listTables(client),
    sequences: async () =>
      (
        await rowsOf<{ name: string; value: string | null }>(
          "select sequencename as name, last_value as value from pg_sequences where schemaname = current_schema() order by 1",
        )
      ).map(({ name, value }) => ({ name, value: value === null ? null : Number(value) })),
    copyRows: ({ name, columns, key }) => {
      const order = key.length === 0 ? "" : ` order by ${listOf(key)}`;
      return client.query(copyTo(`copy (select ${listOf(columns)} from ${pg.escapeIdentifier(name)}${order}) to stdout`));
    },
    copyReferences: () =>
      client.query(
        copyTo(`copy (select distinct sha256 collate "C" from (${referenceQuery}) as every where sha256 is not null order by 1) to stdout`),
      ),
    [Symbol.asyncDispose]: () => end(client),
  };
}

async function connect(target: DatabaseTarget): Promise<pg.Client> {
  const client = new pg.Client({ ...target, connectionTimeoutMillis: 60_000, keepAlive: true });
  client.on("error", () => undefined);
  await client.connect().catch((error: unknown) => {
    throw databaseError(error) ?? error;
  });
  return client;
}

async function end(client: pg.Client): Promise<void> {
  await client.end().catch(() => undefined);
}

function listOf(columns: readonly string[]): string {
  return columns.map((column) => pg.escapeIdentifier(column)).join(", ");
}

async function listTables(client: pg.Client): Promise<TableShape[]> {
  const { rows } = await client.query<{ name: string; columns: string[]; key: string[] }>(
    `select c.relname as name,
      array(select a.attname::text from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum) as columns,
      array(select a.attname::text from pg_index i cross join unnest(i.indkey::int2[]) with ordinality as part(attnum, place)
        join pg_attribute a on a.attrelid = c.oid and a.attnum = part.attnum where i.indrelid = c.oid and i.indisprimary order by part.place) as key
    from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and c.relpersistence = 'p'
      and c.relname <> 'migrations' and c.relname <> all ($1) order by c.relname`,
    [leftOut],
  );
  return rows;
}

/** What a backup's rows are brought into. Everything comes in one transaction, or nothing. */
export interface Loading extends AsyncDisposable {
  tables(): Promise<TableShape[]>;
  /** Nothing watches what comes in, and nothing is in the way of it, until `finish`. */
  begin(): Promise<void>;
  loadRows(table: Pick<TableShape, "name" | "columns">, rows: AsyncIterable<Uint8Array>): Promise<number>;
  setSequence(name: string, value: number | null): Promise<void>;
  /** Every reference between tables is checked again. */
  finish(): Promise<void>;
}

/** @throws AppError `database_unavailable` */
export async function openLoading(target: DatabaseTarget): Promise<Loading> {
  const client = await connect(target);
  await client.query(settings);
  let references: { table: string; name: string; definition: string }[] = [];
  const watchers = async (word: "disable" | "enable") => {
    for (const { name } of await listTables(client)) await client.query(`alter table ${pg.escapeIdentifier(name)} ${word} trigger user`);
  };
  return {
    tables: () => listTables(client),
    begin: async () => {
      await client.query("begin");
      await watchers("disable");
      references = (
        await client.query<(typeof references)[number]>(
          `select c.relname as table, f.conname as name, pg_get_constraintdef(f.oid) as definition
          from pg_constraint f join pg_class c on c.oid = f.conrelid
          where f.contype = 'f' and c.relnamespace = current_schema()::regnamespace order by 1, 2`,
        )
      ).rows;
      for (const { table, name } of references)
        await client.query(`alter table ${pg.escapeIdentifier(table)} drop constraint ${pg.escapeIdentifier(name)}`);
      // Some migrations write rows.
      const every = (await listTables(client)).map(({ name }) => name);
      if (every.length > 0) await client.query(`truncate ${listOf(every)}`);
    },
    loadRows: async ({ name, columns }, rows) => {
      const rowsIn = client.query(copyFrom(`copy ${pg.escapeIdentifier(name)} (${listOf(columns)}) from stdin`));
      await pipeline(Readable.from(rows), rowsIn);
      return rowsIn.rowCount;
    },
    setSequence: async (name, value) => {
      await client.query("select setval($1::regclass, $2, $3)", [pg.escapeIdentifier(name), value ?? 1, value !== null]);
    },
    finish: async () => {
      for (const { table, name, definition } of references)
        await client.query(`alter table ${pg.escapeIdentifier(table)} add constraint ${pg.escapeIdentifier(name)} ${definition}`);
      await watchers("enable");
      await client.query("commit");
      await client.query("analyze");
    },
    [Symbol.asyncDispose]: () => end(client),
  };
}

/** Whether there is anything in a database that could be somebody's. @throws AppError `database_unavailable` */
export async function isEmptyDatabase(target: DatabaseTarget): Promise<boolean> {
  const client = await connect(target);
  try {
    const { rows } = await client.query(
      "select from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'v') limit 1",
    );
    return rows.length === 0;
  } finally {
    await end(client);
  }
}

/** Takes everything out of a database. */
export async function emptyDatabase(target: DatabaseTarget): Promise<void> {
  const client = await connect(target);
  try {
    const { rows } = await client.query<{ name: string }>("select current_schema() as name");
    const schema = pg.escapeIdentifier(rows[0]?.name ?? "public");
    await client.query(`drop schema ${schema} cascade; create schema ${schema}`);
  } finally {
    await end(client);
  }
}

/** In what a backup holds, the job that makes it still runs: it came to its end. */
export async function noteMade(target: DatabaseTarget, backupId: string, finishedAt: string): Promise<void> {
  const client = await connect(target);
  try {
    await client.query(
      "update backup_jobs set state = 'done', finished_at = $2 where backup_id = $1 and kind = 'create' and state = 'running'",
      [backupId, finishedAt],
    );
  } finally {
    await end(client);
  }
}

/** A session in which the files of a cluster are copied while it runs. */
export interface PhysicalSession extends AsyncDisposable {
  readonly systemId: string;
  readonly major: string;
  /** Begins to copy: from here on the log has whole pages. @returns the first segment of the log that is needed */
  start(label: string): Promise<string>;
  /** Ends it, and waits until the log that makes the copy consistent is archived. @returns the text of `backup_label`, and the time */
  stop(): Promise<{ label: string; at: Date }>;
}

/** One session that has to last from the first file to the last. */
export async function openPhysicalSession(target: DatabaseTarget): Promise<PhysicalSession> {
  const client = await connect(target);
  const { rows } = await client.query<{ id: string; major: string }>(
    "select system_identifier::text as id, (current_setting('server_version_num')::int / 10000)::text as major from pg_control_system()",
  );
  const [facts] = rows;
  return {
    systemId: facts?.id ?? "",
    major: facts?.major ?? "",
    start: async (label) => {
      await client.query("set statement_timeout = 0");
      const started = await client.query<{ segment: string }>("select pg_walfile_name(pg_backup_start($1, true)) as segment", [label]);
      return started.rows[0]?.segment ?? "";
    },
    stop: async () => {
      const stopped = await client.query<{ labelfile: string; at: Date }>(
        "select labelfile, clock_timestamp() as at from pg_backup_stop(true)",
      );
      const [row] = stopped.rows;
      if (row === undefined) throw new Error("the copy of the cluster was not ended");
      return { label: row.labelfile, at: row.at };
    },
    [Symbol.asyncDispose]: () => end(client),
  };
}
