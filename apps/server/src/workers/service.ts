import { hostname } from "node:os";
import type { Database, Work } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import type { Logger } from "../platform/logger.ts";
import type { Service } from "../platform/service.ts";
import { describeProcess, isProcessGone } from "./process-identity.ts";
import { SilenceWatch } from "./silence-watch.ts";
import { defaultLeaseMs, insertWorker, listLiveWorkers, markDraining, markStopped, renewLease, type NewWorker } from "./store.ts";

/** This process as a worker: its id is what its runs are claimed under. */
export interface Membership extends Service {
  readonly id: string;
}

/** What has to happen to the runs of a worker that is gone, in the transaction that says so. `inOrder`: it has said so itself. */
export type OnWorkerGone = (work: Work, workerId: string, inOrder: boolean) => Promise<void>;

/** What a worker says of itself. `leaseMs`: how long it is believed to live when it says nothing more. */
export interface WorkerFacts extends Pick<NewWorker, "slots" | "version"> {
  readonly leaseMs?: number | undefined;
}

/**
 * Registers this process as a worker and keeps its lease; looks for workers that are gone, first of all for those that a killed server
 * left on this machine, and hands their runs over to `onGone`.
 */
export async function joinWorkers(database: Database, logger: Logger, facts: WorkerFacts, onGone: OnWorkerGone): Promise<Membership> {
  const id = newId("worker");
  const { leaseMs = defaultLeaseMs, ...said } = facts;
  const beatMs = leaseMs / 3;
  const silence = new SilenceWatch(leaseMs, beatMs);
  const recover = () => recoverLost(database, logger, onGone, id, silence);
  await recover();
  await insertWorker(database.queries, { ...said, id, hostname: hostname(), pid: process.pid, process: describeProcess() }, leaseMs);
  const ended = Promise.withResolvers<void>();
  const beat = setInterval(() => {
    const work = renewLease(database.queries, id, leaseMs).then(recover);
    work.catch((error: unknown) => logger.warn({ err: error }, "the worker's lease could not be renewed"));
  }, beatMs);
  const leave = async (): Promise<void> => {
    clearInterval(beat);
    await database.queries.transaction().execute(async (work) => {
      if (await markStopped(work, id, false)) await onGone(work, id, true);
    });
    ended.resolve();
  };
  return { id, name: "worker-lease", run: () => ended.promise, drain: () => markDraining(database.queries, id), stop: leave };
}

async function recoverLost(database: Database, logger: Logger, onGone: OnWorkerGone, ownId: string, silence: SilenceWatch): Promise<void> {
  const others = (await listLiveWorkers(database.queries)).filter((worker) => worker.id !== ownId);
  const silent = silence.observe(others);
  for (const worker of others) {
    if (!silent.has(worker.id) && !isProcessGone(worker.process)) continue;
    await database.queries.transaction().execute(async (work) => {
      if (!(await markStopped(work, worker.id, true))) return;
      await onGone(work, worker.id, false);
      logger.warn({ workerId: worker.id }, "a worker was lost; its runs were put back or ended");
    });
  }
}
