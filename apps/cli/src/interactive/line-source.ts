import type { Interface } from "node:readline";

/** Lines as they are typed, also those that are typed ahead; null when there will be no more. */
export interface LineSource {
  next(): Promise<string | null>;
  /** The next one is empty, as if nothing had been typed. */
  abandon(): void;
}

/** Marks input that was given up with Ctrl-C. */
export const abandoned = "\u0003";

export function readLines(lines: Interface): LineSource {
  const queue: (string | null)[] = [];
  let wake: ((line: string | null) => void) | undefined;
  const give = (line: string | null) => {
    if (wake === undefined) queue.push(line);
    else wake(line);
    wake = undefined;
  };
  lines.on("line", give);
  lines.on("close", () => give(null));
  return {
    abandon: () => {
      if (wake !== undefined) give(abandoned);
    },
    next: () => {
      const ready = queue.shift();
      if (ready !== undefined) return Promise.resolve(ready);
      return new Promise((resolve) => (wake = resolve));
    },
  };
}
