import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, rename, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError } from "@syla/contracts/errors";

/** What was stored: the content's SHA-256 in hex and its size in bytes. */
export interface BlobRef {
  readonly sha256: string;
  readonly size: number;
}

/**
 * Writes chunks to a new file and onto the disk.
 *
 * @throws AppError `payload_too_large`; what the disk says, as it is
 */
export async function writeHashed(file: string, source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<BlobRef> {
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

/** Gives a file that is on disk its final name; the name is on disk when this returns. */
export async function publishFile(temporary: string, target: string): Promise<void> {
  await rename(temporary, target);
  await syncDirectory(dirname(target));
}

/** Makes a new name in a directory survive a power cut. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The chunks of a regular file. A link could lead anywhere and a pipe would never end, so neither is opened. */
export async function* readRegularFile(file: string): AsyncGenerator<Uint8Array> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!(await handle.stat()).isFile()) throw new AppError("invalid_path", { message: "Only regular files can be stored." });
    yield* handle.createReadStream({ highWaterMark: 1024 * 1024, autoClose: false }) as AsyncIterable<Uint8Array>;
  } finally {
    await handle.close();
  }
}

/** What a failed write means to a caller, or undefined for a fault of ours. */
export function diskError(error: unknown): AppError | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return code === "ENOSPC" || code === "EDQUOT" ? new AppError("storage_full", { cause: error }) : undefined;
}
