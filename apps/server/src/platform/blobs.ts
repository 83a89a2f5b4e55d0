import { createHash, hash as hashOnce, randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { AppError } from "@syla/contracts/errors";
import { LRUCache } from "lru-cache";
import { diskError, publishFile, readRegularFile, writeHashed, type BlobRef } from "./blob-files.ts";
import { noClaims, type Claims } from "./blob-claims.ts";
import { BlobPacks } from "./blob-packs.ts";

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
  /** Like `write`, but something small is written as soon as there is time for it. */
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
  /** Whether the stored content still has its hash. @throws AppError `not_found` */
  verify(sha256: string): Promise<boolean>;
  /** Keeps content from being collected until what is about to refer to it is recorded. What is put needs no such word. */
  keep(hashes: Iterable<string>): Promise<void>;
  /** Everything that is stored, in no order; what comes or goes meanwhile may be missing. */
  list(): AsyncIterable<BlobRef>;
  /** Takes damaged content out of use without losing it. @returns where it is now */
  quarantine(sha256: string): Promise<string>;
  /** Gives room back that deleted content still takes. @returns bytes */
  compact(): Promise<number>;
  /** What was written is on the disk, and nothing can be read or written any more. */
  close(): Promise<void>;
}

/** A store in which it is known what is read. */
export interface LocalBlobs extends Blobs {
  /** Notes that content is read, unless it is small. */
  noteRead(sha256: string): Promise<void>;
  /** What is not small and was written before `before`, and not noted as read since. */
  listUnread(before: Date): AsyncIterable<BlobRef>;
}

const hexHash = /^[0-9a-f]{64}$/;
const unlimited = Number.POSITIVE_INFINITY;

/** Content up to this size is packed, and kept in memory for a while: programs are put and read again and again. */
const smallBytes = 64 * 1024;
const memoryBytes = 32 * 1024 * 1024;

/**
 * A store in a local directory: what is small in `packs/`, what is large in `sha256/ab/<hash>`, unfinished files in `incoming/` of the same
 * file system. Before layout 3 small content was in files too.
 */
