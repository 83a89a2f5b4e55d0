/** How long a submission waits for a slot before it goes into the queue, where it can be seen and survives a restart. */
const roomMs = 1000;
/** Submissions that may wait like that at once. */
const roomSize = 1000;

interface Waiter {
  readonly ownerId: string;
  readonly priority: number;
  readonly resolve: (taken: boolean) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * The slots of a worker: how many runs it has at once. They go to what waits in the queue first, then to submissions: one that somebody
 * waits for may stand here a moment rather than take the long way through the queue.
 *
 * Whoever is alone may have all of them. While one person has them all (and there are several), there is one slot besides, for anybody else: nobody can keep the others out.
 */
export class Slots {
  readonly #count: number;
  readonly #onWork: () => void;
  readonly #room: Waiter[] = [];
  /** How many each person has. */
  readonly #holders = new Map<string, number>();
  #used = 0;
  #queueMayHoldWork = true;
  #closed = false;

  /** `onWork`: the queue should be looked at. */
  constructor(count: number, onWork: () => void) {
    this.#count = count;
    this.#onWork = onWork;
  }

  get used(): number {
    return this.#used;
  }

  /** Which part of them is in use. */
  get load(): number {
    return this.#count === 0 ? 1 : this.#used / this.#count;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Nothing gets a slot any more. */
  close(): void {
    this.#closed = true;
    for (const waiter of this.#room.splice(0)) this.#settle(waiter, false);
  }

  /** Who has every slot, alone; null when there is no such person. Of a single slot nothing can be shared. */
  get soleHolder(): string | null {
    if (this.#count < 2 || this.#holders.size !== 1 || this.#used !== this.#count) return null;
    const [[ownerId, held] = ["", 0]] = this.#holders;
    return held === this.#used ? ownerId : null;
  }

  /** Gives slots again, first to what waits in the queue. */
  open(): void {
    this.#closed = false;
    this.#queueMayHoldWork = true;
    this.#onWork();
  }

  /** A slot for a submission, if one is free and nothing waits. */
  take(ownerId: string): boolean {
    if (!this.#isFreeFor(ownerId)) return false;
    this.#used += 1;
    this.#hold(ownerId);
    return true;
  }

  /** The same, now or within a moment; the higher priority first. */
  takeSoon(ownerId: string, priority: number): Promise<boolean> {
    if (this.take(ownerId)) return Promise.resolve(true);
    if (this.#closed || this.#count === 0 || this.#room.length >= roomSize) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#room.splice(this.#room.indexOf(waiter), 1);
        resolve(false);
      }, roomMs);
      const waiter = { ownerId, priority, resolve, timer };
      const before = this.#room.findIndex((other) => other.priority < priority);
      this.#room.splice(before === -1 ? this.#room.length : before, 0, waiter);
    });
  }

  /** A submission goes into the queue. */
  noteQueued(): void {
    this.#queueMayHoldWork = true;
  }

  giveBack(ownerId: string): void {
    this.#used -= 1;
    const left = (this.#holders.get(ownerId) ?? 0) - 1;
    if (left > 0) this.#holders.set(ownerId, left);
    else this.#holders.delete(ownerId);
    if (this.#queueMayHoldWork) this.#onWork();
    else this.#admit();
  }

  /** Takes every free slot for what waits in the queue. */
  takeAll(): number {
    const free = this.#closed ? 0 : Math.max(this.#count - this.#used, 0);
    this.#used += free;
    return free;
  }

  /** Gives back what the queue did not need of `takeAll`. `owners`: whose runs it held; null: it could not be read. */
  settleClaim(taken: number, owners: readonly string[] | null): void {
    this.#settleTaken(taken, owners ?? []);
    if (owners === null) return;
    this.#queueMayHoldWork = owners.length === taken;
    this.#admit();
  }

  /** The slot besides, for what waits in the queue of anybody but the one who has all others; null when there is none. */
  takeBesides(): { readonly soleHolder: string } | null {
    const { soleHolder } = this;
    if (soleHolder === null || this.#closed || !this.#queueMayHoldWork) return null;
    this.#used += 1;
    return { soleHolder };
  }

  /** Gives it back, unless the queue held a run for it. What it holds of the sole holder's was not looked at. */
  settleBesides(owners: readonly string[]): void {
    this.#settleTaken(1, owners);
  }

  #settleTaken(taken: number, owners: readonly string[]): void {
    this.#used -= taken - owners.length;
    for (const ownerId of owners) this.#hold(ownerId);
  }

  #hold(ownerId: string): void {
    this.#holders.set(ownerId, (this.#holders.get(ownerId) ?? 0) + 1);
  }

  #isFreeFor(ownerId: string): boolean {
    if (this.#closed || this.#queueMayHoldWork) return false;
    if (this.#used < this.#count) return true;
    const { soleHolder } = this;
    return soleHolder !== null && soleHolder !== ownerId;
  }

  #admit(): void {
    for (;;) {
      const place = this.#room.findIndex(({ ownerId }) => this.#isFreeFor(ownerId));
      const [next] = place === -1 ? [] : this.#room.splice(place, 1);
      if (next === undefined) return;
      this.#settle(next, this.take(next.ownerId));
    }
  }

  #settle(waiter: Waiter, taken: boolean): void {
    clearTimeout(waiter.timer);
    waiter.resolve(taken);
  }
}
