import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "./logger.ts";
import type { Service } from "./service.ts";

/** Work that is done again and again. */
export interface RecurringWork {
  readonly name: string;
  readonly everyMs: number;
  /** For the log, when it fails: "… could not be …". It is tried again the next time. */
  readonly complaint: string;
  /** May be done by several servers at once. Long work looks at the signal between its parts. */
  readonly perform: (signal: AbortSignal) => Promise<unknown>;
}

/** Does it at once, and again each time. */
export function recurring(work: RecurringWork, logger: Logger): Service {
  const stopping = new AbortController();
  const { signal } = stopping;
  return {
    name: work.name,
    async run() {
      while (!signal.aborted) {
        await work.perform(signal).catch((err: unknown) => logger.warn({ err }, work.complaint));
        await sleep(work.everyMs, undefined, { ref: false, signal }).catch(() => {});
      }
    },
    drain: async () => stopping.abort(),
    stop: async () => stopping.abort(),
  };
}
