import { databaseError } from "../platform/database.ts";

/** Gathers what comes while one flush is under way and hands it to the next: group commit. */
export class Batch<Item, Result> {
  readonly #flush: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly #most: number;
  #waiting: Entry<Item, Result>[] = [];
  #busy = 0;
  readonly #lanes: number;

  /** `flush` answers one result for each item, in order; at most `most` items at once, on `lanes` connections. */
  constructor(flush: (items: readonly Item[]) => Promise<readonly Result[]>, { most = 200, lanes = 2 } = {}) {
    this.#flush = flush;
    this.#most = most;
    this.#lanes = lanes;
  }

  /** `onSent`: the item's flush has begun, and what that does at once is done. */
  add(item: Item, onSent: () => void = () => {}): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, onSent, resolve, reject });
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#busy >= this.#lanes || this.#waiting.length === 0) return;
    this.#busy += 1;
    const entries = this.#waiting.splice(0, this.#most);
    setImmediate(() => entries.forEach((entry) => entry.onSent()));
    await this.#commit(entries);
    this.#busy -= 1;
    void this.#run();
  }

  /** What the database refuses for one item fails that item only. */
  async #commit(entries: readonly Entry<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#flush(entries.map((entry) => entry.item));
      entries.forEach((entry, index) => entry.resolve(results[index] as Result));
    } catch (error) {
      if (entries.length > 1 && databaseError(error) === undefined) for (const entry of entries) await this.#commit([entry]);
      else for (const entry of entries) entry.reject(error);
    }
  }
}

interface Entry<Item, Result> {
  readonly item: Item;
  readonly onSent: () => void;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}
