/** How old an estimate may be while the queue is not full. */
const recountMs = 1000;

/** An estimate of how many runs wait, cheap while there is room; nobody is refused without counting again. */
export class QueueGauge {
  readonly #count: () => Promise<number>;
  readonly #limit: number;
  #known = 0;
  #countedAt = Number.NEGATIVE_INFINITY;
  /** Admitted, but not yet where they are counted. */
  #entering = 0;
  #counting: Promise<void> | null = null;

  constructor(count: () => Promise<number>, limit: number) {
    this.#count = count;
    this.#limit = limit;
  }

  /** Makes room for one run that `enter` puts into the queue. Undefined, without calling it, when the queue is full. */
  async admit<T>(enter: () => Promise<T>): Promise<T | undefined> {
    await this.hasRoom();
    if (this.#full) return undefined; // many may have waited for the same count
    this.#entering += 1;
    try {
      return await enter();
    } finally {
      this.#entering -= 1;
      this.#known += 1;
    }
  }

  async hasRoom(): Promise<boolean> {
    if (this.#full || performance.now() - this.#countedAt > recountMs) await (this.#counting ??= this.#recount());
    return !this.#full;
  }

  /** One has come in besides. */
  note(): void {
    this.#known += 1;
  }

  get #full(): boolean {
    return this.#known + this.#entering >= this.#limit;
  }

  async #recount(): Promise<void> {
    try {
      this.#known = await this.#count();
      this.#countedAt = performance.now();
    } finally {
      this.#counting = null;
    }
  }
}
