import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "@syla/contracts/errors";
import { CamelCasePlugin, Kysely, PostgresDialect, sql, type Transaction } from "kysely";
import pg from "pg";
import type { Logger } from "./logger.ts";
import { onceMarks } from "./once-mark.ts";
import type { PostgresAddress } from "./postgres.ts";
import type { Schema } from "./schema.ts";

/** Typed queries, or a transaction of them. */
export type Queries = Kysely<Schema>;
export type Work = Transaction<Schema>;

/** How to connect: the parts, or a `postgres://` URL. */
export type DatabaseTarget = PostgresAddress | { readonly connectionString: string };

/** A statement under a name of its own. */
export interface PreparedStatement {
  readonly name: string;
  readonly text: string;
}

/** The database of the product. Lost connections are replaced; a query that meets one fails with `database_unavailable`. */
export interface Database {
  readonly queries: Queries;
  readonly target: DatabaseTarget;
  /** Runs one of the few statements that run all the time: each connection has it parsed and planned once. Answers the rows. */
  runPrepared<Row>(statement: PreparedStatement, values: readonly unknown[]): Promise<Row[]>;
  /** Connections that are open, those of them that nobody has now, and who waits for one. */
  connections(): { readonly total: number; readonly idle: number; readonly waiting: number };
  /** Fails with `database_unavailable` when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Types of the `pg` driver by number; 20 is `int8`. */
type ParserLookup = (type: number, format?: "text" | "binary") => (value: string) => unknown;
const defaultParser = pg.types.getTypeParser as ParserLookup;

/** `int8` as a number: sizes and counts stay far below 2^53. */
const getTypeParser: ParserLookup = (type, format) => (type === 20 && format !== "binary" ? Number : defaultParser(type, format));
const types = { getTypeParser: getTypeParser as typeof pg.types.getTypeParser };

/** How long a query in progress may hold up the end; its connection is cut by the end of the process or of the database. */
const closeMs = 5000;

/** Opens a pool; connects on first use. */
export function openDatabase(target: DatabaseTarget, logger: Logger, size = 20): Database {
  const pool = new pg.Pool({ ...target, types, max: size, connectionTimeoutMillis: 5000, idleTimeoutMillis: 30_000, keepAlive: true });
  // A connection that is lost while it is lent out reports it on the client itself, besides failing the query.
  pool.on("connect", (client) => client.on("error", () => undefined));
  pool.on("error", (error) => logger.warn({ reason: error.message }, "a database connection was lost"));
  const queries = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }), plugins: [onceMarks] });
  return {
    queries,
    target,
    async runPrepared<Row>({ name, text }: PreparedStatement, values: readonly unknown[]) {
      return (await pool.query({ name, text, values: [...values] })).rows as Row[];
    },
    connections: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    async ping() {
      try {
        await sql`select 1`.execute(queries);
      } catch (cause) {
        throw databaseError(cause) ?? cause;
      }
    },
    close: () => Promise.race([queries.destroy(), sleep(closeMs, undefined, { ref: false })]),
  };
}

/** The same database for a library that writes its columns in camel case. */
export function withCamelCase(queries: Queries): Queries {
  return queries.withPlugin(new CamelCasePlugin({ maintainNestedObjectKeys: true }));
}

const connectionCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOENT",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "57P01",
  "57P02",
  "57P03",
  "53300",
]);
const connectionMessages =
  /Connection terminated|timeout exceeded when trying to connect|Client (?:has encountered a connection error|was closed)|Connection ended/;

/** What a failed query means to a caller: out of reach, disk full, or undefined for a fault of ours. */
export function databaseError(error: unknown): AppError | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof AppError) return error.code === "database_unavailable" ? error : undefined;
  const { code = "", syscall = "" } = error as NodeJS.ErrnoException;
  const fromPostgres = error instanceof pg.DatabaseError;
  if (fromPostgres && (code === "53100" || code === "58030")) return new AppError("storage_full", { cause: error });
  const socketFault = /connect|read|write|getaddrinfo/.test(syscall);
  const lost =
    connectionMessages.test(error.message) || code.startsWith("08") || (connectionCodes.has(code) && (fromPostgres || socketFault));
  return lost ? new AppError("database_unavailable", { cause: error, retryAfter: 2 }) : undefined;
}

/** What a program has made is not lost because the database is away for a moment. */
const outageMs = 30_000;

/** Asks again while the database is out of reach, for a while. */
export async function outlastOutage<T>(ask: () => Promise<T>): Promise<T> {
  const until = performance.now() + outageMs;
  for (let delayMs = 50; ; delayMs = Math.min(delayMs * 2, 1000)) {
    try {
      return await ask();
    } catch (error) {
      if (databaseError(error)?.code !== "database_unavailable" || performance.now() > until) throw error;
      await sleep(delayMs);
    }
  }
}

/** Sends a notification; inside a transaction it goes out with the commit. The payload is at most 8,000 bytes. */
export async function notify(queries: Queries, channel: string, payload: string): Promise<void> {
  await sql`select pg_notify(${channel}, ${payload})`.execute(queries);
}
