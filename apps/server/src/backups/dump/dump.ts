import { AppError } from "@syla/contracts/errors";
import { databaseError, type DatabaseTarget } from "../../platform/database.ts";
import { migrate } from "../../platform/migrate.ts";
import type { Dump } from "../manifest.ts";
import { type PieceWriter, readPieces, type Repository } from "../repository/repository.ts";
import { emptyDatabase, openLoading, openSnapshot, type TableShape } from "./store.ts";

const newline = 0x0a;
const hashBytes = 32;

/** Hashes that are referred to, packed: a million take 32 MB. */
export type References = readonly Buffer[];

/** Writes a database as it is at one moment. @returns it, and what content it refers to */
export async function dumpDatabase(
  writer: PieceWriter,
  target: DatabaseTarget,
  signal: AbortSignal,
): Promise<{ dump: Dump; references: References }> {
  try {
    await using snapshot = await openSnapshot(target);
    const tables: Dump["tables"] = [];
    for (const table of await snapshot.tables()) {
      const counted = { rows: 0, bytes: 0 };
      const pieces = await writer.putStream(counting(snapshot.copyRows(table), counted, signal));
      tables.push({ name: table.name, columns: [...table.columns], ...counted, pieces });
    }
    const references: Buffer[] = [];
    for await (const hashes of packedHashes(snapshot.copyReferences())) references.push(hashes);
    return { dump: { migrations: await snapshot.migrations(), tables, sequences: await snapshot.sequences() }, references };
  } catch (error) {
    throw databaseError(error) ?? error;
  }
}

/** A line is a row: what is in a row has its line ends escaped. */
async function* counting(
  source: AsyncIterable<unknown>,
  counted: { rows: number; bytes: number },
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    signal.throwIfAborted();
    const bytes = chunk as Buffer;
    counted.bytes += bytes.length;
    for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) counted.rows += 1;
    yield bytes;
  }
}

async function* packedHashes(source: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  let rest = "";
  for await (const chunk of source) {
    const lines = (rest + (chunk as Buffer).toString()).split("\n");
    rest = lines.pop() ?? "";
    if (lines.length > 0) yield Buffer.from(lines.join(""), "hex");
  }
}

/** The hashes one by one. */
export function* eachHash(references: References): Generator<string> {
  for (const packed of references) for (let at = 0; at < packed.length; at += hashBytes) yield packed.toString("hex", at, at + hashBytes);
}

/**
 * Brings a dump into an empty database: its schema as it was, its rows, and then the migrations that have come since. When it fails the database
 * is empty again.
 *
 * @throws AppError `database_newer` for a backup of a newer version, `database_mismatch`, `backup_damaged`, `database_unavailable`
 */
export async function loadDump(
  repository: Repository,
  dump: Dump,
  target: DatabaseTarget,
  migrations: string,
  onRows: (table: string, rows: number) => void,
): Promise<void> {
  await migrate(target, migrations, dump.migrations);
  try {
    await using loading = await openLoading(target);
    requireColumns(dump, await loading.tables());
    await loading.begin();
    for (const table of dump.tables) {
      const rows = await loading.loadRows(table, readPieces(repository, table.pieces));
      if (rows !== table.rows)
        throw new AppError("backup_damaged", {
          message: `The table ${table.name} has ${rows} rows, and the backup tells of ${table.rows}.`,
        });
      onRows(table.name, rows);
    }
    for (const { name, value } of dump.sequences) await loading.setSequence(name, value);
    await loading.finish();
  } catch (error) {
    await emptyDatabase(target).catch(() => undefined);
    throw databaseError(error) ?? error;
  }
  await migrate(target, migrations);
}

/** The migrations have made what the rows were of. @throws AppError `database_mismatch` */
function requireColumns(dump: Dump, there: readonly TableShape[]): void {
  const columns = new Map(there.map((table) => [table.name, new Set(table.columns)]));
  for (const table of dump.tables)
    for (const column of table.columns)
      if (columns.get(table.name)?.has(column) !== true)
        throw new AppError("database_mismatch", {
          message: `The backup has a column ${table.name}.${column}, which its migrations do not make.`,
        });
}
