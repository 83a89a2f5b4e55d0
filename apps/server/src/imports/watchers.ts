import { setTimeout as sleep } from "node:timers/promises";
import type { Notifications } from "../platform/notifications.ts";

/** The channel that the database's trigger speaks on, see the migration `0020-program-page`. */
const channel = "imports_changed";
/** A message may be lost: whoever waits looks for themselves this often. */
const lookEveryMs = 5000;

/** Wakes whoever waits for something to happen with an import, in whichever process it happens. */
export class ImportWatchers {
  readonly #notifications: Pick<Notifications, "listen">;
  readonly #waiting = new Map<string, Set<() => void>>();
  #listening: Promise<unknown> | undefined;

  constructor(notifications: Pick<Notifications, "listen">) {
    this.#notifications = notifications;
  }

  /** Notes changes from now on: what happens between two looks is not missed. */
  async watch(id: string): Promise<{ readonly changed: (gone: AbortSignal) => Promise<void>; readonly end: () => void }> {
    this.#listening ??= this.#notifications.listen(
      channel,
      (changed) => this.#wake(changed),
      () => this.#wakeAll(),
    );
    await this.#listening;
    let news = Promise.withResolvers<void>();
    const wake = () => news.resolve();
    const waiting = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, waiting.add(wake));
    return {
      changed: async (gone) => {
        const stop = new AbortController();
        const signal = AbortSignal.any([gone, stop.signal]);
        await Promise.race([news.promise, sleep(lookEveryMs, undefined, { signal, ref: false }).catch(() => {})]);
        stop.abort();
        news = Promise.withResolvers();
      },
      end: () => {
        waiting.delete(wake);
        if (waiting.size === 0 && this.#waiting.get(id) === waiting) this.#waiting.delete(id);
      },
    };
  }

  #wake(id: string): void {
    for (const wake of this.#waiting.get(id) ?? []) wake();
  }

  #wakeAll(): void {
    for (const id of this.#waiting.keys()) this.#wake(id);
  }
}
