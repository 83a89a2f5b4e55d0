import { statfsSync } from "node:fs";

const intervalMs = 200;
/** The share of its limit by which the room has to shrink before a run looks whether it has gone over. */
const share = 1 / 8;
/** So many new files make everybody look, whatever their size. */
const manyFiles = 20_000;

interface Watched {
  readonly limitBytes: number;
  readonly look: () => void;
  freeBytes: number;
  freeFiles: number;
}

/**
 * Looks at the room on the file system of all workspaces, for all runs at once: thousands that sit idle need not wake up to look for
 * themselves. Whoever may have gone over its limit since it looked before is told, and counts.
 */
export class DiskGuard {
  readonly #folder: string;
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Calls `look` whenever the room has shrunk by a part of `limitBytes`, until the returned function is called. */
  watch(limitBytes: number, look: () => void): () => void {
    const entry = { limitBytes, look, ...this.#room() };
    this.#watched.add(entry);
    this.#timer ??= setInterval(() => this.#compare(), intervalMs).unref();
    return () => {
      this.#watched.delete(entry);
      if (this.#watched.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  #room(): { freeBytes: number; freeFiles: number } {
    const { bfree, bsize, ffree } = statfsSync(this.#folder);
    return { freeBytes: bfree * bsize, freeFiles: ffree };
  }

  #compare(): void {
    const { freeBytes, freeFiles } = this.#room();
    for (const entry of this.#watched) {
      const shrunk = entry.freeBytes - freeBytes > entry.limitBytes * share || entry.freeFiles - freeFiles > manyFiles;
      entry.freeBytes = shrunk ? freeBytes : Math.max(entry.freeBytes, freeBytes);
      entry.freeFiles = shrunk ? freeFiles : Math.max(entry.freeFiles, freeFiles);
      if (shrunk) entry.look();
    }
  }
}
