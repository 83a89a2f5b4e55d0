import { PassThrough } from "node:stream";
import { lookup } from "mime-types";
import type { Blobs, BlobRef, WrittenBlob } from "../platform/blobs.ts";
import { newId } from "../platform/ids.ts";
import { pathProblem } from "../platform/paths.ts";

/** A stored artifact, ready for its row. */
export interface CollectedArtifact {
  readonly id: string;
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly mimeType: string;
}

export interface SkippedArtifact {
  readonly path: string;
  readonly reason: string;
}

/** What stays below this is written in one piece: a file, a rename and two waits for the disk for each of 10,000 small artifacts take minutes. */
const smallBytes = 64 * 1024;
/** So many names of what was left out are told. */
const mostSkipped = 1000;

/** The artifact in hand: its bytes while they are few, then the stream that they go into. */
interface Current {
  readonly path: string;
  chunks: Buffer[];
  size: number;
  large: { readonly stream: PassThrough; readonly stored: Promise<BlobRef> } | null;
}

/** Stores what a sandbox sends from /output. The agent is not believed: paths, sizes and the total are checked here again. */
export class ArtifactCollector {
  readonly artifacts: CollectedArtifact[] = [];
  /** The first of what was left out. */
  readonly skipped: SkippedArtifact[] = [];
  readonly #blobs: Blobs;
  readonly #maxBytes: number;
  readonly #maxFiles: number;
  readonly #paths = new Set<string>();
  /** What has to be waited for until everything is on the disk; those that were written together have one in common. */
  readonly #syncs = new Set<WrittenBlob["sync"]>();
  #skippedCount = 0;
  #bytes = 0;
  #current: Current | null = null;

  constructor(blobs: Blobs, limits: { maxBytes: number; maxFiles: number }) {
    this.#blobs = blobs;
    this.#maxBytes = limits.maxBytes;
    this.#maxFiles = limits.maxFiles;
  }

  get skippedCount(): number {
    return this.#skippedCount;
  }

  async begin(path: string): Promise<void> {
    await this.#complete();
    const problem = pathProblem(path) ?? (this.#paths.has(path) ? "is given twice" : null);
    if (problem !== null) return this.skip(path, `the path ${problem}`);
    if (this.artifacts.length >= this.#maxFiles) return this.skip(path, overLimit);
    this.#current = { path, chunks: [], size: 0, large: null };
  }

  async data(chunk: Buffer): Promise<void> {
    const current = this.#current;
    if (current === null) return;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) {
      this.#current = null;
      await drop(current, new Error("over the limit"));
      return this.skip(current.path, overLimit);
    }
    current.size += chunk.length;
    if (current.large === null && current.size <= smallBytes) return void current.chunks.push(chunk);
    const { stream } = (current.large ??= this.#openLarge());
    const chunks = [...current.chunks.splice(0), chunk];
    const isFull = chunks.map((part) => stream.write(part)).includes(false);
    if (isFull) await drained(stream);
  }

  #openLarge(): NonNullable<Current["large"]> {
    const stream = new PassThrough();
    const stored = this.#blobs.putStream(stream);
    stream.on("error", () => {}); // whoever reads it sees it too, once the file is open
    stored.catch(() => stream.destroy()); // looked at in #complete()
    return { stream, stored };
  }

  /** Lets go of the artifact in hand: its end will not come. */
  async abandon(): Promise<void> {
    const current = this.#current;
    this.#current = null;
    if (current !== null) await drop(current, new Error("the sandbox is gone"));
  }

  /** Finishes the artifact in hand, and has all of them on the disk. @throws AppError `storage_full` */
  async end(): Promise<void> {
    await this.#complete();
    for (const sync of this.#syncs) await sync();
    this.#syncs.clear();
  }

  async #complete(): Promise<void> {
    const current = this.#current;
    this.#current = null;
    if (current === null) return;
    const { path } = current;
    const { sha256, size } = await this.#store(current);
    this.#paths.add(path);
    this.artifacts.push({ id: newId("art"), path, size, sha256, mimeType: lookup(path) || "application/octet-stream" });
  }

  async #store({ chunks, large }: Current): Promise<BlobRef> {
    if (large !== null) {
      large.stream.end();
      return await large.stored;
    }
    const { sync, ...ref } = await this.#blobs.write(Buffer.concat(chunks));
    this.#syncs.add(sync);
    return ref;
  }

  skip(path: string, reason: string): void {
    this.#skippedCount += 1;
    if (this.skipped.length < mostSkipped) this.skipped.push({ path: path.slice(0, 1000), reason });
  }
}

const overLimit = "over the limit for artifacts of one run";

async function drop({ large }: Current, reason: Error): Promise<void> {
  large?.stream.destroy(reason);
  await large?.stored.catch(() => {});
}

function drained(stream: PassThrough): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off("drain", done).off("close", done);
      resolve();
    };
    if (stream.closed) resolve();
    else stream.once("drain", done).once("close", done);
  });
}
