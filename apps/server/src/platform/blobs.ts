import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { AppError } from "@syla/contracts/errors";

/** What was stored: the content's SHA-256 in hex and its size in bytes. */
export interface BlobRef {
  readonly sha256: string;
  readonly size: number;
}

/** Content by its hash. A blob is either there whole or not there: it gets its name when all of it is on disk. */
export interface Blobs {
  put(bytes: Uint8Array): Promise<BlobRef>;
  /** @throws AppError `payload_too_large` when more than `maxBytes` come, `storage_full` */
  putStream(source: Readable | AsyncIterable<Uint8Array>, options?: { maxBytes?: number }): Promise<BlobRef>;
  /** Copies a file in. */
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

/** A store in a local directory: `sha256/ab/cd/<hash>`, unfinished files in `incoming/` of the same file system. */
export async function openBlobs(root: string): Promise<Blobs> {
  const incoming = join(root, "incoming");
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  await mkdir(join(root, "sha256"), { recursive: true, mode: 0o700 });
  // Whatever an earlier process left half-written; the caller holds the directory's lock.
  for (const name of await readdir(incoming)) await rm(join(incoming, name), { force: true });
  const directories = new Set<string>();

  const path = (sha256: string): string => {
    if (!hexHash.test(sha256)) throw new AppError("not_found");
    return join(root, "sha256", sha256.slice(0, 2), sha256.slice(2, 4), sha256);
  };

  const find = async (sha256: string): Promise<BlobRef | undefined> => {
    const info = await stat(path(sha256)).catch(ignoreMissing);
    return info === undefined ? undefined : { sha256, size: info.size };
  };

  /** Gives a finished file its name; it is on disk before the name is. */
  const publish = async (temporary: string, sha256: string): Promise<void> => {
    const target = path(sha256);
    const directory = dirname(target);
    if (!directories.has(directory)) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await syncDirectory(dirname(directory));
      directories.add(directory);
    }
    await rename(temporary, target);
    await syncDirectory(directory);
  };

  const putChunks = async (source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<BlobRef> => {
    const temporary = join(incoming, randomUUID());
    try {
      const ref = await writeHashed(temporary, source, maxBytes);
      if ((await find(ref.sha256)) === undefined) await publish(temporary, ref.sha256);
      else await rm(temporary);
      return ref;
    } catch (error) {
      await rm(temporary, { force: true });
      throw diskError(error) ?? error;
    }
  };

  return {
    path,
    stat: find,
    async put(bytes) {
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      return (await find(sha256)) ?? (await putChunks(oneChunk(bytes), Number.POSITIVE_INFINITY));
    },
    putStream: (source, options = {}) => putChunks(source as AsyncIterable<Uint8Array>, options.maxBytes ?? Number.POSITIVE_INFINITY),
    putFile: (file, options = {}) =>
      putChunks(createReadStream(file, { highWaterMark: 1024 * 1024 }), options.maxBytes ?? Number.POSITIVE_INFINITY),
    get: (sha256) => readFile(path(sha256)).catch(missingIsNotFound),
    async open(sha256, range = {}) {
      const handle = await open(path(sha256)).catch(missingIsNotFound);
      const start = range.start ?? 0;
      if (range.end !== undefined && range.end <= start) {
        await handle.close();
        return Readable.from([]);
      }
      return handle.createReadStream({ start, ...(range.end === undefined ? {} : { end: range.end - 1 }) });
    },
    has: async (sha256) => (await find(sha256)) !== undefined,
    delete: (sha256) => rm(path(sha256), { force: true }),
    async verify(sha256) {
      const hash = createHash("sha256");
      for await (const chunk of createReadStream(path(sha256))) hash.update(chunk as Buffer);
      return hash.digest("hex") === sha256;
    },
  };
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function writeHashed(file: string, source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<BlobRef> {
  const hash = createHash("sha256");
  let size = 0;
  const handle = await open(file, "wx", 0o600);
  try {
    for await (const chunk of source) {
      size += chunk.length;
      if (size > maxBytes) throw new AppError("payload_too_large", { message: `The content is larger than ${maxBytes} bytes.` });
      hash.update(chunk);
      await writeAll(handle, chunk);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { sha256: hash.digest("hex"), size };
}

/** `write` may take only a part when the disk fills up. */
async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let offset = 0; offset < chunk.length;) offset += (await handle.write(chunk, offset)).bytesWritten;
}

/** Makes a rename or a new name in a directory survive a power cut. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What a failed write means to a caller, or undefined for a fault of ours. */
export function diskError(error: unknown): AppError | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return code === "ENOSPC" || code === "EDQUOT" ? new AppError("storage_full", { cause: error }) : undefined;
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
  return undefined;
}

function missingIsNotFound(error: NodeJS.ErrnoException): never {
  throw error.code === "ENOENT" ? new AppError("not_found") : error;
}
