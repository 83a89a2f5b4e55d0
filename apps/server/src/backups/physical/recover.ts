import { existsSync } from "node:fs";
import { copyFile, mkdir, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@syla/contracts/errors";
import type { DataDirectory } from "../../platform/data-directory.ts";
import type { Logger } from "../../platform/logger.ts";
import { EmbeddedPostgres } from "../../platform/postgres.ts";
import type { Physical } from "../manifest.ts";
import { readPieces, type Repository } from "../repository/repository.ts";
import { archiveFolder, archiveSettings, logSegments, readSegment } from "./log-archive.ts";

/** So long after the wished time something was certainly committed, which tells that the time is reached. */
const slackMs = 15 * 60 * 1000;
const logFile = /^(?:[0-9A-F]{24}|[0-9A-F]{8}\.history)$/;

/** What is to be recovered. */
export interface Recovery {
  readonly physical: Physical;
  /** Null: as far as the log goes. */
  readonly until: Date | null;
  /** Folders of a cluster that has stopped, whose log is not in the repository yet. */
  readonly newest: readonly string[];
}

/**
 * Makes the embedded cluster as it was at a time: the files of a copy, and the log on top of them. There must be none.
 *
 * @throws AppError `backup_time_unreachable` when the log does not go that far, `backup_damaged`, `postgres_unavailable`, `postgres_version`
 */
export async function recoverCluster(repository: Repository, directory: DataDirectory, recovery: Recovery, logger: Logger): Promise<void> {
  const { physical, until } = recovery;
  const cluster = join(directory.postgres, "cluster");
  const unfinished = `${cluster}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  for (const folder of physical.folders) await mkdir(join(unfinished, folder), { recursive: true, mode: 0o700 });
  for (const { path, pieces } of physical.files) await writePieces(join(unfinished, path), readPieces(repository, pieces));
  await writeFile(join(unfinished, "backup_label"), physical.label, { mode: 0o600, flush: true });
  await writeFile(join(unfinished, "recovery.signal"), "", { mode: 0o600, flush: true });
  await writeLog(repository, recovery, join(unfinished, "pg_wal"));
  await mkdir(archiveFolder(directory), { recursive: true, mode: 0o700 });
  await rename(unfinished, cluster);
  const settings = [
    ...archiveSettings(archiveFolder(directory)),
    // All that there is of the log lies in the cluster already.
    "restore_command=false",
    "recovery_target_action=promote",
    // It answers when it has come to its end, and not before.
    "hot_standby=off",
    ...(until === null ? [] : [`recovery_target_time=${postgresTime(until)}`]),
  ];
  const postgres = await EmbeddedPostgres.start(directory.postgres, logger, settings).catch((error: unknown) => {
    throw unreachable(error, until) ?? error;
  });
  await postgres.stop();
}

/** Names of zones, `Z` among them, are not known yet when PostgreSQL reads its settings. */
function postgresTime(time: Date): string {
  return time.toISOString().replace("T", " ").replace("Z", "+00");
}

function unreachable(error: unknown, until: Date | null): AppError | undefined {
  if (!(error instanceof AppError) || !/recovery ended before configured recovery target was reached/.test(error.message)) return undefined;
  return new AppError("backup_time_unreachable", {
    message: `The log of the database does not go as far as ${until?.toISOString() ?? "that"}.`,
    cause: error,
  });
}

async function writePieces(path: string, pieces: AsyncIterable<Buffer>): Promise<void> {
  const handle = await open(path, "wx", 0o600);
  try {
    for await (const bytes of pieces) await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Brings the log into the cluster: from the repository as far as it is needed, and what a stopped cluster has besides. */
async function writeLog(repository: Repository, { physical, until, newest }: Recovery, folder: string): Promise<void> {
  await mkdir(join(folder, "archive_status"), { recursive: true, mode: 0o700 });
  const { segments, histories, gap } = await logSegments(repository, physical.systemId, physical.firstSegment);
  const isHere = (name: string) => newest.some((place) => existsSync(join(place, name)));
  if (gap !== null && !isHere(gap))
    throw new AppError("backup_damaged", { message: `The segment ${gap} of the database's log is missing in ${repository.place}.` });
  let isEnough = false;
  for (const name of [...histories, ...segments]) {
    if (isEnough) break;
    const file = await readSegment(repository, name);
    if (file === undefined) continue;
    await writeFile(join(folder, name.slice(name.lastIndexOf("/") + 1)), file.bytes, { mode: 0o600 });
    isEnough = until !== null && !name.endsWith(".history") && file.at > until.getTime() + slackMs;
  }
  if (isEnough) return;
  for (const place of newest) {
    for (const name of existsSync(place) ? await readdir(place) : []) {
      const isNeeded =
        logFile.test(name) && (name.endsWith(".history") || name >= physical.firstSegment) && !existsSync(join(folder, name));
      if (isNeeded) await copyFile(join(place, name), join(folder, name));
    }
  }
}
