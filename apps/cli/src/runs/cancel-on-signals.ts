import { constants } from "node:os";
import type { Syla } from "@syla/sdk";
import { onClosedPipe } from "../output/closed-pipe.ts";
import { note } from "../output/progress.ts";

/** What Ctrl-C does while a run is watched. */
export interface Cancellation {
  /** Aborted when we are to leave before the run has ended. */
  readonly signal: AbortSignal;
  /** Whether somebody has pressed Ctrl-C. */
  readonly isCancelled: () => boolean;
  /** From now on the first signal cancels this run too. */
  watch(runId: string): void;
  stop(): void;
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The first Ctrl-C cancels what runs and waits for its end; the second leaves at once. Before there is a run the first leaves. */
export function cancelOnSignals(syla: Syla): Cancellation {
  const leaving = new AbortController();
  const watched = new Set<string>();
  let cancelled = false;
  const cancelAll = () => Promise.allSettled([...watched].map((id) => syla.runs.cancel(id)));
  const onSignal = (name: (typeof signals)[number]) => {
    if (watched.size === 0 || cancelled) process.exit(128 + constants.signals[name]);
    cancelled = true;
    note("cancelling; press Ctrl-C again to leave at once");
    void cancelAll();
  };
  for (const name of signals) process.on(name, onSignal);
  // nobody reads the output any more, so the runs are of no use
  onClosedPipe(cancelAll);
  return {
    signal: leaving.signal,
    isCancelled: () => cancelled,
    watch: (id) => void watched.add(id),
    stop: () => {
      for (const name of signals) process.off(name, onSignal);
    },
  };
}
