import { SandboxError } from "../spec.ts";

interface Waiter {
  readonly bytes: number;
  readonly enter: () => void;
}

/** The memory of this machine that guests may have together. Whoever comes first gets in first. */
export class MachineRoom {
  readonly #bytes: number;
  readonly #waiters: Waiter[] = [];
  #used = 0;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /**
   * Waits until there is room. Resolves with the way to leave, once.
   *
   * @throws SandboxError `no_capacity` when there is none for so long, or never will be
   */
  async enter(bytes: number, waitMs: number): Promise<() => void> {
    if (bytes > this.#bytes) throw new SandboxError("no_capacity", "this machine has not enough memory for such a sandbox");
    if (this.#waiters.length > 0 || this.#used + bytes > this.#bytes) await this.#wait(bytes, waitMs);
    else this.#used += bytes;
    let isIn = true;
    return () => {
      if (isIn) this.#used -= bytes;
      isIn = false;
      this.#letIn();
    };
  }

  #wait(bytes: number, waitMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter = { bytes, enter: () => (clearTimeout(timer), resolve()) };
      const timer = setTimeout(() => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(new SandboxError("no_capacity", `there was no memory for a sandbox for ${waitMs} ms`));
        this.#letIn();
      }, waitMs);
      this.#waiters.push(waiter);
    });
  }

  #letIn(): void {
    for (let first = this.#waiters[0]; first !== undefined && this.#used + first.bytes <= this.#bytes; first = this.#waiters[0]) {
      this.#waiters.shift();
      this.#used += first.bytes;
      first.enter();
    }
  }
}