export async function openBlobs(root: string, claims: Claims = noClaims): Promise<LocalBlobs> {
  const incoming = join(root, "incoming");
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  for (let byte = 0; byte < 256; byte++)
    await mkdir(join(root, "sha256", byte.toString(16).padStart(2, "0")), { recursive: true, mode: 0o700 });
  const packs = new BlobPacks(join(root, "packs"));
  const memory = new LRUCache<string, Buffer>({ maxSize: memoryBytes, sizeCalculation: (bytes) => bytes.length + 1 });
  // Whatever an earlier process left half-written; the caller holds the directory's lock.
  for (const name of await readdir(incoming)) await rm(join(incoming, name), { force: true });

  const path = (sha256: string): string => {
    if (!hexHash.test(sha256)) throw new AppError("not_found");
    return join(root, "sha256", sha256.slice(0, 2), sha256);
  };

  const find = async (sha256: string): Promise<BlobRef | undefined> => {
    const file = path(sha256);
    await pending.get(sha256)?.written;
    const size = memory.get(sha256)?.length ?? packs.sizeOf(sha256) ?? (await stat(file).catch(ignoreMissing))?.size;
    return size === undefined ? undefined : { sha256, size };
  };

  const putChunks = async (source: AsyncIterable<Uint8Array>, maxBytes = unlimited): Promise<BlobRef> => {
    const temporary = join(incoming, randomUUID());
    try {
      const ref = await writeHashed(temporary, source, maxBytes);
      await claims.claim(ref.sha256);
      if ((await find(ref.sha256)) === undefined) await publishFile(temporary, path(ref.sha256));
      else await rm(temporary);
      return ref;
    } catch (error) {
      await rm(temporary, { force: true });
      throw diskError(error) ?? error;
    }
  };

  const pending = new Map<string, { bytes: Buffer; written: Promise<void> }>();
  const pack = (sha256: string, bytes: Uint8Array): void => {
    if (memory.has(sha256)) return;
    try {
      packs.add(sha256, bytes);
      memory.set(sha256, Buffer.from(bytes));
    } catch (error) {
      throw diskError(error) ?? error;
    }
  };
  const sync = async (): Promise<void> => {
    try {
      await packs.sync();
    } catch (error) {
      throw diskError(error) ?? error;
    }
  };

  const write = async (bytes: Uint8Array): Promise<WrittenBlob> => {
    if (bytes.length > smallBytes) return { ...(await putChunks(oneChunk(bytes))), sync: nothingToDo };
    const sha256 = hashOf(bytes);
    const claimed = claims.claim(sha256);
    if (claimed !== null) await claimed;
    pack(sha256, bytes);
    return { sha256, size: bytes.length, sync };
  };

  const writeSoon = async (bytes: Uint8Array): Promise<PendingBlob> => {
    if (bytes.length > smallBytes) return { ...(await write(bytes)), written: Promise.resolve() };
    const sha256 = hashOf(bytes);
    let entry = pending.get(sha256);
    if (entry === undefined) {
      const written = (claims.claim(sha256) ?? nextTurn()).then(() => pack(sha256, bytes)).finally(() => pending.delete(sha256));
      written.catch(() => {}); // whoever asks for it sees the error
      pending.set(sha256, (entry = { bytes: Buffer.from(bytes), written }));
    }
    const { written } = entry;
    return { sha256, size: bytes.length, written, sync: () => written.then(sync) };
  };

  const put = async (bytes: Uint8Array): Promise<BlobRef> => {
    const { sha256, size, sync: toDisk } = await write(bytes);
    await toDisk();
    return { sha256, size };
  };

  /** The content, when it is small. */
  const recall = (sha256: string): Buffer | undefined => pending.get(sha256)?.bytes ?? memory.get(sha256) ?? packs.read(sha256);

  const get = async (sha256: string): Promise<Buffer> => {
    const file = path(sha256);
    return recall(sha256) ?? (await readFile(file).catch(missingIsNotFound));
  };

  return {
    stat: find,
    put,
    write,
    writeSoon,
    putStream: (source, options = {}) => putChunks(source as AsyncIterable<Uint8Array>, options.maxBytes),
    putFile: (file, options = {}) => putChunks(readRegularFile(file), options.maxBytes),
    get,
    open: async (sha256, { start = 0, end } = {}) => {
      const file = path(sha256);
      const bytes = recall(sha256);
      return bytes === undefined ? await openRange(file, start, end) : Readable.from([bytes.subarray(start, end)], { objectMode: false });
    },
    has: async (sha256) => (await find(sha256)) !== undefined,
    delete: async (sha256) => {
      const file = path(sha256);
      memory.delete(sha256);
      await packs.remove(sha256);
      await rm(file, { force: true });
    },
    verify: async (sha256) => {
      const file = path(sha256);
      const bytes = packs.read(sha256);
      return bytes === undefined ? (await hashFile(file).catch(missingIsNotFound)) === sha256 : hashOf(bytes) === sha256;
    },
    keep: async (hashes) => {
      for (const sha256 of hashes) await claims.claim(sha256);
    },
    list: async function* () {
      const seen = new Set<string>();
      for (const ref of packs.list()) {
        if (!seen.has(ref.sha256)) yield ref;
        seen.add(ref.sha256);
      }
      for await (const { sha256, size } of listFiles(join(root, "sha256"))) if (!seen.has(sha256)) yield { sha256, size };
    },
    quarantine: async (sha256) => {
      const file = path(sha256);
      const folder = join(root, "quarantine");
      const target = join(folder, `${sha256}-${randomUUID()}`);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const bytes = packs.read(sha256);
      if (bytes === undefined) await publishFile(file, target);
      else await writeFile(target, bytes, { mode: 0o600, flush: true });
      memory.delete(sha256);
      await packs.remove(sha256);
      return target;
    },
    compact: () => packs.compact(),
    close: () => packs.close(),
    noteRead: async (sha256) => {
      const now = new Date();
      await utimes(path(sha256), now, now).catch(ignoreMissing);
    },
    listUnread: async function* (before) {
      for await (const { usedAt, ...ref } of listFiles(join(root, "sha256"))) if (ref.size > smallBytes && usedAt < before) yield ref;
    },
  };
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of readRegularFile(file)) hash.update(chunk);
  return hash.digest("hex");
}

/** `usedAt`: when it was written, or noted as read. */
async function* listFiles(root: string): AsyncGenerator<BlobRef & { readonly usedAt: Date }> {
  for (const folder of await readdir(root)) {
    for (const name of await readdir(join(root, folder))) {
      const found = hexHash.test(name) ? await stat(join(root, folder, name)).catch(ignoreMissing) : undefined;
      if (found !== undefined) yield { sha256: name, size: found.size, usedAt: found.mtime };
    }
  }
}

function hashOf(bytes: Uint8Array): string {
  return hashOnce("sha256", bytes);
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
