import { type RunSummary, type RunTotals, type Syla, SylaError, type WorkersReport } from "@syla/sdk";

const dayMs = 86_400_000;
const minuteMs = 60_000;
const mostLive = 100;
const mostFailed = 20;

/** What the monitor shows, at one moment. */
export interface Snapshot {
  readonly at: string;
  readonly url: string;
  /** Whose runs: one's own, or everybody's. */
  readonly owner: "me" | "all";
  /** Of the last 24 hours. */
  readonly totals: RunTotals;
  /** Runs that were asked for within the last minute. */
  readonly lastMinute: number;
  /** Those that have not ended, newest first, at most 100. */
  readonly live: readonly RunSummary[];
  /** The newest that failed within the last 24 hours, at most 20. */
  readonly failures: readonly RunSummary[];
  /** Null for those who are no administrators. */
  readonly workers: WorkersReport | null;
}

/** Reads all of it. @throws SylaError */
export async function readSnapshot(syla: Syla, url: string, owner: Snapshot["owner"], signal?: AbortSignal): Promise<Snapshot> {
  const now = Date.now();
  const ago = (ms: number) => new Date(now - ms).toISOString();
  const options = { signal, timeoutMs: 10_000 };
  const [totals, minute, live, failures, workers] = await Promise.all([
    syla.runs.totals({ owner, since: ago(dayMs) }, options),
    syla.runs.totals({ owner, since: ago(minuteMs) }, options),
    syla.runs.list({ owner, status: "queued,starting,running,waiting", limit: mostLive }, options),
    syla.runs.list({ owner, status: "failed,timed_out", since: ago(dayMs), limit: mostFailed }, options),
    syla.workers.list(options).catch((error: unknown) => {
      if (error instanceof SylaError && error.code === "forbidden") return null;
      throw error;
    }),
  ]);
  return {
    at: new Date(now).toISOString(),
    url,
    owner,
    totals,
    lastMinute: minute.total.runs,
    live: live.items,
    failures: failures.items,
    workers,
  };
}

/** How many slots the workers have that take runs, and how many of them are taken. */
export function slotsOf({ items }: WorkersReport): { readonly taken: number; readonly slots: number; readonly workers: number } {
  const living = items.filter(({ state, draining }) => state === "live" && !draining);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    taken: sum(living.map(({ runs }) => runs)),
    slots: sum(living.map(({ slots }) => slots ?? 0)),
    workers: living.length,
  };
}
