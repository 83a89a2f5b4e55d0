/** What is looked at of a worker: it writes another end of its lease with each beat. */
interface Sign {
  readonly id: string;
  readonly lease_until: Date;
}

/**
 * Tells who has given no sign for as long as a lease lasts. What counts is how long this process has looked on, by its own steady clock: no wall
 * clock that is turned, here, there or in the database, makes a living worker a dead one, or keeps a dead one alive. Nor does a time in
 * which nobody could be seen, because the database was out of reach or this process stood still: no look counts for more than one beat.
 */
export class SilenceWatch {
  readonly #silentMs: number;
  readonly #everyMs: number;
  readonly #now: () => number;
  readonly #seen = new Map<string, { readonly lease: number; silentMs: number }>();
  #lookedAt: number;

  /** To be asked every `everyMs`. `now`: milliseconds of a clock that is never turned. */
  constructor(silentMs: number, everyMs: number, now: () => number = () => performance.now()) {
    this.#silentMs = silentMs;
    this.#everyMs = everyMs;
    this.#now = now;
    this.#lookedAt = now();
  }

  /** The ids of those that have been silent for too long. */
  observe(workers: readonly Sign[]): ReadonlySet<string> {
    const now = this.#now();
    const passedMs = Math.min(now - this.#lookedAt, this.#everyMs);
    this.#lookedAt = now;
    const silent = new Set<string>();
    for (const { id, lease_until: until } of workers) {
      const lease = until.getTime();
      const known = this.#seen.get(id);
      if (known?.lease !== lease) this.#seen.set(id, { lease, silentMs: 0 });
      else if ((known.silentMs += passedMs) > this.#silentMs) silent.add(id);
    }
    for (const id of this.#seen.keys()) if (!workers.some((worker) => worker.id === id)) this.#seen.delete(id);
    return silent;
  }
}
