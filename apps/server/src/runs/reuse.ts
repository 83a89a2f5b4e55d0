import { isFinal, type Run } from "@syla/contracts/runs";
import type { CacheKey, Holder, ResultCache } from "../cache/service.ts";
import { newId } from "../platform/ids.ts";
import type { LiveRuns } from "./live-runs.ts";
import type { SubmitOptions } from "./service.ts";
import type { RunRow } from "./store.ts";

/** How long the row of a run may come after its claim. */
const missingMs = 2000;
const pollMs = 1000;
const missingPollMs = 20;

interface ReuseContext {
  readonly cache: ResultCache;
  readonly liveRuns: LiveRuns;
  /** The run's row, once it is not on its way to the database any more. */
  readonly find: (id: string) => Promise<RunRow | undefined>;
  readonly present: (row: RunRow) => Promise<Run>;
}

/** An earlier result, or the id under which this run has to produce it. */
type Found = { readonly run: Run } | { readonly id: string; readonly run?: undefined };

/** Answers a request with the result of an equal run; of equal requests at once one runs, and the others wait for it. */
export class Reuse {
  readonly #context: ReuseContext;

  constructor(context: ReuseContext) {
    this.#context = context;
  }

  /** `wallMs` is the time limit of the run. With `wait` the answer has ended, else it may be the run that is at it. */
  async find(key: CacheKey, wallMs: number, options: SubmitOptions): Promise<Found> {
    const { cache } = this.#context;
    const known = await cache.find(key);
    if (known !== null) return { run: known };
    const id = newId("run");
    const first = await cache.findHolder(key);
    const run = first === undefined ? null : await this.#resultOf(first, key, options);
    if (run !== null) return { run };
    if (await cache.claim(key, id, wallMs, first?.runId ?? null)) return { id };
    // Somebody was faster. Who has waited for nothing before runs beside them: a chain of failures must not be waited through.
    const second = first === undefined ? await cache.findHolder(key) : undefined;
    const other = second === undefined ? null : await this.#resultOf(second, key, options);
    return other === null ? { id } : { run: other };
  }

  /** What the run that holds the key has to say. Null: nothing that could be reused. */
  async #resultOf(holder: Holder, key: CacheKey, { wait, signal }: SubmitOptions): Promise<Run | null> {
    const missingUntil = Date.now() + missingMs;
    while (!signal.aborted) {
      const row = await this.#context.find(holder.runId);
      if (row === undefined && (holder.ready || Date.now() > missingUntil)) return null;
      if (row !== undefined && isFinal(row.status)) return isReusable(row) ? await this.#keepAtHand(row, holder, key) : null;
      if (row !== undefined && !wait) return await this.#context.present(row);
      await this.#context.liveRuns.changed(holder.runId, row === undefined ? missingPollMs : pollMs, signal);
    }
    return null;
  }

  async #keepAtHand(row: RunRow, holder: Holder, key: CacheKey): Promise<Run> {
    const run = await this.#context.present(row);
    return this.#context.cache.remember(key, run, holder.ready ? holder.expiresAt : new Date(Date.now() + key.ttlMs));
  }
}

/** Whether an equal run would end alike: the program came to its own end, well or not; and what it wrote is there. */
export function isReusable(row: RunRow): boolean {
  if (row.expired_at !== null) return false;
  if (row.status === "succeeded") return true;
  return row.status === "failed" && row.exit_code !== null && row.error !== null && "class" in row.error && row.error.class === "user_code";
}
