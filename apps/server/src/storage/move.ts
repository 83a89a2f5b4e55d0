import { hash as hashOnce } from "node:crypto";
import type { Blobs, BlobRef } from "../platform/blobs.ts";
import { inParts } from "./collection.ts";

/** How far a move is. */
export interface MoveReport {
  blobs: number;
  bytes: number;
  copied: number;
  /** What cannot be moved because it is not what it should be; it stays where it is. */
  damaged: string[];
}

const atOnce = 8;
const mostRemembered = 500_000;
/** Larger content is read twice rather than held in memory. */
const memoryBytes = 8 * 1024 * 1024;

/**
 * Copies everything to another store, which afterwards has it all; nothing is taken away. What is there already, of a move that was cut off,
 * is not copied again. With `verify` the copies are read back.
 */
export async function copyContent(
  from: Blobs,
  to: Blobs,
  options: { readonly verify: boolean; readonly onProgress?: (report: MoveReport) => void; readonly signal?: AbortSignal },
): Promise<MoveReport> {
  const report: MoveReport = { blobs: 0, bytes: 0, copied: 0, damaged: [] };
  const there = options.verify ? null : await sizesIn(to, options.signal);
  for await (const part of inParts(from.list(), atOnce)) {
    options.signal?.throwIfAborted();
    const copied = await Promise.all(
      part.map(async (ref) => (there?.get(ref.sha256) === ref.size ? "there" : await copyOne(from, to, ref, options.verify))),
    );
    part.forEach((ref, index) => {
      report.blobs += 1;
      report.bytes += ref.size;
      if (copied[index] === "copied") report.copied += 1;
      if (copied[index] === "damaged") report.damaged.push(ref.sha256);
    });
    options.onProgress?.(report);
  }
  return report;
}

/** What a store has: asking for each would be a request for each. Null where that is more than memory should hold. */
async function sizesIn(blobs: Blobs, signal?: AbortSignal): Promise<ReadonlyMap<string, number> | null> {
  const sizes = new Map<string, number>();
  for await (const { sha256, size } of blobs.list()) {
    signal?.throwIfAborted();
    sizes.set(sha256, size);
    if (sizes.size > mostRemembered) return null;
  }
  return sizes;
}

/** With `verify` what is there already and what is copied is read back. @throws AppError `not_found` when it is gone meanwhile */
export async function copyOne(from: Blobs, to: Blobs, { sha256, size }: BlobRef, verify: boolean): Promise<"copied" | "there" | "damaged"> {
  if ((await to.stat(sha256))?.size === size && (!verify || (await to.verify(sha256)))) return "there";
  if (size <= memoryBytes) {
    const bytes = await from.get(sha256);
    if (hashOnce("sha256", bytes) !== sha256) return "damaged";
    if (await to.has(sha256)) await to.delete(sha256); // of another size, or spoilt
    await to.put(bytes);
  } else {
    if (!(await from.verify(sha256))) return "damaged";
    if (await to.has(sha256)) await to.delete(sha256);
    await to.putStream(await from.open(sha256));
  }
  if (verify && !(await to.verify(sha256))) throw new Error(`${sha256} was written, and is read back differently`);
  return "copied";
}
