import type { Config } from "../config.ts";
import type { Blobs } from "../platform/blobs.ts";
import { readIfPresent, type DataDirectory } from "../platform/data-directory.ts";
import type { DatabaseTarget } from "../platform/database.ts";
import { keepContent } from "./content.ts";
import { dumpDatabase, eachHash } from "./dump/dump.ts";
import { keptFiles } from "./files.ts";
import { writeManifest, type Manifest } from "./manifest.ts";
import { copyCluster } from "./physical/copy-cluster.ts";
import { archiveFolder, carryLog } from "./physical/log-archive.ts";
import { PieceWriter, type Repository } from "./repository/repository.ts";

/** What is backed up. */
export interface BackupSource {
  readonly config: Pick<Config, "credentialKeysFile">;
  readonly directory: DataDirectory;
  readonly target: DatabaseTarget;
  readonly blobs: Blobs;
  readonly version: string;
  /** The cluster is copied besides, so that it can be taken to any time: the log is kept. */
  readonly keepsLog: boolean;
}

/** How far it is. */
export interface BackupProgress {
  /** What is being done. */
  step: "database" | "cluster" | "content" | "done";
  blobs: number;
  bytes: number;
  /** Written to the repository, besides what was there. */
  newBytes: number;
  newObjects: number;
  missing: number;
}

/** What a backup is called, and why it is made. */
export interface BackupWish {
  readonly id: string;
  readonly isAutomatic: boolean;
  readonly note: string;
}

/**
 * Backs up an installation: the database as it is at one moment, then the content that it refers to, which nothing deletes while this goes on
 * ({@link ../storage/store.ts}). Cut off at any point it is no backup, and the next one finds what has been written.
 *
 * @throws AppError `backup_repository_full`, `backup_repository_unavailable`, `database_unavailable`
 */
export async function backUpInstallation(
  repository: Repository,
  source: BackupSource,
  wish: BackupWish,
  progress: BackupProgress,
  signal: AbortSignal,
): Promise<Manifest> {
  const startedAt = new Date().toISOString();
  const writer = await openWriter(repository, progress, signal);
  progress.step = "database";
  const { dump, references } = await dumpDatabase(writer, source.target, signal);
  const files = await keepFiles(writer, source);
  progress.step = "cluster";
  const physical = source.keepsLog ? await copyCluster(writer, source, wish.id, signal) : null;
  // PostgreSQL has archived what makes the copy whole by now.
  if (physical !== null) await carryLog(repository, physical.systemId, archiveFolder(source.directory), signal);
  progress.step = "content";
  const content = await keepContent(writer, source.blobs, eachHash(references), counting(progress), signal);
  progress.missing = content.missingCount;
  signal.throwIfAborted();
  const manifest: Manifest = {
    format: 1,
    ...wish,
    scope: "installation",
    version: source.version,
    startedAt,
    finishedAt: new Date().toISOString(),
    newBytes: progress.newBytes,
    dump,
    files,
    physical,
    workspace: null,
    content,
  };
  await writeManifest(repository, manifest);
  progress.step = "done";
  return manifest;
}

/** A writer that tells how far it is. */
export async function openWriter(repository: Repository, progress: BackupProgress, signal?: AbortSignal): Promise<PieceWriter> {
  const onPiece = (bytes: number, isNew: boolean) => {
    if (!isNew) return;
    progress.newBytes += bytes;
    progress.newObjects += 1;
  };
  return await PieceWriter.open(repository, onPiece, signal);
}

export function counting(progress: BackupProgress): (size: number) => void {
  return (size) => {
    progress.blobs += 1;
    progress.bytes += size;
  };
}

export function newProgress(): BackupProgress {
  return { step: "database", blobs: 0, bytes: 0, newBytes: 0, newObjects: 0, missing: 0 };
}

/** Without these the database could be read, and no credential and no link be opened. */
async function keepFiles(writer: PieceWriter, source: BackupSource): Promise<Manifest["files"]> {
  const files: Manifest["files"] = [];
  for (const { name, path } of keptFiles(source.directory, source.config.credentialKeysFile)) {
    const text = readIfPresent(path);
    if (text !== undefined) files.push({ name, pieces: await writer.putStream(once(text)) });
  }
  return files;
}

async function* once(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}
