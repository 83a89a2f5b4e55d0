import { constants } from "node:os";
import type { Syla } from "@syla/sdk";
import { onClosedPipe } from "../output/closed-pipe.ts";
import { note } from "../output/progress.ts";

/** What Ctrl-C does while a run is watched. */
export interface Cancellation {
  /** Aborted when we are to leave before the run has ended. */
  readonly signal: AbortSignal;
  /** From now on the first signal cancels this run. */
  watch(runId: string): void;
  stop(): void;
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The first Ctrl-C cancels the run and waits for its end; the second leaves at once. Before there is a run the first leaves. */
export function cancelOnSignals(syla: Syla): Cancellation {
  const leaving = new AbortController();
  let runId: string | null = null;
  let cancelled = false;
  const onSignal = (name: (typeof signals)[number]) => {
    if (runId === null || cancelled) process.exit(128 + constants.signals[name]);
    cancelled = true;
    note("cancelling; press Ctrl-C again to leave at once");
    syla.runs.cancel(runId).catch(() => undefined);
  };
  for (const name of signals) process.on(name, onSignal);
  // nobody reads the output any more, so the run is of no use
  onClosedPipe(async () => runId !== null && syla.runs.cancel(runId));
  return {
    signal: leaving.signal,
    watch: (id) => {
      runId = id;
    },
    stop: () => {
      for (const name of signals) process.off(name, onSignal);
    },
  };
}
