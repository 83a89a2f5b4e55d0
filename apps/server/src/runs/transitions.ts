import { isFinal, RunStatus, type RunTransition } from "@syla/contracts/runs";
import { z } from "zod";
import { StoredError } from "./result.ts";
import type { RunRow } from "./store.ts";

/** A transition as the trigger of the table notes it, with the time as PostgreSQL writes it. */
const NotedTransition = z.object({
  status: RunStatus,
  at: z.string().transform((text) => new Date(text)),
  attempt: z.int(),
  workerId: z.string().nullable().default(null),
  cause: z.string().nullable().default(null),
});
const NotedTransitions = z.array(NotedTransition).nullable();
type Transition = z.output<typeof NotedTransition>;

/**
 * How a run came to where it is, the first first. The row tells it of the attempt that it holds: no run writes more than its row for it. What the
 * row no longer tells, its `history` does.
 */
export function transitionsOf(row: RunRow): RunTransition[] {
  const { attempt, worker_id: workerId, status } = row;
  const noted = (NotedTransitions.parse(row.history) ?? []).toSorted((a, b) => a.attempt - b.attempt || a.at.getTime() - b.at.getTime());
  const isWait = (step: Transition) => step.attempt === attempt && step.status !== "queued";
  const step = (to: RunStatus, at: Date | null, cause: string | null = null): Transition[] =>
    at === null ? [] : [{ status: to, at, attempt, workerId, cause }];
  return [
    { status: "queued" as const, at: row.created_at, attempt: 1, workerId: null, cause: submissionCause(row) },
    ...noted.filter((entry) => !isWait(entry)),
    ...step("starting", row.claimed_at),
    ...step("running", row.started_at ?? (status === "running" ? row.claimed_at : null)),
    ...noted.filter(isWait),
    ...step(status, isFinal(status) ? row.finished_at : null, endCause(row)),
  ].map(({ at, ...rest }) => ({ ...rest, at: at.toISOString() }));
}

function submissionCause({ retry_of: retryOf, schedule_id: scheduleId }: RunRow): string {
  if (retryOf !== null) return "rerun";
  return scheduleId === null ? "submitted" : "schedule";
}

function endCause(row: RunRow): string | null {
  if (row.status === "cancelled") return "cancel_requested";
  return StoredError.parse(row.error)?.code ?? null;
}
