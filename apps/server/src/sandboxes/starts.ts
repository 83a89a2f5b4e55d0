import type { Sandbox } from "@syla/contracts/sandboxes";

/** The start of a sandbox that nobody waits for in a request. */
export class Start<Reason> {
  /** What it waits for. */
  phase: Sandbox["phase"] = null;
  /** Why it is given up; null while it is not. */
  reason: Reason | null = null;
  readonly #abort = new AbortController();
  readonly #done = Promise.withResolvers<void>();

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Resolves when nothing of it goes on any more. */
  async giveUp(reason: Reason): Promise<void> {
    this.reason ??= reason;
    this.#abort.abort();
    await this.#done.promise;
  }

  settle(): void {
    this.#done.resolve();
  }
}
