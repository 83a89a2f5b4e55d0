import type { RunStatus, RunSummary } from "@syla/sdk";

/** The statuses from which a run still moves. */
export const liveStatuses = ["queued", "starting", "running", "waiting"] as const satisfies readonly RunStatus[];

/** The statuses in which a run stays. */
export const finalStatuses = ["succeeded", "failed", "timed_out", "cancelled"] as const satisfies readonly RunStatus[];

/** Whether the run may still change. */
export function isLive(run: Pick<RunSummary, "status">): boolean {
  return liveStatuses.some((status) => status === run.status);
}

/** Milliseconds that the program has run: measured by the server once it has ended, by our clock until then. */
export function runMs(run: Pick<RunSummary, "timings" | "status" | "startedAt" | "createdAt">, now: number): number | null {
  if (run.timings.runMs !== null) return run.timings.runMs;
  if (run.status !== "running" && run.status !== "waiting") return null;
  // The start is written a moment after it happened; until then the submission, some milliseconds before, has to do.
  return Math.max(0, now - Date.parse(run.startedAt ?? run.createdAt));
}

/** Why the program ended, in a few characters: `exit 1`, `SIGKILL`. */
export function describeExit(run: Pick<RunSummary, "exitCode" | "signal">): string | null {
  if (run.signal !== null) return run.signal;
  return run.exitCode === null ? null : `exit ${run.exitCode}`;
}
