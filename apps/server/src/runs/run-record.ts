import type { RunEnd } from "./store.ts";

/** A run that somebody waits for is written as one row when it ends within this time, and as running when it does not. */
const deferMs = 100;

/** Inserts the run, with its end when it has one; does nothing when it is there. `onSent`: it is on its way to the database. */
type InsertRun = (end: RunEnd | null, onSent: () => void) => Promise<void>;

/**
 * The row of a run that goes straight into a sandbox. While the program runs nobody but the caller knows of it, so the row may be written
 * late: most runs end before, and then run and end are one statement, in one commit.
 */
export class RunRecord {
  /** The row is in the database. */
  written = false;
  readonly #insert: InsertRun;
  #writing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(insert: InsertRun) {
    this.#insert = insert;
  }

  /** The row is there, or on its way. */
  get begun(): boolean {
    return this.#writing !== null;
  }

  /** Writes the row a little later, unless the run has ended by then. `onFailure`: it could not be written, and the run has to stop. */
  defer(onFailure: (error: unknown) => void): void {
    this.#timer = setTimeout(() => void this.ensure().catch(onFailure), deferMs);
  }

  /** Resolves when the row is there. */
  ensure(): Promise<void> {
    return (this.#writing ??= this.#write(null));
  }

  /**
   * Writes the run with its end. False: its row is there already, and the end has to be written to it. `onSent`: row and end are on
   * their way to the database.
   */
  async insertEnded(end: RunEnd, onSent: () => void): Promise<boolean> {
    const isFirst = this.#writing === null;
    await (this.#writing ??= this.#write(end, onSent));
    return isFirst;
  }

  /** Writes the run with its end once more, when it is not known what became of it. */
  async insertAgain(end: RunEnd): Promise<void> {
    await this.#write(end);
  }

  async #write(end: RunEnd | null, onSent: () => void = () => {}): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#insert(end, onSent);
    this.written = true;
  }
}

/** The record of a run whose row is there. */
export function writtenRecord(): RunRecord {
  const record = new RunRecord(() => Promise.resolve());
  void record.ensure();
  return record;
}
