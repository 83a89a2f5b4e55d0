/** One listener: what it has not taken yet, and how to wake it. */
interface Listener<T> {
  readonly waiting: { readonly event: T; readonly taken: () => void }[];
  wake: () => void;
  gone: boolean;
}

/** Events from one source to those who listen. Whoever comes later hears the recent ones first; who is slow holds the source up. */
export class Feed<T> {
  readonly #sizeOf: (event: T) => number;
  readonly #keptBytes: number;
  readonly #recent: T[] = [];
  readonly #listeners = new Set<Listener<T>>();
  #recentBytes = 0;
  #ended = false;

  constructor(keptBytes: number, sizeOf: (event: T) => number) {
    this.#keptBytes = keptBytes;
    this.#sizeOf = sizeOf;
  }

  /** Resolves when every listener has taken it. */
  async push(event: T): Promise<void> {
    this.#recent.push(event);
    this.#recentBytes += this.#sizeOf(event);
    while (this.#recentBytes > this.#keptBytes && this.#recent.length > 1) this.#recentBytes -= this.#sizeOf(this.#recent.shift() as T);
    const told = [...this.#listeners].map((listener) => new Promise<void>((taken) => offer(listener, event, taken)));
    await Promise.all(told);
  }

  /** Nothing comes any more. */
  end(): void {
    this.#ended = true;
    for (const listener of this.#listeners) listener.wake();
  }

  /** What was kept and what comes, until the end or until the signal. */
  async *follow(signal: AbortSignal): AsyncGenerator<T, void, void> {
    const listener: Listener<T> = { waiting: this.#recent.map((event) => ({ event, taken: () => {} })), wake: () => {}, gone: false };
    this.#listeners.add(listener);
    const leave = () => {
      listener.gone = true;
      this.#listeners.delete(listener);
      for (const { taken } of listener.waiting.splice(0)) taken();
      listener.wake();
    };
    signal.addEventListener("abort", leave, { once: true });
    try {
      while (!signal.aborted) {
        const next = listener.waiting.shift();
        if (next !== undefined) {
          yield next.event;
          next.taken();
        } else if (this.#ended) return;
        else await new Promise<void>((resolve) => (listener.wake = resolve));
      }
    } finally {
      signal.removeEventListener("abort", leave);
      leave();
    }
  }
}

function offer<T>(listener: Listener<T>, event: T, taken: () => void): void {
  if (listener.gone) return taken();
  listener.waiting.push({ event, taken });
  listener.wake();
}
