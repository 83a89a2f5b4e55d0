import { once } from "node:events";

/** Lets only so many do something at once; the others wait, first come, first served. */
export class Turns {
  readonly #atOnce: number;
  #busy = 0;
  readonly #waiting = new Set<() => void>();

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  get isIdle(): boolean {
    return this.#busy === 0;
  }

  /** Does the work when its turn has come. @throws the signal's reason when nobody waits for it any more */
  async take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.#busy >= this.#atOnce) await this.#wait(signal);
    else this.#busy += 1;
    try {
      return await work();
    } finally {
      const [next] = this.#waiting;
      if (next === undefined) this.#busy -= 1;
      else next();
    }
  }

  /** The turn is handed over: whoever ends does not count down for the next one. */
  async #wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const called = () => {
      this.#waiting.delete(called);
      resolve();
    };
    this.#waiting.add(called);
    const given = new AbortController();
    await Promise.race([promise, once(signal, "abort", { signal: given.signal }).catch(() => {})]);
    given.abort();
    if (this.#waiting.delete(called)) signal.throwIfAborted();
  }
}

/** The same for people: each has one turn at a time, and what else they want waits behind it, not in the way of others. */
export class FairTurns {
  readonly #shared: Turns;
  readonly #own = new Map<string, Turns>();

  constructor(atOnce: number) {
    this.#shared = new Turns(atOnce);
  }

  /** @throws the signal's reason when nobody waits for it any more */
  async take<T>(who: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const own = this.#own.get(who) ?? new Turns(1);
    this.#own.set(who, own);
    try {
      return await own.take(signal, () => this.#shared.take(signal, work));
    } finally {
      if (own.isIdle) this.#own.delete(who);
    }
  }
}
