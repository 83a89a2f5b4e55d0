import { SandboxError } from "../spec.ts";

/** Questions under way to somebody who answers with their numbers. */
export class AskedQuestions {
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>();
  #next = 1;
  #over: Error | null = null;

  /** `send` is given the number. Rejects when no answer comes in time. */
  async ask(send: (id: number) => void, ms: number): Promise<unknown> {
    if (this.#over !== null) throw this.#over;
    const id = this.#next++;
    const asked = Promise.withResolvers<unknown>();
    this.#asked.set(id, asked);
    const timer = setTimeout(() => asked.reject(new SandboxError("sandbox_failed", `the machine did not answer within ${ms} ms`)), ms);
    try {
      send(id);
      return await asked.promise;
    } finally {
      clearTimeout(timer);
      this.#asked.delete(id);
    }
  }

  answer(id: number, value: unknown): void {
    this.#asked.get(id)?.resolve(value);
  }

  refuse(id: number, message: string): void {
    this.#asked.get(id)?.reject(new SandboxError("sandbox_failed", message));
  }

  /** Nobody will answer any more. */
  end(error: Error): void {
    this.#over ??= error;
    for (const { reject } of this.#asked.values()) reject(error);
  }
}
