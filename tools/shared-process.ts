import { ForksPoolWorker, type PoolOptions, type TestProject, type WorkerRequest } from "vitest/node";

/** So many files has a process at most: each leaves something in its memory. */
const mostFiles = 25;

/** A process that runs one file of a project after another, and what they load but once, until a file fails: what that one leaves is nobody else's. */
class SharedProcess extends ForksPoolWorker {
  override readonly name = "shared";
  readonly #project: TestProject;
  readonly #failedBefore: number;
  #files = 0;

  constructor(options: PoolOptions) {
    super(options);
    this.#project = options.project;
    this.#failedBefore = this.#failed();
  }

  override send(message: WorkerRequest): void {
    if (message.type === "run") this.#files += 1;
    super.send(message);
  }

  canReuse(): boolean {
    return this.#files < mostFiles && this.#failed() === this.#failedBefore;
  }

  #failed(): number {
    return this.#project.vitest.state.getFailedFilepaths().length;
  }
}

/** For `pool` of a project with `isolate: false`. */
export const sharedProcess = { name: "shared", createPoolWorker: (options: PoolOptions) => new SharedProcess(options) };
