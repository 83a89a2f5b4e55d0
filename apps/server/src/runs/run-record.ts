import type { RunEnd } from "./store.ts";

/** A run that somebody waits for is written as one row when it ends within this time, and as running when it does not. */
const deferMs = 30;

/**
 * The row of a run that goes straight into a sandbox. While the program runs nobody but the caller knows of it, so the row may be written
 * late: most runs end before, and then run and end are one statement, in one commit.
 */
export class RunRecord {
  /** The row is in the database. */
  written = false;
  readonly #insert: (end: RunEnd | null) => Promise<void>;
  #writing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(insert: (end: RunEnd | null) => Promise<void>) {
    this.#insert = insert;
  }

  /** Writes the row a little later, unless the run has ended by then. `onFailure`: it could not be written, and the run has to stop. */
  defer(onFailure: () => void): void {
    this.#timer = setTimeout(() => void this.ensure().catch(onFailure), deferMs);
  }

  /** Resolves when the row is there. */
  ensure(): Promise<void> {
    return (this.#writing ??= this.#write(null));
  }

  /** Writes the run with its end. False: its row is there already, and the end has to be written to it. */
  async insertEnded(end: RunEnd): Promise<boolean> {
    const isFirst = this.#writing === null;
    await (this.#writing ??= this.#write(end));
    return isFirst;
  }

  async #write(end: RunEnd | null): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#insert(end);
    this.written = true;
  }
}

/** The record of a run whose row is there. */
export function writtenRecord(): RunRecord {
  const record = new RunRecord(() => Promise.resolve());
  void record.ensure();
  return record;
}
