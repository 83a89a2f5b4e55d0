import { createReadStream } from "node:fs";
import { hash as hashOnce, createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { AppError } from "@syla/contracts/errors";
import { LRUCache } from "lru-cache";
import { noClaims, type Claims } from "./blob-claims.ts";
import { diskError, readRegularFile, writeHashed } from "./blob-files.ts";
import type { BlobRef, Blobs, PendingBlob } from "./blobs.ts";
import { outlastOutage } from "./database.ts";
import { connectToBucket, type S3Target } from "./s3-client.ts";

const hexHash = /^[0-9a-f]{64}$/;
const smallBytes = 64 * 1024;
const memoryBytes = 64 * 1024 * 1024;
/** Larger content goes up in parts. */
const partBytes = 8 * 1024 * 1024;
const partsAtOnce = 4;
const staleUploadMs = 24 * 60 * 60 * 1000;

/**
 * A store in a bucket of any S3-compatible service: one object for each content, `sha256/ab/<hash>` below the prefix, the small ones too
 * (decision 0026). What comes as a stream is hashed into `incoming` on the local disk first: only then is its name known. Claims ask the database: while
 * that is away for a moment, what is put waits. What is small and written soon does not: somebody waits for an answer.
 *
 * @throws AppError `storage_unavailable` when the bucket cannot be used
 */
export async function openS3Blobs(target: S3Target, incoming: string, claims: Claims = noClaims): Promise<Blobs> {
  const client = await connectToBucket(target);
  const Bucket = target.bucket;
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  for (const name of await readdir(incoming)) await rm(join(incoming, name), { force: true });

  const memory = new LRUCache<string, Buffer>({ maxSize: memoryBytes, sizeCalculation: (bytes) => bytes.length + 1 });
  const pending = new Map<string, { bytes: Buffer; written: Promise<void> }>();
  const keyOf = (sha256: string): string => {
    if (!hexHash.test(sha256)) throw new AppError("not_found");
    return `${target.prefix}sha256/${sha256.slice(0, 2)}/${sha256}`;
  };
  const call = async <T>(request: Promise<T>): Promise<T> =>
    await request.catch((cause: unknown) => {
      throw cause instanceof AppError ? cause : (missing(cause) ?? diskError(cause) ?? unavailable(cause));
    });

  const look = async (sha256: string): Promise<BlobRef | undefined> => {
    const Key = keyOf(sha256);
    const head = await call(client.send(new HeadObjectCommand({ Bucket, Key }))).catch(ignoreMissing);
    return head === undefined ? undefined : { sha256, size: head.ContentLength ?? 0 };
  };

  const find = async (sha256: string): Promise<BlobRef | undefined> => {
    await pending.get(sha256)?.written;
    return await look(sha256);
  };

  /** Memory is believed only while a claim of ours keeps the object from being deleted by another server. */
  const isThere = async (sha256: string): Promise<boolean> => {
    const claimed = claims.claim(sha256);
    if (claimed === null && memory.has(sha256)) return true;
    await claimed;
    return (await look(sha256)) !== undefined;
  };

  const putBytes = async (sha256: string, bytes: Buffer): Promise<void> => {
    if (!(await isThere(sha256)))
      await call(client.send(new PutObjectCommand({ Bucket, Key: keyOf(sha256), Body: bytes, ContentLength: bytes.length })));
    if (bytes.length <= smallBytes) memory.set(sha256, bytes);
  };

  const putFile = async (file: string, { sha256, size }: BlobRef): Promise<void> => {
    if (await isThere(sha256)) return;
    if (size <= partBytes) return await putBytes(sha256, await readFile(file));
    const params = { Bucket, Key: keyOf(sha256), Body: createReadStream(file, { highWaterMark: 1024 * 1024 }) };
    await call(new Upload({ client, params, partSize: partBytes, queueSize: partsAtOnce, leavePartsOnError: false }).done());
  };

  const putChunks = async (source: AsyncIterable<Uint8Array>, maxBytes = Number.POSITIVE_INFINITY): Promise<BlobRef> => {
    const temporary = join(incoming, randomUUID());
    try {
      const ref = await writeHashed(temporary, source, maxBytes);
      await outlastOutage(() => putFile(temporary, ref));
      return ref;
    } catch (error) {
      throw diskError(error) ?? error;
    } finally {
      await rm(temporary, { force: true });
    }
  };

  const put = async (given: Uint8Array): Promise<BlobRef> => {
    const bytes = Buffer.from(given);
    const sha256 = hashOnce("sha256", bytes);
    if (bytes.length > partBytes) return await putChunks(oneChunk(bytes));
    await pending.get(sha256)?.written.catch(() => {});
    await outlastOutage(() => putBytes(sha256, bytes));
    return { sha256, size: bytes.length };
  };

  const writeSoon = async (given: Uint8Array): Promise<PendingBlob> => {
    if (given.length > smallBytes) return settled(await put(given));
    const bytes = Buffer.from(given);
    const sha256 = hashOnce("sha256", bytes);
    let entry = pending.get(sha256);
    if (entry === undefined) {
      const written = putBytes(sha256, bytes).finally(() => pending.delete(sha256));
      written.catch(() => {}); // whoever asks for it sees the error
      pending.set(sha256, (entry = { bytes, written }));
    }
    const { written } = entry;
    return { sha256, size: bytes.length, written, sync: () => written };
  };

  const recall = (sha256: string): Buffer | undefined => pending.get(sha256)?.bytes ?? memory.get(sha256);

  const open = async (sha256: string, { start = 0, end }: { start?: number; end?: number } = {}): Promise<Readable> => {
    const Key = keyOf(sha256);
    const bytes = recall(sha256);
    if (bytes !== undefined) return Readable.from([bytes.subarray(start, end)], { objectMode: false });
    const size = (await find(sha256))?.size;
    if (size === undefined) throw new AppError("not_found");
    const last = Math.min(end ?? size, size) - 1;
    if (last < start) return Readable.from([]);
    const Range = start === 0 && last === size - 1 ? undefined : `bytes=${start}-${last}`;
    const { Body } = await call(client.send(new GetObjectCommand({ Bucket, Key, ...(Range === undefined ? {} : { Range }) })));
    return Body as Readable;
  };

  return {
    put,
    write: async (bytes) => settled(await put(bytes)),
    writeSoon,
    putStream: (source, options = {}) => putChunks(source as AsyncIterable<Uint8Array>, options.maxBytes),
    putFile: (file, options = {}) => putChunks(readRegularFile(file), options.maxBytes),
    get: async (sha256) => {
      const Key = keyOf(sha256);
      const known = recall(sha256);
      if (known !== undefined) return known;
      const { Body } = await call(client.send(new GetObjectCommand({ Bucket, Key })));
      const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
      if (bytes.length <= smallBytes) memory.set(sha256, bytes);
      return bytes;
    },
    open,
    stat: find,
    has: async (sha256) => (await find(sha256)) !== undefined,
    delete: async (sha256) => {
      const Key = keyOf(sha256);
      memory.delete(sha256);
      await call(client.send(new DeleteObjectCommand({ Bucket, Key }))).catch(ignoreMissing);
    },
    verify: async (sha256) => {
      const { Body } = await call(client.send(new GetObjectCommand({ Bucket, Key: keyOf(sha256) })));
      const hash = createHash("sha256");
      for await (const chunk of Body as Readable) hash.update(chunk as Buffer);
      return hash.digest("hex") === sha256;
    },
    keep: async (hashes) => {
      for (const sha256 of hashes) await claims.claim(sha256);
    },
    list: async function* () {
      const Prefix = `${target.prefix}sha256/`;
      for await (const page of paginateListObjectsV2({ client }, { Bucket, Prefix })) {
        for (const { Key = "", Size = 0 } of page.Contents ?? []) {
          const sha256 = Key.slice(Key.lastIndexOf("/") + 1);
          if (hexHash.test(sha256)) yield { sha256, size: Size };
        }
      }
    },
    quarantine: async (sha256) => {
      const Key = keyOf(sha256);
      const place = `${target.prefix}quarantine/${sha256}-${randomUUID()}`;
      await call(client.send(new CopyObjectCommand({ Bucket, Key: place, CopySource: `${Bucket}/${Key}` })));
      memory.delete(sha256);
      await call(client.send(new DeleteObjectCommand({ Bucket, Key })));
      return `s3://${Bucket}/${place}`;
    },
    compact: async () => {
      await call(abortStaleUploads(client, target));
      return 0;
    },
    close: async () => {
      await Promise.allSettled([...pending.values()].map((entry) => entry.written));
      client.destroy();
    },
  };
}

/** Parts that a killed server left, which are paid for and never seen. */
async function abortStaleUploads(client: S3Client, { bucket: Bucket, prefix }: S3Target): Promise<void> {
  const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: `${prefix}sha256/` }));
  for (const { Key, UploadId, Initiated } of Uploads ?? [])
    if (Key !== undefined && Initiated !== undefined && Date.now() - Initiated.getTime() > staleUploadMs)
      await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
}

function settled(ref: BlobRef): PendingBlob {
  return { ...ref, written: Promise.resolve(), sync: () => Promise.resolve() };
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function missing(error: unknown): AppError | undefined {
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  return status === 404 ? new AppError("not_found") : undefined;
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof AppError && error.code === "not_found") return undefined;
  throw error;
}

function unavailable(cause: unknown): AppError {
  return new AppError("storage_unavailable", { cause, retryAfter: 5 });
}
