import { existsSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "@syla/contracts/errors";
import type { Config } from "../config.ts";
import { openBackup } from "../platform/blob-backup.ts";
import type { Blobs } from "../platform/blobs.ts";
import {
  checkLayout,
  createDataDirectory,
  dataDirectoryAt,
  readIfPresent,
  writePrivateFile,
  type DataDirectory,
} from "../platform/data-directory.ts";
import type { DatabaseTarget } from "../platform/database.ts";
import { lockDirectory } from "../platform/lock.ts";
import type { Logger } from "../platform/logger.ts";
import { migrate, requireKnown } from "../platform/migrate.ts";
import { EmbeddedPostgres, ensureDatabase } from "../platform/postgres.ts";
import { findStores, noteStore } from "../storage/service.ts";
import { listContent, putBlobBack, restoreContent } from "./content.ts";
import { loadDump } from "./dump/dump.ts";
import { emptyDatabase, isEmptyDatabase, noteMade, openSnapshot } from "./dump/store.ts";
import { keptFiles, keysFile } from "./files.ts";
import { listIds, readManifest, readWhole, type Manifest } from "./manifest.ts";
import { openConfiguredRepository } from "./open.ts";
import { archiveFolder, archiveSettings } from "./physical/log-archive.ts";
import { recoverCluster } from "./physical/recover.ts";
import type { Repository } from "./repository/repository.ts";
import { finishRestore, isUnfinished, putBack, setAside } from "./set-aside.ts";

/** What is restored, and how. */
export interface RestoreWish {
  /** Undefined: the newest one of an installation. */
  readonly id: string | undefined;
  /** The database as it was then, from the log; `latest`: as far as the log goes. */
  readonly toTime: Date | "latest" | undefined;
  /** Although there is an installation already. */
  readonly replace: boolean;
  /** A folder `blobs` that has content which no backup has yet. */
  readonly contentFrom: string | undefined;
  /** Goes on without content that is damaged in the repository; it is counted as missing. */
  readonly leaveDamaged: boolean;
}

/** How far it is, and what came of it. */
export interface RestoreReport {
  step: "database" | "content" | "done";
  id: string;
  rows: number;
  blobs: number;
  bytes: number;
  /** That were not there already. */
  newBlobs: number;
  /** What the database refers to and nothing has. */
  missing: number;
  /** Where what was there before is now. */
  replaced: string | null;
}

const migrations = join(import.meta.dirname, "../migrations");

/**
 * Restores a backup into a data directory, and into the database that is configured or one of its own, while no server runs. Cut off, it is begun
 * again; until it has ended no server starts there.
 *
 * @throws AppError `restore_target_in_use`, `backup_…`, `database_newer`
 */
export async function restoreInstallation(
  config: Config,
  wish: RestoreWish,
  logger: Logger,
  onProgress: (report: RestoreReport) => void,
): Promise<RestoreReport> {
  await using opened = new AsyncDisposableStack();
  const repository = opened.adopt(await openConfiguredRepository(config, false), (value) => value.close());
  const manifest = await chooseBackup(repository, wish);
  requireKnown(manifest.dump?.migrations ?? [], migrations);
  const directory = dataDirectoryAt(config.dataDir);
  createDataDirectory(directory);
  opened.adopt(lockDirectory(directory.lockFile), (lock) => lock.release());
  checkLayout(directory);
  if (wish.toTime !== undefined && config.databaseUrl !== undefined)
    throw new AppError("backup_time_unreachable", { message: "The log is of an embedded PostgreSQL: restore without DATABASE_URL." });
  const replaced = await makeRoom(config, directory, wish.replace);
  const report: RestoreReport = { step: "database", id: manifest.id, rows: 0, blobs: 0, bytes: 0, newBlobs: 0, missing: 0, replaced };
  try {
    return await fill({ config, wish, repository, manifest, directory, logger, onProgress, report });
  } catch (error) {
    putBack(directory, replaced);
    // It was empty before, or has been emptied: what is half restored is worth nothing.
    if (config.databaseUrl !== undefined) await emptyDatabase({ connectionString: config.databaseUrl.reveal() }).catch(() => undefined);
    throw error;
  }
}

/** What a restore goes on with. */
interface Filling {
  readonly config: Config;
  readonly wish: RestoreWish;
  readonly repository: Repository;
  readonly manifest: Manifest;
  readonly directory: DataDirectory;
  readonly logger: Logger;
  readonly onProgress: (report: RestoreReport) => void;
  readonly report: RestoreReport;
}

async function fill({ config, wish, repository, manifest, directory, logger, onProgress, report }: Filling): Promise<RestoreReport> {
  await using opened = new AsyncDisposableStack();
  await restoreFiles(repository, { config, manifest, directory }, wish.toTime === undefined ? null : report.replaced);
  if (wish.toTime !== undefined) await recoverTo(repository, manifest, directory, wish.toTime, report.replaced, logger);
  const target = await openTarget(config, directory, wish.toTime !== undefined, logger, opened);
  if (wish.toTime === undefined)
    await loadDump(repository, requireDump(manifest), target, migrations, (_table, rows) => {
      report.rows += rows;
      onProgress(report);
    });
  else await migrate(target, migrations);
  await noteMade(target, manifest.id, manifest.finishedAt);
  report.step = "content";
  const { wanted } = findStores(config, directory);
  const blobs = opened.adopt(await wanted.open(), (value) => value.close());
  const onBlob = (size: number, isNew: boolean) => {
    report.blobs += 1;
    report.bytes += size;
    if (isNew) report.newBlobs += 1;
    onProgress(report);
  };
  await restoreContent(repository, manifest.content, blobs, onBlob, wish.leaveDamaged);
  report.missing = await fetchMissing(repository, target, blobs, wish);
  noteStore(directory, wanted);
  finishRestore(directory);
  report.step = "done";
  return report;
}

/** The backup that is wished for; the newest that will do when none is named. @throws AppError `backup_not_found`, `backup_time_unreachable` */
async function chooseBackup(repository: Repository, { id, toTime }: RestoreWish): Promise<Manifest> {
  const isEarly = ({ physical }: Manifest) =>
    physical !== null && (toTime === undefined || toTime === "latest" || Date.parse(physical.consistentAt) <= toTime.getTime());
  if (id !== undefined) {
    const manifest = await readManifest(repository, id);
    if (manifest.scope !== "installation")
      throw new AppError("backup_not_found", { message: `${id} is of a workspace: restore it in the workspace's page.` });
    if (toTime === undefined || isEarly(manifest)) return manifest;
    throw new AppError("backup_time_unreachable", { message: `The backup ${id} cannot be taken to this time.` });
  }
  const ids = await listIds(repository);
  for (const [index, each] of ids.entries()) {
    const manifest = await readManifest(repository, each).catch((error: unknown) => {
      throw withOlder(error, ids[index + 1]);
    });
    if (manifest.scope === "installation" && (toTime === undefined || isEarly(manifest))) return manifest;
  }
  throw toTime === undefined
    ? new AppError("backup_not_found", { message: `There is no backup of an installation in ${repository.place}.` })
    : new AppError("backup_time_unreachable", { message: "No backup with a log is from before this time." });
}

/** Nothing but what somebody has chosen is taken in the place of a damaged backup. */
function withOlder(error: unknown, older: string | undefined): unknown {
  if (!(error instanceof AppError) || error.code !== "backup_damaged" || older === undefined) return error;
  return new AppError("backup_damaged", { message: error.message, hint: `The backup before it is ${older}: name that one.`, cause: error });
}

function requireDump({ id, dump }: Manifest): NonNullable<Manifest["dump"]> {
  if (dump === null) throw new AppError("backup_damaged", { message: `The backup ${id} has no database.` });
  return dump;
}

/** Makes room for what comes: what is there is set aside when that is wished for. @returns where it is @throws AppError `restore_target_in_use` */
async function makeRoom(config: Config, directory: DataDirectory, replace: boolean): Promise<string | null> {
  const url = config.databaseUrl?.reveal();
  const target = url === undefined ? undefined : { connectionString: url };
  const isTaken = target === undefined ? existsSync(join(directory.postgres, "cluster")) : !(await isEmptyDatabase(target));
  if ((isTaken || isUnfinished(directory)) && !replace)
    throw new AppError("restore_target_in_use", {
      message: `There is an installation already in ${target === undefined ? directory.root : "the database"}.`,
    });
  const replaced = setAside(directory);
  if (isTaken && target !== undefined) await emptyDatabase(target);
  return replaced;
}

/**
 * The keys and the settings of the installation. The settings get another name: they may say that this is the database of the installation that was
 * backed up. `replaced`: what was there is the same installation, at a later time: it has the settings, and keys that came since.
 */
async function restoreFiles(
  repository: Repository,
  { config, manifest, directory }: Pick<Filling, "config" | "manifest" | "directory">,
  replaced: string | null,
): Promise<void> {
  for (const { name, path } of keptFiles(directory, config.credentialKeysFile)) {
    const kept = manifest.files.find((file) => file.name === name);
    const text = kept === undefined ? undefined : (await readWhole(repository, kept.pieces)).toString();
    // A key file that is kept elsewhere is not set aside.
    const later = readIfPresent(path) ?? (replaced === null ? undefined : readIfPresent(join(replaced, name)));
    const chosen = name === keysFile && later !== undefined && text !== undefined ? joinKeyFiles(text, later) : (later ?? text);
    if (chosen === undefined) continue;
    writePrivateFile(name === "config.json" && later === undefined ? join(directory.root, "config.from-backup.json") : path, chosen);
  }
}

/** Credentials may be sealed with keys that have been retired since, or with those that came. */
function joinKeyFiles(earlier: string, later: string): string {
  const [before, now] = [earlier, later].map((text) => JSON.parse(text) as { current: string; keys: Record<string, string> });
  return `${JSON.stringify({ current: now?.current, keys: { ...before?.keys, ...now?.keys } })}\n`;
}

async function recoverTo(
  repository: Repository,
  { id, physical }: Manifest,
  directory: DataDirectory,
  toTime: Date | "latest",
  replaced: string | null,
  logger: Logger,
): Promise<void> {
  if (physical === null) throw new AppError("backup_time_unreachable", { message: `The backup ${id} was made without the log.` });
  // What the server that was there has not brought into the repository yet.
  const newest = replaced === null ? [] : [join(replaced, "postgres", "archive"), join(replaced, "postgres", "cluster", "pg_wal")];
  await recoverCluster(repository, directory, { physical, until: toTime === "latest" ? null : toTime, newest }, logger);
}

/** `keepsLog`: what is written while it is restored goes on with the log that the installation keeps. */
async function openTarget(
  config: Config,
  directory: DataDirectory,
  keepsLog: boolean,
  logger: Logger,
  opened: AsyncDisposableStack,
): Promise<DatabaseTarget> {
  if (config.databaseUrl !== undefined) return { connectionString: config.databaseUrl.reveal() };
  const settings = keepsLog ? archiveSettings(archiveFolder(directory)) : [];
  const postgres = opened.adopt(await EmbeddedPostgres.start(directory.postgres, logger, settings), (value) => value.stop());
  await ensureDatabase(postgres, "syla");
  return postgres.address("syla");
}

/** Brings what the database refers to from wherever it is: another backup, or a folder. @returns how many blobs nothing has */
async function fetchMissing(
  repository: Repository,
  target: DatabaseTarget,
  blobs: Blobs,
  { contentFrom, leaveDamaged }: Pick<RestoreWish, "contentFrom" | "leaveDamaged">,
): Promise<number> {
  const missing = new Set<string>();
  {
    await using snapshot = await openSnapshot(target);
    let rest = "";
    for await (const chunk of snapshot.copyReferences()) {
      const lines = (rest + (chunk as Buffer).toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const sha256 of lines) if (!(await blobs.has(sha256))) missing.add(sha256);
    }
  }
  if (missing.size > 0 && contentFrom !== undefined) {
    const folder = openBackup(contentFrom);
    try {
      for (const sha256 of missing) {
        if (!(await folder.has(sha256)) || !(await folder.verify(sha256))) continue;
        await blobs.putStream(await folder.open(sha256));
        missing.delete(sha256);
      }
    } finally {
      folder.close();
    }
  }
  for (const id of missing.size > 0 ? await listIds(repository) : []) {
    for await (const blob of listContent(repository, (await readManifest(repository, id)).content)) {
      if (!missing.has(blob.sha256)) continue;
      if (await putBlobBack(repository, blobs, blob, leaveDamaged)) missing.delete(blob.sha256);
    }
    if (missing.size === 0) break;
  }
  return missing.size;
}
