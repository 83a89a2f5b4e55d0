import type { AgentEvent } from "./connection.ts";
import { SandboxError, type SandboxSpec } from "./spec.ts";

/** How long after the time limit a sandbox that does not answer is ended with its whole jail. */
const supervisorGraceMs = 5000;

/** Trusts no agent: ends one that is silent after the time limit, and one that sends more than a run may. */
export class Watchdog {
  overdue = false;
  readonly #onOverdue: () => void;
  #timer: NodeJS.Timeout;
  /** By the monotonic clock: the clock of the host may be turned while a run is there. */
  readonly #deadline: number;
  #outputLeft: number;
  #artifactsLeft: number;

  constructor(spec: SandboxSpec, onOverdue: () => void) {
    this.#onOverdue = onOverdue;
    this.#deadline = performance.now() + spec.limits.wallMs;
    this.#outputLeft = spec.limits.outputBytes + 2;
    this.#artifactsLeft = spec.artifacts.maxBytes + (spec.returns?.maxBytes ?? 0);
    this.#timer = this.#arm();
  }

  /** The agent spoke; while the host is busy with it, nobody is late. */
  saw(event: AgentEvent): void {
    clearTimeout(this.#timer);
    if (event.type === "output") this.#outputLeft -= event.data.length;
    if (event.type === "artifact-data") this.#artifactsLeft -= event.data.length;
    if (this.#outputLeft < 0 || this.#artifactsLeft < 0) throw new SandboxError("sandbox_failed", "the agent sent more than the run may");
  }

  waits(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#arm();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #arm(): NodeJS.Timeout {
    return setTimeout(
      () => {
        this.overdue = true;
        this.#onOverdue();
      },
      Math.max(this.#deadline - performance.now(), 0) + supervisorGraceMs,
    );
  }
}
