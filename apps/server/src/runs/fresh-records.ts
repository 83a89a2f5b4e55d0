/** PostgreSQL has written after this long whatever it took without waiting for the disk: three times its `wal_writer_delay`, and some. */
const settledMs = 2000;

interface FreshRecord {
  readonly at: number;
  readonly repeat: () => Promise<void>;
}

/**
 * Records that PostgreSQL has taken without writing them yet. When one of its processes is killed it ends the others, every connection with
 * them, and forgets what it had not written: these records are then made again.
 */
export class FreshRecords {
  readonly #isConnected: () => boolean;
  #records: FreshRecord[] = [];
  #timer: NodeJS.Timeout | null = null;

  /** `isConnected`: whether a connection lasts that a PostgreSQL which forgets would have ended. */
  constructor(isConnected: () => boolean) {
    this.#isConnected = isConnected;
  }

  /** `repeat` writes the record once more, and does nothing where it is there. */
  add(repeat: () => Promise<void>): void {
    this.#records.push({ at: performance.now(), repeat });
    this.#forgetLater();
  }

  /** After the connection was lost: writes again what may be forgotten. */
  repeatAll(): void {
    for (const { repeat } of this.#records.splice(0)) repeat().catch(() => {}); // the server stops
  }

  #forgetLater(): void {
    if (this.#records.length === 0 || this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      const before = performance.now() - settledMs;
      if (this.#isConnected()) this.#records = this.#records.filter(({ at }) => at > before);
      this.#forgetLater();
    }, settledMs / 2).unref();
  }
}
