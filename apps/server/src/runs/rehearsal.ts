import { RunInput } from "@syla/contracts/runs";
import type { Blobs } from "../platform/blobs.ts";
import type { Database } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import type { Runtimes } from "../runtimes/service.ts";
import type { Sandboxes } from "../sandboxes/service.ts";
import { hashesOf } from "./config.ts";
import type { LiveRuns } from "./live-runs.ts";
import { rowOf } from "./new-row.ts";
import { toRun } from "./presenter.ts";
import { RunRecord } from "./run-record.ts";
import { checkSubmission, storeSubmission } from "./submission.ts";
import type { Worker } from "./worker.ts";

/** Who owns it: no user has this id, so the sandbox is nobody's who comes later. */
export const nobody = "rehearsal";
/** Every machine has it, and it starts in the jail that most languages share. */
const language = "bash";

/** What a rehearsal needs. */
export interface RehearsalContext {
  readonly database: Database;
  readonly blobs: Blobs;
  readonly runtimes: Runtimes;
  readonly sandboxes: Sandboxes;
  readonly liveRuns: LiveRuns;
  readonly worker: Worker;
}

/**
 * Takes one program along the way of every run, from the check of the request to the answer, so that whoever comes first does not wait for
 * code that has never run. Nothing of it stays: it is in no table and no trail, its content is deleted and its jail ends.
 */
export async function rehearse(context: RehearsalContext): Promise<void> {
  const { worker, blobs, sandboxes, liveRuns, database } = context;
  const id = newId("run");
  const input = RunInput.parse({ language, code: `echo ${id}\n` });
  const checked = await checkSubmission({ ...context, queries: database.queries }, nobody, input);
  const submission = await storeSubmission(context, checked, input, null);
  const hashes = hashesOf(submission.config);
  using watching = new DisposableStack();
  watching.defer(liveRuns.watch(id));
  try {
    if (!(await worker.reserve({ id, ownerId: nobody }, true, submission.priority))) return; // others have come: the code has run
    const now = new Date();
    const row = rowOf({
      ...submission,
      id,
      ownerId: nobody,
      language,
      idempotencyKey: null,
      retryOf: null,
      scheduleId: null,
      apiKeyId: null,
      createdAt: now,
      availableAt: null,
      claimedAt: now,
      workerId: worker.id,
      phase: null,
      end: null,
    });
    const unwritten = new RunRecord((_end, onSent) => Promise.resolve(onSent()));
    const finished = await worker.performReserved(
      row,
      checked.runtime,
      () => Promise.resolve(),
      unwritten,
      () => {},
    );
    JSON.stringify(toRun(finished.row, finished.heads));
    if (finished.row.log_sha256 !== null) hashes.push(finished.row.log_sha256);
  } finally {
    sandboxes.dismiss(nobody);
    await submission.written;
    for (const sha256 of hashes) await blobs.delete(sha256);
  }
}
