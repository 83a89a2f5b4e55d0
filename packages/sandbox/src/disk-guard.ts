import { statfsSync } from "node:fs";

/** While anybody is awake: at full speed a program writes some tens of megabytes meanwhile. Asking costs microseconds. */
const intervalMs = 20;
const asleepIntervalMs = 200;
/**
 * The share of its limit, and the bytes, by which the room has to shrink before a run looks whether it has gone over: the smaller of both.
 * Whoever writes, all who are awake are told: when they are more than a few, the bytes grow with their number.
 */
const share = 1 / 8;
const mostUnseenBytes = 32 * 1024 ** 2;
const fewAwake = 64;
/** So many new files make everybody look, whatever their size. */
const manyFiles = 20_000;
/** The same for one that sleeps: as many as its init would have counted after. */
const manyFilesAsleep = 50_000;
/** To wake one up costs tens of milliseconds: not more than so many in `asleepIntervalMs`, however often it looks; the others later. */
const mostWoken = 4;

interface Room {
  freeBytes: number;
  freeFiles: number;
}

interface Watched extends Room {
  readonly limitBytes: number;
  readonly look: () => void;
  /** What was on its disk when it went to sleep; null while it is awake. */
  asleepBytes: number | null;
}

/** One run's watch. */
export interface DiskWatch {
  /** It sleeps, and has counted so much: it is woken up when it can have gone over its limit. */
  sleeps(diskBytes: number): void;
  /** It does something: it is watched closely again, if it slept. */
  wakes(): void;
  stop(): void;
}

/**
 * Looks at the room on the file system of all workspaces, for all runs at once: thousands that sit idle need not wake up to look for
 * themselves. Whoever may have gone over its limit since it looked before is told, and counts.
 */
export class DiskGuard {
  readonly #room: () => Room;
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;
  /** Whether it comes at the longer interval. */
  #slow = false;
  /** When it woke somebody up. */
  #wokenAt = Number.NEGATIVE_INFINITY;

  /** `room` is what is left on the file system of the folder. */
  constructor(folder: string, room: () => Room = () => readRoom(folder)) {
    this.#room = room;
  }

  /** Calls `look` whenever the room has shrunk by a part of `limitBytes`, until it is stopped. */
  watch(limitBytes: number, look: () => void): DiskWatch {
    const entry: Watched = { limitBytes, look, asleepBytes: null, ...this.#room() };
    this.#watched.add(entry);
    if (this.#timer === undefined || this.#slow) this.#lookAgain();
    return {
      sleeps: (diskBytes) => void Object.assign(entry, { asleepBytes: diskBytes, ...this.#room() }),
      wakes: () => {
        if (entry.asleepBytes === null) return;
        entry.asleepBytes = null;
        if (this.#slow && this.#watched.has(entry)) this.#lookAgain();
      },
      stop: () => {
        this.#watched.delete(entry);
        if (this.#watched.size > 0) return;
        clearTimeout(this.#timer);
        this.#timer = undefined;
      },
    };
  }

  #lookAgain(): void {
    clearTimeout(this.#timer);
    this.#slow = [...this.#watched].every(({ asleepBytes }) => asleepBytes !== null);
    this.#timer = setTimeout(() => this.#compare(), this.#slow ? asleepIntervalMs : intervalMs).unref();
  }

  #compare(): void {
    const { freeBytes, freeFiles } = this.#room();
    const now = performance.now();
    const unseenBytes = this.#unseenBytes();
    let left = now - this.#wokenAt >= asleepIntervalMs ? mostWoken : 0;
    for (const entry of this.#watched) {
      const asleep = entry.asleepBytes !== null;
      const shrunk = hasShrunk(entry, freeBytes, freeFiles, unseenBytes);
      if (shrunk && asleep) {
        if (left === 0) continue; // stays as it is, for a later look
        left -= 1;
        this.#wokenAt = now;
      }
      entry.freeBytes = shrunk ? freeBytes : Math.max(entry.freeBytes, freeBytes);
      entry.freeFiles = shrunk ? freeFiles : Math.max(entry.freeFiles, freeFiles);
      if (!shrunk) continue;
      if (asleep) this.#putLast(entry);
      entry.look();
    }
    this.#lookAgain();
  }

  #unseenBytes(): number {
    let awake = 0;
    for (const { asleepBytes } of this.#watched) if (asleepBytes === null) awake += 1;
    return mostUnseenBytes * Math.max(1, awake / fewAwake);
  }

  /** So that the others have their turn. */
  #putLast(entry: Watched): void {
    entry.asleepBytes = null; // until it says again that it sleeps
    this.#watched.delete(entry);
    this.#watched.add(entry);
  }
}

function readRoom(folder: string): Room {
  const { bfree, bsize, ffree } = statfsSync(folder);
  return { freeBytes: bfree * bsize, freeFiles: ffree };
}

function hasShrunk(before: Watched, freeBytes: number, freeFiles: number, unseenBytes: number): boolean {
  const { limitBytes, asleepBytes } = before;
  const bytes = asleepBytes === null ? Math.min(limitBytes * share, unseenBytes) : limitBytes - asleepBytes;
  const files = asleepBytes === null ? manyFiles : manyFilesAsleep;
  return before.freeBytes - freeBytes > bytes || before.freeFiles - freeFiles > files;
}
