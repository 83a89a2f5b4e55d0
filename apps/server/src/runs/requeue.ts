import { AppError } from "@syla/contracts/errors";
import type { Requeued, RequeueInput, Run } from "@syla/contracts/runs";
import type { Actor } from "../access/actor.ts";
import { requirePermission } from "../access/service.ts";
import type { Database } from "../platform/database.ts";
import type { Runs } from "./service.ts";
import { findDeadLetters } from "./store.ts";

const mostAtOnce = 500;

/** What queueing again takes. */
export interface RequeueContext {
  readonly database: Database;
  readonly runs: Pick<Runs, "rerun">;
  /** Somebody as whom the server may act. @throws AppError `account_suspended`, `not_found` */
  readonly actFor: (userId: string) => Promise<Actor>;
}

/** What queueing again tells of. */
export interface RequeueSteps {
  /** Counts one of whoever asks, and throws when there have been too many. */
  readonly admit: () => Promise<void>;
  /** Told of each run that was begun. */
  readonly onRerun: (run: Run) => void;
}

/**
 * Queues runs again that were given up, each as a new run of whoever owns it: a run that has ended stays as it is. The key makes one new run of one old
 * one, however many ask at once. What one's quotas or permissions refuse by now is told, and keeps nothing else back.
 */
export async function requeueRuns(
  { database, runs, actFor }: RequeueContext,
  actor: Actor,
  input: RequeueInput,
  { admit, onRerun }: RequeueSteps,
): Promise<Requeued> {
  if (input.owner === "all") requirePermission(actor, "run:list-all");
  const rows = await findDeadLetters(database.queries, input.owner === "all" ? null : actor.userId, input, mostAtOnce + 1);
  const answer: Requeued = { requeued: [], refused: [], more: rows.length > mostAtOnce };
  const options = { wait: false, signal: new AbortController().signal };
  for (const { id, owner_id: ownerId } of rows.slice(0, mostAtOnce)) {
    try {
      if (input.owner === "me") await admit();
      const owner = ownerId === actor.userId ? actor : await actFor(ownerId);
      const run = await runs.rerun(owner, id, {}, { ...options, idempotencyKey: `requeue ${id}` });
      onRerun(run);
      answer.requeued.push({ id, runId: run.id });
    } catch (error) {
      if (!(error instanceof AppError) || error.status >= 500) throw error;
      answer.refused.push({ id, code: error.code, message: error.message });
    }
  }
  const found = new Set(rows.map(({ id }) => id));
  const missing = (input.ids ?? []).filter((id) => !found.has(id));
  const { code, message } = new AppError("not_dead_letter");
  return { ...answer, refused: [...answer.refused, ...missing.map((id) => ({ id, code, message }))] };
}
