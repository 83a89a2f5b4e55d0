import { SandboxError } from "../spec.ts";

interface Waiter {
  readonly bytes: number;
  readonly enter: () => void;
}

/** The memory of this machine that guests may have together. Whoever comes first gets in first. */
export class MachineRoom {
  readonly #bytes: number;
  readonly #makeRoom: (missing: number) => void;
  readonly #waiters: Waiter[] = [];
  #used = 0;

  /** `makeRoom` is asked to have so many bytes given back. */
  constructor(bytes: number, makeRoom: (missing: number) => void = () => {}) {
    this.#bytes = bytes;
    this.#makeRoom = makeRoom;
  }

  /**
   * Waits until there is room. Resolves with the way to leave, once.
   *
   * @throws SandboxError `no_capacity` when there is none for so long, or never will be
   */
  async enter(bytes: number, waitMs: number): Promise<() => void> {
    if (bytes > this.#bytes) throw new SandboxError("no_capacity", "this machine has not enough memory for such a sandbox");
    if (this.#isFree(bytes)) return this.#take(bytes);
    const waiting = this.#wait(bytes, waitMs);
    this.#makeRoom(this.#used + this.#waiters.reduce((sum, waiter) => sum + waiter.bytes, 0) - this.#bytes);
    await waiting;
    return this.#leaveOnce(bytes);
  }

  /** Where there is room now that nobody waits for. @throws SandboxError `no_capacity` */
  enterNow(bytes: number): () => void {
    if (this.#isFree(bytes)) return this.#take(bytes);
    throw new SandboxError("no_capacity", "there is no memory for a sandbox now");
  }

  #isFree(bytes: number): boolean {
    return this.#waiters.length === 0 && this.#used + bytes <= this.#bytes;
  }

  #take(bytes: number): () => void {
    this.#used += bytes;
    return this.#leaveOnce(bytes);
  }

  #leaveOnce(bytes: number): () => void {
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
