import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { AppError } from "@syla/contracts/errors";
import { LRUCache } from "lru-cache";
import { diskError, publishFile, readRegularFile, writeHashed, type BlobRef, writeSmallFile } from "./blob-files.ts";

export type { BlobRef } from "./blob-files.ts";

/** Content that can be read, and will be on the disk: a moment later, or when `sync` resolves. */
export interface WrittenBlob extends BlobRef {
  readonly sync: () => Promise<void>;
}

/** Content that can be read in this process; in all others when `written` resolves. @throws AppError `storage_full` from both */
export interface PendingBlob extends WrittenBlob {
  readonly written: Promise<void>;
}

/** Content by its hash. A blob is either there whole or not there: it gets its name when all of it is on disk. */
export interface Blobs {
  put(bytes: Uint8Array): Promise<BlobRef>;
  /** Like `put`, but answers when the content can be read; a power cut within a moment can take it. @throws AppError `storage_full` */
  write(bytes: Uint8Array): Promise<WrittenBlob>;
  /** Like `write`, but a small file is written as soon as there is time for it. */
  writeSoon(bytes: Uint8Array): Promise<PendingBlob>;
  /** @throws AppError `payload_too_large` when more than `maxBytes` come, `storage_full` */
  putStream(source: Readable | AsyncIterable<Uint8Array>, options?: { maxBytes?: number }): Promise<BlobRef>;
  /** Copies a regular file in; a link, a pipe or a device is refused. */
  putFile(path: string, options?: { maxBytes?: number }): Promise<BlobRef>;
  /** The whole content. @throws AppError `not_found` */
  get(sha256: string): Promise<Buffer>;
  /** A part of the content, `end` exclusive. @throws AppError `not_found` */
  open(sha256: string, range?: { start?: number; end?: number }): Promise<Readable>;
  has(sha256: string): Promise<boolean>;
  stat(sha256: string): Promise<BlobRef | undefined>;
  delete(sha256: string): Promise<void>;
  /** Whether the stored content still has its hash. */
  verify(sha256: string): Promise<boolean>;
  /** Where the file is, for whoever mounts or copies it; it must not be changed. */
  path(sha256: string): string;
}

const hexHash = /^[0-9a-f]{64}$/;
const unlimited = Number.POSITIVE_INFINITY;

/** Content up to this size is written in one go, and kept in memory for a while: programs are put and read again and again. */
const smallBytes = 64 * 1024;
const memoryBytes = 32 * 1024 * 1024;

/** A store in a local directory: `sha256/ab/<hash>`, unfinished files in `incoming/` of the same file system. */
export async function openBlobs(root: string): Promise<Blobs> {
  const incoming = join(root, "incoming");
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  for (let byte = 0; byte < 256; byte++)
    await mkdir(join(root, "sha256", byte.toString(16).padStart(2, "0")), { recursive: true, mode: 0o700 });
  const memory = new LRUCache<string, Buffer>({ maxSize: memoryBytes, sizeCalculation: (bytes) => bytes.length + 1 });
  // Whatever an earlier process left half-written; the caller holds the directory's lock.
  for (const name of await readdir(incoming)) await rm(join(incoming, name), { force: true });

  const path = (sha256: string): string => {
    if (!hexHash.test(sha256)) throw new AppError("not_found");
    return join(root, "sha256", sha256.slice(0, 2), sha256);
  };

  const find = async (sha256: string): Promise<BlobRef | undefined> => {
    await pending.get(sha256)?.written;
    const info = await stat(path(sha256)).catch(ignoreMissing);
    return info === undefined ? undefined : { sha256, size: info.size };
  };

  const putChunks = async (source: AsyncIterable<Uint8Array>, maxBytes = unlimited): Promise<BlobRef> => {
    const temporary = join(incoming, randomUUID());
    try {
      const ref = await writeHashed(temporary, source, maxBytes);
      if ((await find(ref.sha256)) === undefined) await publishFile(temporary, path(ref.sha256));
      else await rm(temporary);
      return ref;
    } catch (error) {
      await rm(temporary, { force: true });
      throw diskError(error) ?? error;
    }
  };

  const pending = new Map<string, { bytes: Buffer; written: Promise<void> }>();
  const unsynced = new Map<string, () => Promise<void>>();
  const writeSmall = (sha256: string, bytes: Uint8Array): (() => Promise<void>) => {
    if (memory.has(sha256)) return unsynced.get(sha256) ?? nothingToDo;
    try {
      const sync = writeSmallFile(path(sha256), join(incoming, randomUUID()), bytes, () => unsynced.delete(sha256));
      memory.set(sha256, Buffer.from(bytes));
      if (sync !== null) unsynced.set(sha256, sync);
      return unsynced.get(sha256) ?? nothingToDo;
    } catch (error) {
      throw diskError(error) ?? error;
    }
  };

  const write = async (bytes: Uint8Array): Promise<WrittenBlob> => {
    if (bytes.length > smallBytes) return { ...(await putChunks(oneChunk(bytes))), sync: nothingToDo };
    const sha256 = hashOf(bytes);
    return { sha256, size: bytes.length, sync: writeSmall(sha256, bytes) };
  };

  const writeSoon = async (bytes: Uint8Array): Promise<PendingBlob> => {
    if (bytes.length > smallBytes) return { ...(await write(bytes)), written: Promise.resolve() };
    const sha256 = hashOf(bytes);
    let entry = pending.get(sha256);
    if (entry === undefined) {
      const written = nextTurn()
        .then(() => void writeSmall(sha256, bytes))
        .finally(() => pending.delete(sha256));
      written.catch(() => {}); // whoever asks for it sees the error
      pending.set(sha256, (entry = { bytes: Buffer.from(bytes), written }));
    }
    const { written } = entry;
    return { sha256, size: bytes.length, written, sync: () => written.then(() => unsynced.get(sha256)?.()) };
  };

  const put = async (bytes: Uint8Array): Promise<BlobRef> => {
    const { sync, ...ref } = await write(bytes);
    await sync();
    return ref;
  };

  const get = async (sha256: string): Promise<Buffer> =>
    pending.get(sha256)?.bytes ?? memory.get(sha256) ?? (await readFile(path(sha256)).catch(missingIsNotFound));

  return {
    path,
    stat: find,
    put,
    write,
    writeSoon,
    putStream: (source, options = {}) => putChunks(source as AsyncIterable<Uint8Array>, options.maxBytes),
    putFile: (file, options = {}) => putChunks(readRegularFile(file), options.maxBytes),
    get,
    open: async (sha256, range = {}) => {
      await pending.get(sha256)?.written;
      return await openRange(path(sha256), range.start ?? 0, range.end);
    },
    has: async (sha256) => (await find(sha256)) !== undefined,
    delete: async (sha256) => {
      memory.delete(sha256);
      await rm(path(sha256), { force: true });
    },
    verify: async (sha256) => {
      const hash = createHash("sha256");
      for await (const chunk of readRegularFile(path(sha256))) hash.update(chunk);
      return hash.digest("hex") === sha256;
    },
  };
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function nothingToDo(): Promise<void> {}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function openRange(file: string, start: number, end: number | undefined): Promise<Readable> {
  const handle = await open(file).catch(missingIsNotFound);
  if (end === undefined) return handle.createReadStream({ start });
  if (end > start) return handle.createReadStream({ start, end: end - 1 });
  await handle.close();
  return Readable.from([]);
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
  return undefined;
}

function missingIsNotFound(error: NodeJS.ErrnoException): never {
  throw error.code === "ENOENT" ? new AppError("not_found") : error;
}
