import { databaseError } from "../platform/database.ts";

/** How a batch is flushed. */
interface BatchOptions {
  /** So many at once at most. */
  readonly most?: number;
  /** On so many connections. */
  readonly lanes?: number;
  /** So many are worth a flush; fewer wait for others, but not longer than `gatherMs`. */
  readonly enough?: () => number;
  readonly gatherMs?: number;
}

/** Gathers what comes while one flush is under way and hands it to the next: group commit. */
export class Batch<Item, Result> {
  readonly #flush: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly #options: Required<BatchOptions>;
  #waiting: Entry<Item, Result>[] = [];
  #busy = 0;
  #timer: NodeJS.Timeout | null = null;
  /** The first of those that wait has done so for long enough. */
  #due = false;

  /** `flush` answers one result for each item, in order. */
  constructor(flush: (items: readonly Item[]) => Promise<readonly Result[]>, options: BatchOptions = {}) {
    this.#flush = flush;
    this.#options = { most: 200, lanes: 2, enough: () => 1, gatherMs: 0, ...options };
  }

  /** `onSent`: the item's flush has begun, and what that does at once is done. */
  add(item: Item, onSent: () => void = () => {}): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, onSent, resolve, reject });
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    const { most, lanes, enough, gatherMs } = this.#options;
    if (this.#busy >= lanes || this.#waiting.length === 0) return;
    if (!this.#due && this.#waiting.length < enough()) {
      this.#timer ??= setTimeout(() => this.#stopGathering(), gatherMs);
      return;
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#due = false;
    this.#busy += 1;
    const entries = this.#waiting.splice(0, most);
    setImmediate(() => entries.forEach((entry) => entry.onSent()));
    await this.#commit(entries);
    this.#busy -= 1;
    void this.#run();
  }

  #stopGathering(): void {
    this.#timer = null;
    this.#due = true;
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
