import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { hash } from "node:crypto";
import type { DataDirectory } from "../../platform/data-directory.ts";
import type { DatabaseTarget } from "../../platform/database.ts";
import { inParts } from "../../storage/service.ts";
import { openPhysicalSession } from "../dump/store.ts";
import type { Physical } from "../manifest.ts";
import type { Piece, PieceWriter } from "../repository/repository.ts";

/** Folders whose content PostgreSQL makes anew, or which must not come from another time. */
const emptied = new Set([
  "pg_wal",
  "pg_wal/archive_status",
  "pg_wal/summaries",
  "pg_replslot",
  "pg_dynshmem",
  "pg_notify",
  "pg_serial",
  "pg_snapshots",
  "pg_stat_tmp",
  "pg_subtrans",
]);
const leftOut =
  /^(?:postmaster\.(?:pid|opts)|backup_label(?:\.old)?|tablespace_map(?:\.old)?|recovery\.signal|standby\.signal|current_logfiles(?:\.tmp)?|postgresql\.auto\.conf\.tmp)$/;
const temporary = /^pgsql_tmp|^pg_internal\.init/;
const control = "global/pg_control";
const atOnce = 8;
/** Files of tables change in place: pieces of a fixed size are found again. */
const pieceBytes = 1024 * 1024;

/**
 * Copies the files of the embedded cluster while it runs, by PostgreSQL's low-level interface: what is torn or missing the log makes whole.
 *
 * @see https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP
 */
export async function copyCluster(
  writer: PieceWriter,
  { directory, target }: { readonly directory: DataDirectory; readonly target: DatabaseTarget },
  label: string,
  signal: AbortSignal,
): Promise<Physical> {
  await using session = await openPhysicalSession(target);
  const startedAt = new Date().toISOString();
  const firstSegment = await session.start(label);
  const cluster = join(directory.postgres, "cluster");
  const { files: paths, folders } = await listCluster(cluster);
  const files: Physical["files"] = [];
  // What the cluster is at the end of the copy is in `pg_control`, which is read last.
  for (const part of [paths.filter((path) => path !== control), [control]]) {
    for await (const group of inParts(part, atOnce)) {
      signal.throwIfAborted();
      const copied = await Promise.all(group.map((path) => copyFile(writer, join(cluster, path))));
      for (const [index, pieces] of copied.entries()) if (pieces !== undefined) files.push({ path: group[index] ?? "", pieces });
    }
  }
  const { label: text, at } = await session.stop();
  const { systemId, major } = session;
  return { systemId, major, label: text, firstSegment, startedAt, consistentAt: at.toISOString(), files, folders };
}

async function listCluster(cluster: string): Promise<{ files: string[]; folders: string[] }> {
  const found = { files: [] as string[], folders: [] as string[] };
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await readdir(join(cluster, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        found.folders.push(path);
        if (!emptied.has(path)) await walk(path);
        else for (const inner of emptied) if (inner.startsWith(`${path}/`)) found.folders.push(inner);
      } else if (entry.isFile() && !temporary.test(entry.name) && !(folder === "" && leftOut.test(entry.name))) found.files.push(path);
    }
  };
  await walk("");
  return found;
}

/** Undefined: the table was dropped meanwhile, which the log tells too. */
async function copyFile(writer: PieceWriter, path: string): Promise<Piece[] | undefined> {
  const pieces: Piece[] = [];
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: pieceBytes })) {
      const bytes = chunk as Buffer;
      const sha256 = hash("sha256", bytes);
      pieces.push({ sha256, sealed: await writer.put(sha256, bytes) });
    }
    return pieces;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
