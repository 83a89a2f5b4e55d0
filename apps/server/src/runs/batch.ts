/** Gathers what comes while one flush is under way and hands it to the next: group commit. */
export class Batch<Item, Result> {
  readonly #flush: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly #most: number;
  #waiting: { item: Item; resolve: (result: Result) => void; reject: (error: unknown) => void }[] = [];
  #busy = 0;
  readonly #lanes: number;

  /** `flush` answers one result for each item, in order; at most `most` items at once, on `lanes` connections. */
  constructor(flush: (items: readonly Item[]) => Promise<readonly Result[]>, most = 200, lanes = 2) {
    this.#flush = flush;
    this.#most = most;
    this.#lanes = lanes;
  }

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#busy >= this.#lanes || this.#waiting.length === 0) return;
    this.#busy += 1;
    const taken = this.#waiting.splice(0, this.#most);
    try {
      const results = await this.#flush(taken.map((entry) => entry.item));
      taken.forEach((entry, index) => entry.resolve(results[index] as Result));
    } catch (error) {
      for (const entry of taken) entry.reject(error);
    } finally {
      this.#busy -= 1;
      void this.#run();
    }
  }
}
