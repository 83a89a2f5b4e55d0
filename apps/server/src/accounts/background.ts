import type { Logger } from "../platform/logger.ts";

/** Work that an answer does not wait for, so that its time does not tell what was found. */
export interface Background {
  start(what: string, work: () => Promise<unknown>): void;
  /** Resolves when all of it has been done. */
  settled(): Promise<void>;
}

export function createBackground(logger: Logger): Background {
  const running = new Set<Promise<void>>();
  return {
    start(what, work) {
      const done = work().then(
        () => void running.delete(done),
        (error: unknown) => {
          running.delete(done);
          logger.error({ err: error }, what);
        },
      );
      running.add(done);
    },
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
