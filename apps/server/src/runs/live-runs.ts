import { EventEmitter, once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { LiveRun } from "./live-run.ts";

/** The runs that this process is running, by id. */
export class LiveRuns {
  readonly folder: string;
  readonly #runs = new Map<string, LiveRun>();
  readonly #changes = new EventEmitter();
  readonly #watchers = new Map<string, number>();

  /** `folder` holds the spool files: `<run id>.jsonl`. */
  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#changes.setMaxListeners(0);
  }

  open(id: string, after = 0): LiveRun {
    const run = new LiveRun(id, this.spoolPath(id), after);
    this.#runs.set(id, run);
    this.#changes.emit(id);
    return run;
  }

  get(id: string): LiveRun | undefined {
    return this.#runs.get(id);
  }

  /** To be called when the run's end can be read from the database. `run`: only if it is still this one. */
  close(id: string, run = this.#runs.get(id)): void {
    if (this.#runs.get(id) !== run) return;
    this.#runs.delete(id);
    this.#changes.emit(id);
  }

  /** Somebody waits for the run or follows it, until the answered function is called. */
  watch(id: string): () => void {
    this.#watchers.set(id, (this.#watchers.get(id) ?? 0) + 1);
    return () => {
      const left = (this.#watchers.get(id) ?? 1) - 1;
      if (left > 0) this.#watchers.set(id, left);
      else this.#watchers.delete(id);
    };
  }

  /** Whether somebody waits for the run, as far as this process knows. */
  isWatched(id: string): boolean {
    return this.#watchers.has(id);
  }

  /** Resolves when a run is opened or closed here, when the time is over, or when the signal aborts. */
  async changed(id: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    await once(this.#changes, id, { signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) }).catch(() => {});
  }

  spoolPath(id: string): string {
    return join(this.folder, `${id}.jsonl`);
  }
}
