import { statfsSync } from "node:fs";

const intervalMs = 200;
/** The share of its limit by which the room has to shrink before a run looks whether it has gone over. */
const share = 1 / 8;
/** So many new files make everybody look, whatever their size. */
const manyFiles = 20_000;
/** The same for one that sleeps: as many as its init would have counted after. */
const manyFilesAsleep = 50_000;
/** To wake one up costs tens of milliseconds: not more than so many at each look, the others at the next. */
const mostWoken = 4;

interface Watched {
  readonly limitBytes: number;
  readonly look: () => void;
  freeBytes: number;
  freeFiles: number;
  /** What was on its disk when it went to sleep; null while it is awake. */
  asleepBytes: number | null;
}

/** One run's watch. */
export interface DiskWatch {
  /** It sleeps, and has counted so much: it is woken up when it can have gone over its limit. */
  sleeps(diskBytes: number): void;
  stop(): void;
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

  /** Calls `look` whenever the room has shrunk by a part of `limitBytes`, until it is stopped. */
  watch(limitBytes: number, look: () => void): DiskWatch {
    const entry: Watched = { limitBytes, look, asleepBytes: null, ...this.#room() };
    this.#watched.add(entry);
    this.#timer ??= setInterval(() => this.#compare(), intervalMs).unref();
    return {
      sleeps: (diskBytes) => void Object.assign(entry, { asleepBytes: diskBytes, ...this.#room() }),
      stop: () => {
        this.#watched.delete(entry);
        if (this.#watched.size > 0) return;
        clearInterval(this.#timer);
        this.#timer = undefined;
      },
    };
  }

  #room(): { freeBytes: number; freeFiles: number } {
    const { bfree, bsize, ffree } = statfsSync(this.#folder);
    return { freeBytes: bfree * bsize, freeFiles: ffree };
  }

  #compare(): void {
    const { freeBytes, freeFiles } = this.#room();
    let woken = 0;
    for (const entry of this.#watched) {
      const asleep = entry.asleepBytes !== null;
      const shrunk = hasShrunk(entry, freeBytes, freeFiles);
      if (shrunk && asleep && (woken += 1) > mostWoken) continue; // stays as it is, for the next look
      entry.freeBytes = shrunk ? freeBytes : Math.max(entry.freeBytes, freeBytes);
      entry.freeFiles = shrunk ? freeFiles : Math.max(entry.freeFiles, freeFiles);
      if (!shrunk) continue;
      if (asleep) this.#putLast(entry);
      entry.look();
    }
  }

  /** So that the others have their turn. */
  #putLast(entry: Watched): void {
    entry.asleepBytes = null; // until it says again that it sleeps
    this.#watched.delete(entry);
    this.#watched.add(entry);
  }
}

function hasShrunk({ limitBytes, asleepBytes, ...before }: Watched, freeBytes: number, freeFiles: number): boolean {
  const bytes = asleepBytes === null ? limitBytes * share : limitBytes - asleepBytes;
  const files = asleepBytes === null ? manyFiles : manyFilesAsleep;
  return before.freeBytes - freeBytes > bytes || before.freeFiles - freeFiles > files;
}
