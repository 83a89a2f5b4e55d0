import { open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@syla/contracts/errors";
import type { DataDirectory } from "../../platform/data-directory.ts";
import type { Manifest } from "../manifest.ts";
import type { Repository } from "../repository/repository.ts";

/** What PostgreSQL archives: segments of its log, and the histories of its timelines. Not what is unfinished. */
const archived = /^(?:[0-9A-F]{24}(?:\.partial|\.[0-9A-F]{8}\.backup)?|[0-9A-F]{8}\.history)$/;
const segmentName = /^[0-9A-F]{24}$/;
const historyName = /^[0-9A-F]{8}\.history$/;
/** In front of each file: milliseconds since 1970. */
const timeBytes = 8;
/** Segments are 16 MiB, and a log has 256 of them in 4 GiB. */
const segmentsInLog = 256;

const folderOf = (systemId: string) => `wal/${systemId}`;
const lastPart = (name: string) => name.slice(name.lastIndexOf("/") + 1);

/** Where PostgreSQL leaves what it archives, until it is in the repository. */
export function archiveFolder(directory: DataDirectory): string {
  return join(directory.postgres, "archive");
}

/** What the settings of the embedded PostgreSQL are so that it archives its log into a folder. */
export function archiveSettings(folder: string): string[] {
  return [
    "archive_mode=on",
    "archive_library=basic_archive",
    `basic_archive.archive_directory=${folder}`,
    // A commit is in the repository after about a minute.
    "archive_timeout=60s",
  ];
}

/**
 * Brings what PostgreSQL has archived into the repository, oldest first, and gives the room in the folder back. Cut off, it goes on where it was; others may
 * do the same meanwhile.
 *
 * @returns how many files came
 */
export async function carryLog(repository: Repository, systemId: string, folder: string, signal?: AbortSignal): Promise<number> {
  const names = (await readdir(folder)).filter((name) => archived.test(name)).toSorted();
  for (const name of names) {
    signal?.throwIfAborted();
    const file = await readArchived(join(folder, name));
    if (file === undefined) continue; // somebody else has brought it
    const { bytes, at } = file;
    const target = `${folderOf(systemId)}/${name}`;
    const there = await readSegment(repository, target).catch(ignoreDamaged);
    if (there !== undefined && !there.bytes.equals(bytes))
      throw new AppError("backup_log_forked", {
        message: `The repository has another segment ${name}: a copy of this installation writes to it too.`,
      });
    const time = Buffer.alloc(timeBytes);
    time.writeDoubleBE(at);
    if (there === undefined) await repository.putNamed(target, Buffer.concat([time, bytes]));
    await rm(join(folder, name), { force: true });
  }
  return names.length;
}

async function readArchived(path: string): Promise<{ at: number; bytes: Buffer } | undefined> {
  try {
    await using file = await open(path);
    const { mtimeMs: at } = await file.stat();
    return { at, bytes: await file.readFile() };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** A file of the log, and when PostgreSQL archived it: what it tells of is from before. Undefined: there is none. @throws AppError `backup_damaged` */
export async function readSegment(repository: Repository, name: string): Promise<{ at: number; bytes: Buffer } | undefined> {
  const kept = await repository.getNamed(name);
  return kept === undefined ? undefined : { at: kept.readDoubleBE(0), bytes: kept.subarray(timeBytes) };
}

/** What is damaged in the repository is written again. */
function ignoreDamaged(error: unknown): undefined {
  if (error instanceof AppError && error.code === "backup_damaged") return undefined;
  throw error;
}

/** The log of a cluster that is in the repository from a segment on, on its timeline and those that follow. `gap`: the first segment that is missing. */
export async function logSegments(
  repository: Repository,
  systemId: string,
  firstSegment: string,
): Promise<{ segments: string[]; histories: string[]; gap: string | null }> {
  const names = (await repository.listNamed(folderOf(systemId))).map(({ name }) => name);
  const segments = names.filter((name) => segmentName.test(lastPart(name)) && lastPart(name) >= firstSegment).toSorted();
  const histories = names.filter((name) => historyName.test(lastPart(name)));
  const places = new Set(segments.map((name) => lastPart(name)));
  if (!places.has(firstSegment)) return { segments, histories, gap: firstSegment };
  // On the first timeline only: where it was left a later one goes on.
  let last = firstSegment;
  for (const name of places) if (name.slice(0, 8) === firstSegment.slice(0, 8)) last = name;
  for (let name = firstSegment; name < last; name = nextSegment(name)) if (!places.has(name)) return { segments, histories, gap: name };
  return { segments, histories, gap: null };
}

/** The name of the segment after this one. */
export function nextSegment(name: string): string {
  const [timeline, log, segment] = [name.slice(0, 8), Number.parseInt(name.slice(8, 16), 16), Number.parseInt(name.slice(16), 16)];
  const isLast = segment + 1 === segmentsInLog;
  const hex = (value: number) => value.toString(16).toUpperCase().padStart(8, "0");
  return timeline + hex(isLast ? log + 1 : log) + hex(isLast ? 0 : segment + 1);
}

/** Removes the log from before the first copy of a cluster that is kept; all of it when none is. */
export async function pruneLog(repository: Repository, staying: readonly Manifest[]): Promise<void> {
  const first = new Map<string, string>();
  for (const { physical } of staying) {
    if (physical === null) continue;
    const known = first.get(physical.systemId);
    if (known === undefined || place(physical.firstSegment) < place(known)) first.set(physical.systemId, physical.firstSegment);
  }
  for (const { name } of await repository.listNamed("wal")) {
    const [, systemId = "", file = ""] = /^wal\/([^/]+)\/(.+)$/.exec(name) ?? [];
    const since = first.get(systemId);
    // A copy that is made later begins with a segment that is not archived yet.
    const isNeeded = since !== undefined && (historyName.test(file) || place(file) >= place(since));
    if (!isNeeded) await repository.deleteNamed(name);
  }
}

/** Where in the log a segment is, whatever its timeline. */
function place(segment: string): string {
  return segment.slice(8, 24);
}
