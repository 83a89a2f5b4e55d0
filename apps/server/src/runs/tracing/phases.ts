import { z } from "zod";

/** A part of a run's start or end that was measured. Times are milliseconds; `at` is since a worker took the run. */
export const Phase = z.object({
  name: z.enum(["environment", "compile", "workspace", "sandbox", "artifacts"]),
  at: z.number(),
  ms: z.number(),
});
export type Phase = z.infer<typeof Phase>;

/** Measures the phases of one attempt. */
export class PhaseClock {
  readonly #claimedAt: number;
  readonly #phases: Phase[] = [];

  /** @param claimedAt milliseconds since the epoch */
  constructor(claimedAt: number) {
    this.#claimedAt = claimedAt;
  }

  get phases(): readonly Phase[] {
    return this.#phases;
  }

  /** Notes what lasted from one moment to another, by `Date.now()`. */
  add(name: Phase["name"], from: number, to = Date.now()): void {
    this.#phases.push({ name, at: Math.max(0, from - this.#claimedAt), ms: Math.max(0, to - from) });
  }

  /** The making ready of a program: its environment, then its compilation. */
  addPreparation(from: number, environmentMs: number | null, isCompiled: boolean): void {
    const built = from + (environmentMs ?? 0);
    if (environmentMs !== null) this.add("environment", from, built);
    if (isCompiled) this.add("compile", built);
  }

  /** Passes files on, and notes how long that took. */
  async *during<T>(name: Phase["name"], entries: AsyncIterable<T>): AsyncGenerator<T> {
    const from = Date.now();
    yield* entries;
    this.add(name, from);
  }
}
