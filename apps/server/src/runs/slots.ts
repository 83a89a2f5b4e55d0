/** How long a submission waits for a slot before it goes into the queue, where it can be seen and survives a restart. */
const roomMs = 1000;
/** Submissions that may wait like that at once. */
const roomSize = 1000;

interface Waiter {
  readonly priority: number;
  readonly resolve: (taken: boolean) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * The slots of a worker: how many runs it has at once. They go to what waits in the queue first, then to submissions: one that somebody
 * waits for may stand here a moment rather than take the long way through the queue.
 */
export class Slots {
  readonly #count: number;
  readonly #onWork: () => void;
  readonly #room: Waiter[] = [];
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

  /** Gives slots again, first to what waits in the queue. */
  open(): void {
    this.#closed = false;
    this.#queueMayHoldWork = true;
    this.#onWork();
  }

  /** A slot for a submission, if one is free and nothing waits. */
  take(): boolean {
    if (this.#closed || this.#queueMayHoldWork || this.#used >= this.#count) return false;
    this.#used += 1;
    return true;
  }

  /** The same, now or within a moment; the higher priority first. */
  takeSoon(priority: number): Promise<boolean> {
    if (this.take()) return Promise.resolve(true);
    if (this.#closed || this.#count === 0 || this.#room.length >= roomSize) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#room.splice(this.#room.indexOf(waiter), 1);
        resolve(false);
      }, roomMs);
      const waiter = { priority, resolve, timer };
      const before = this.#room.findIndex((other) => other.priority < priority);
      this.#room.splice(before === -1 ? this.#room.length : before, 0, waiter);
    });
  }

  /** A submission goes into the queue. */
  noteQueued(): void {
    this.#queueMayHoldWork = true;
  }

  giveBack(): void {
    this.#used -= 1;
    if (this.#queueMayHoldWork) this.#onWork();
    else this.#admit();
  }

  /** Takes every free slot for what waits in the queue. */
  takeAll(): number {
    const free = this.#closed ? 0 : Math.max(this.#count - this.#used, 0);
    this.#used += free;
    return free;
  }

  /** Gives back what the queue did not need of `takeAll`; null: the queue could not be read. */
  settleClaim(taken: number, needed: number | null): void {
    this.#used -= taken - (needed ?? 0);
    if (needed === null) return;
    this.#queueMayHoldWork = needed === taken;
    this.#admit();
  }

  #admit(): void {
    while (this.#room.length > 0 && this.take()) this.#settle(this.#room.shift() as Waiter, true);
  }

  #settle(waiter: Waiter, taken: boolean): void {
    clearTimeout(waiter.timer);
    waiter.resolve(taken);
  }
}
