import { PassThrough } from "node:stream";
import { lookup } from "mime-types";
import type { Blobs, BlobRef } from "../platform/blobs.ts";
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

/** Stores what a sandbox sends from /output. The agent is not believed: paths, sizes and the total are checked here again. */
export class ArtifactCollector {
  readonly artifacts: CollectedArtifact[] = [];
  readonly skipped: SkippedArtifact[] = [];
  readonly #blobs: Blobs;
  readonly #maxBytes: number;
  readonly #maxFiles: number;
  #bytes = 0;
  #current: { path: string; stream: PassThrough; stored: Promise<BlobRef> } | null = null;

  constructor(blobs: Blobs, limits: { maxBytes: number; maxFiles: number }) {
    this.#blobs = blobs;
    this.#maxBytes = limits.maxBytes;
    this.#maxFiles = limits.maxFiles;
  }

  async begin(path: string): Promise<void> {
    await this.end();
    const problem = pathProblem(path) ?? (this.artifacts.some((artifact) => artifact.path === path) ? "is given twice" : null);
    if (problem !== null) return this.skip(path, `the path ${problem}`);
    if (this.artifacts.length >= this.#maxFiles) return this.skip(path, "over the limit for artifacts of one run");
    const stream = new PassThrough();
    const stored = this.#blobs.putStream(stream);
    stream.on("error", () => {}); // whoever reads it sees it too, once the file is open
    stored.catch(() => stream.destroy()); // looked at in end()
    this.#current = { path, stream, stored };
  }

  async data(chunk: Buffer): Promise<void> {
    if (this.#current === null) return;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) {
      const { path, stream, stored } = this.#current;
      this.#current = null;
      stream.destroy(new Error("over the limit"));
      await stored.catch(() => {});
      this.skip(path, "over the limit for artifacts of one run");
    } else if (!this.#current.stream.write(chunk)) {
      await drained(this.#current.stream);
    }
  }

  /** Lets go of the artifact in hand: its end will not come. */
  async abandon(): Promise<void> {
    const current = this.#current;
    this.#current = null;
    current?.stream.destroy(new Error("the sandbox is gone"));
    await current?.stored.catch(() => {});
  }

  /** Finishes the artifact in hand. @throws AppError `storage_full` */
  async end(): Promise<void> {
    const current = this.#current;
    this.#current = null;
    if (current === null) return;
    current.stream.end();
    const { sha256, size } = await current.stored;
    this.artifacts.push({
      id: newId("art"),
      path: current.path,
      size,
      sha256,
      mimeType: lookup(current.path) || "application/octet-stream",
    });
  }

  skip(path: string, reason: string): void {
    if (this.skipped.length < 1000) this.skipped.push({ path: path.slice(0, 1000), reason });
  }
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
