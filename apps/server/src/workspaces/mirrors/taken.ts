import type { Queries } from "../../platform/database.ts";
import * as store from "./store.ts";

/** So long a mirror belongs to a server that says nothing more of it: one that was killed is in nobody's way for longer. */
export const takenMs = 30_000;
const prolongMs = 10_000;

/** A mirror that this server has taken, for as long as it takes. */
export class TakenMirror implements Disposable {
  readonly #queries: Queries;
  readonly #timer: NodeJS.Timeout;
  #row: store.MirrorRow;
  #prolonging: Promise<void> | null = null;
  #held = 0;

  constructor(queries: Queries, row: store.MirrorRow) {
    [this.#queries, this.#row] = [queries, row];
    this.#timer = setInterval(() => {
      if (this.#held === 0) this.#prolonging ??= this.#prolong().finally(() => (this.#prolonging = null));
    }, prolongMs).unref();
  }

  /** It as it was taken. */
  get row(): store.MirrorRow {
    return this.#row;
  }

  /** Does what is done only as long as it is ours: by the row's `taken_until`, which stays as it is meanwhile. */
  async hold<T>(work: (row: store.MirrorRow) => Promise<T>): Promise<T> {
    this.#held += 1;
    try {
      await this.#prolonging;
      return await work(this.#row);
    } finally {
      this.#held -= 1;
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** What is somebody else's by then, or was set anew, is prolonged no more. */
  async #prolong(): Promise<void> {
    const until = await store.prolongMirror(this.#queries, this.#row, takenMs).catch(() => this.#row.taken_until); // the next time does
    if (until === null) clearInterval(this.#timer);
    else this.#row = { ...this.#row, taken_until: until };
  }
}
