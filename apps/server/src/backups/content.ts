import { createHash } from "node:crypto";
import { AppError } from "@syla/contracts/errors";
import type { Blobs } from "../platform/blobs.ts";
import { inParts } from "../storage/service.ts";
import type { Content } from "./manifest.ts";
import { type PieceWriter, readPieces, type Repository } from "./repository/repository.ts";

/** A blob of a backup, and the sizes of the objects that hold its parts. */
export interface KeptBlob {
  readonly sha256: string;
  readonly size: number;
  readonly sealed: readonly number[];
}

/** Larger content is kept in parts of this size, so that none has to fit into memory. */
const partBytes = 8 * 1024 * 1024;
const atOnce = 8;
const mostMissing = 1000;

const partsOf = (size: number) => Math.max(1, Math.ceil(size / partBytes));
export const partOf = (sha256: string, part: number) => `${sha256}/${part}`;

/** Keeps the content that has these hashes, in order. What is there already, of whichever backup, is not read. */
export async function keepContent(
  writer: PieceWriter,
  blobs: Blobs,
  hashes: AsyncIterable<string> | Iterable<string>,
  onBlob: (size: number) => void,
  signal: AbortSignal,
): Promise<Content> {
  const kept = { blobs: 0, bytes: 0, missing: [] as string[], missingCount: 0 };
  async function* lines(): AsyncGenerator<Buffer> {
    for await (const part of inParts(hashes, atOnce)) {
      signal.throwIfAborted();
      const found = await Promise.all(part.map((sha256) => keepBlob(writer, blobs, sha256)));
      for (const [index, blob] of found.entries()) {
        if (blob === undefined) {
          kept.missingCount += 1;
          if (kept.missing.length < mostMissing) kept.missing.push(part[index] ?? "");
          continue;
        }
        kept.blobs += 1;
        kept.bytes += blob.size;
        onBlob(blob.size);
        yield Buffer.from(`${blob.sha256} ${blob.size} ${blob.sealed.join(",")}\n`);
      }
    }
  }
  const pieces = await writer.putStream(lines());
  return { ...kept, pieces };
}

/** Undefined: the store does not have it whole. */
async function keepBlob(writer: PieceWriter, blobs: Blobs, sha256: string): Promise<KeptBlob | undefined> {
  const size = (await blobs.stat(sha256))?.size;
  if (size === undefined) return undefined;
  const there = Array.from({ length: partsOf(size) }, (_, part) => writer.sizeOf(partOf(sha256, part)));
  if (there.every((sealed) => sealed !== undefined)) {
    for (const part of there.keys()) await writer.put(partOf(sha256, part), new Uint8Array());
    return { sha256, size, sealed: there };
  }
  // What is damaged must not be kept under the name of what it was.
  if (!(await blobs.verify(sha256))) return undefined;
  const sealed: number[] = [];
  for await (const bytes of cutEvenly(await blobs.open(sha256))) sealed.push(await writer.put(partOf(sha256, sealed.length), bytes));
  return { sha256, size, sealed };
}

async function* cutEvenly(source: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
  let [chunks, length, count] = [[] as Buffer[], 0, 0];
  for await (const chunk of source) {
    for (let rest = chunk as Buffer; rest.length > 0;) {
      const taken = rest.subarray(0, partBytes - length);
      rest = rest.subarray(taken.length);
      chunks.push(taken);
      length += taken.length;
      if (length < partBytes) continue;
      yield Buffer.concat(chunks);
      [chunks, length, count] = [[], 0, count + 1];
    }
  }
  if (length > 0 || count === 0) yield Buffer.concat(chunks);
}

/** The content of a backup, in the order of the hashes. @throws AppError `backup_damaged` */
export async function* listContent(repository: Repository, { pieces }: Content): AsyncGenerator<KeptBlob> {
  let rest = "";
  for await (const bytes of readPieces(repository, pieces)) {
    const lines = (rest + bytes.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield parseLine(line);
  }
  if (rest !== "") throw damaged();
}

function parseLine(line: string): KeptBlob {
  const [, sha256 = "", size = "", sealed = ""] = /^([0-9a-f]{64}) (\d+) (\d+(?:,\d+)*)$/.exec(line) ?? [];
  if (sha256 === "") throw damaged();
  return { sha256, size: Number(size), sealed: sealed.split(",").map(Number) };
}

function damaged(): AppError {
  return new AppError("backup_damaged", { message: "The list of the backup's content is damaged." });
}

/** The objects of a blob, by the names of their pieces. */
export function contentPieces(repository: Repository, { sha256, sealed }: KeptBlob): { name: string; sealed: number }[] {
  return sealed.map((size, part) => ({ name: repository.pieceName(partOf(sha256, part)), sealed: size }));
}

/** The bytes of a blob, which fail in the end when they are not what they were. @throws AppError `backup_damaged` */
export async function* readBlob(repository: Repository, { sha256, sealed }: KeptBlob): AsyncGenerator<Buffer> {
  const hashed = createHash("sha256");
  for (const part of sealed.keys()) {
    const bytes = await repository.getPiece(partOf(sha256, part));
    hashed.update(bytes);
    yield bytes;
  }
  if (hashed.digest("hex") !== sha256)
    throw new AppError("backup_damaged", { message: `The content ${sha256} of the backup is not what it was.` });
}

/** Puts content back that a store does not have whole. `leaveDamaged`: without what is damaged. @throws AppError `backup_damaged`, `storage_full` */
export async function restoreContent(
  repository: Repository,
  content: Content,
  blobs: Blobs,
  onBlob: (size: number, isNew: boolean) => void,
  leaveDamaged = false,
): Promise<void> {
  for await (const group of inParts(listContent(repository, content), atOnce)) {
    await Promise.all(
      group.map(async (blob) => {
        await blobs.keep([blob.sha256]);
        const isThere = (await blobs.stat(blob.sha256))?.size === blob.size && (await blobs.verify(blob.sha256));
        if (isThere || (await putBlobBack(repository, blobs, blob, leaveDamaged))) onBlob(blob.size, !isThere);
      }),
    );
  }
}

/** Puts a blob into a store that does not have it whole. @returns whether it is there now @throws AppError `backup_damaged` unless `leaveDamaged` */
export async function putBlobBack(repository: Repository, blobs: Blobs, blob: KeptBlob, leaveDamaged: boolean): Promise<boolean> {
  if (await blobs.has(blob.sha256)) await blobs.delete(blob.sha256); // spoilt
  try {
    if (blob.sealed.length > 1) await blobs.putStream(readBlob(repository, blob));
    else for await (const bytes of readBlob(repository, blob)) await blobs.put(bytes);
    return true;
  } catch (error) {
    if (leaveDamaged && error instanceof AppError && error.code === "backup_damaged") return false;
    throw error;
  }
}
