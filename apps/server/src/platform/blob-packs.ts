import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { BlobPack } from "./blob-pack.ts";

/** About as long as PostgreSQL takes to write out what was committed without waiting. */
const syncAfterMs = 500;

/** Small blobs, many in a file: the making of a file costs more than all else about a small blob, and so does a sync for each. */
export class BlobPacks {
  readonly #folder: string;
  /** The newest first: what was written lately is read most. */
  readonly #packs: BlobPack[];
  #current: BlobPack;
  #number: number;
  #timer: NodeJS.Timeout | null = null;

  /** Opens the packs of a folder. The caller holds the lock of its directory. */
  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#folder = folder;
    const numbers = readdirSync(folder)
      .filter((name) => /^\d+\.pack$/.test(name))
      .map((name) => Number.parseInt(name, 10))
      .toSorted((a, b) => b - a);
    this.#number = numbers[0] ?? 0;
    this.#packs = numbers.map((number) => new BlobPack(this.#path(number)));
    const [newest] = this.#packs;
    this.#current = newest === undefined || newest.isSealed ? this.#begin() : newest;
    for (const pack of this.#packs) if (pack !== this.#current) sealSoon(pack);
  }

  read(sha256: string): Buffer | undefined {
    const hash = Buffer.from(sha256, "hex");
    for (const pack of this.#packs) {
      const place = pack.find(hash);
      if (place !== undefined) return pack.read(place);
    }
    return undefined;
  }

  /** The size of a blob; undefined when it is not here. */
  sizeOf(sha256: string): number | undefined {
    const hash = Buffer.from(sha256, "hex");
    for (const pack of this.#packs) {
      const place = pack.find(hash);
      if (place !== undefined) return place.size;
    }
    return undefined;
  }

  /**
   * Adds a blob, unless it was added lately: one that an older pack has may be here twice. It can be read when this returns, and is on the
   * disk a little later, or when `sync` resolves.
   */
  add(sha256: string, bytes: Uint8Array): void {
    const hash = Buffer.from(sha256, "hex");
    if (this.#current.find(hash) !== undefined) return;
    if (this.#current.isFull) {
      sealSoon(this.#current);
      this.#current = this.#begin();
    }
    this.#current.append(hash, bytes);
    this.#timer ??= setTimeout(() => void this.#syncLate(), syncAfterMs);
  }

  async remove(sha256: string): Promise<void> {
    for (const pack of this.#packs) await pack.remove(Buffer.from(sha256, "hex"));
  }

  /** The blobs that are here, pack by pack; one that two packs have comes twice. */
  *list(): Generator<{ sha256: string; size: number }> {
    for (const pack of this.#packs.slice())
      for (const { hash, place } of pack.list()) yield { sha256: hash.toString("hex"), size: place.size };
  }

  /** Writes anew what is left of packs of which more than half was removed, and gives their room back. @returns the bytes of it */
  async compact(): Promise<number> {
    let freed = 0;
    for (const pack of this.#packs.filter((candidate) => candidate.isSealed && candidate.wasted() > 0.5)) {
      for (const { hash } of pack.list()) {
        const place = pack.find(hash); // what was removed meanwhile stays so
        if (place !== undefined) this.add(hash.toString("hex"), pack.read(place));
        await nextTurn();
      }
      await this.sync();
      this.#packs.splice(this.#packs.indexOf(pack), 1);
      freed += pack.discard();
    }
    return freed;
  }

  /** Resolves when all that was added before is on the disk. */
  async sync(): Promise<void> {
    await Promise.all(this.#packs.filter((pack) => !pack.isSealed).map((pack) => pack.sync()));
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    await Promise.allSettled(this.#packs.map(async (pack) => await (pack === this.#current ? pack.sync() : pack.seal())));
    for (const pack of this.#packs) pack.close();
  }

  async #syncLate(): Promise<void> {
    this.#timer = null;
    await this.sync().catch(() => {}); // whoever needs it asks, and sees the error
  }

  #begin(): BlobPack {
    this.#number += 1;
    const pack = new BlobPack(this.#path(this.#number));
    this.#packs.unshift(pack);
    syncFolder(this.#folder);
    return pack;
  }

  #path(number: number): string {
    return join(this.#folder, `${String(number).padStart(6, "0")}.pack`);
  }
}

function sealSoon(pack: BlobPack): void {
  pack.seal().catch(() => {}); // the next start does it
}

/** Makes the name of a new pack survive a power cut. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
