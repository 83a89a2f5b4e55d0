import { hostname } from "node:os";
import type { Database, Work } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import type { Logger } from "../platform/logger.ts";
import type { Notifications } from "../platform/notifications.ts";
import type { Service } from "../platform/service.ts";
import { describeProcess, isProcessGone } from "./process-identity.ts";
import { SilenceWatch } from "./silence-watch.ts";
import {
  defaultLeaseMs,
  drainChannel,
  insertWorker,
  isDrained,
  listWatched,
  markDraining,
  markStopped,
  renewLease,
  type NewWorker,
  type WorkerRow,
} from "./store.ts";

/** This process as a worker: its id is what its runs are claimed under. */
export interface Membership extends Service {
  readonly id: string;
}

/** What has to happen to the runs of a worker that is gone, in the transaction that says so. `isLost`: it did not leave in order. */
export type OnWorkerGone = (work: Work, workerId: string, isLost: boolean) => Promise<void>;

/** What a worker says of itself. `leaseMs`: how long it is believed to live when it says nothing more. */
export interface WorkerFacts extends Pick<NewWorker, "slots" | "version"> {
  readonly leaseMs?: number | undefined;
}

/** What a worker is a member with. */
export interface MembershipContext {
  readonly database: Database;
  readonly notifications: Notifications;
  readonly logger: Logger;
  readonly onGone: OnWorkerGone;
  /** What this worker has ready, and what is done with what the others have. */
  readonly warmth: { tell(): readonly string[]; learn(others: readonly Pick<WorkerRow, "slots" | "warm">[]): void };
  /** Takes nothing more, or takes runs again: may be told what it knows. */
  readonly setDrained: (isDrained: boolean) => void;
}

/**
 * Registers this process as a worker and keeps its lease; looks for workers that are gone, first of all for those that a killed server
 * left on this machine, and hands their runs over to `onGone`.
 */
export async function joinWorkers(context: MembershipContext, facts: WorkerFacts): Promise<Membership> {
  const { database, notifications, logger, onGone, warmth, setDrained } = context;
  const { queries } = database;
  const id = newId("worker");
  const { leaseMs = defaultLeaseMs, ...said } = facts;
  const beatMs = leaseMs / 3;
  const silence = new SilenceWatch(leaseMs, beatMs);
  await recoverLost(context, id, silence);
  await insertWorker(queries, { ...said, id, hostname: hostname(), pid: process.pid, process: describeProcess() }, leaseMs);
  const ended = Promise.withResolvers<void>();
  let isRunning = false;
  const heed = (drained: boolean) => (isRunning ? setDrained(drained) : undefined);
  const beat = async () => {
    heed(await renewLease(queries, id, leaseMs, warmth.tell()));
    await recoverLost(context, id, silence);
  };
  const timer = setInterval(() => {
    beat().catch((error: unknown) => logger.warn({ err: error }, "the worker's lease could not be renewed"));
  }, beatMs);
  // What is not heard is seen at the next beat.
  const look = () => void isDrained(queries, id).then(heed, () => {});
  let endListening = (): void => undefined;
  const leave = async (): Promise<void> => {
    clearInterval(timer);
    endListening();
    await queries.transaction().execute(async (work) => {
      if (await markStopped(work, id, false)) await onGone(work, id, false);
    });
    ended.resolve();
  };
  return {
    id,
    name: "worker-lease",
    async run() {
      isRunning = true;
      endListening = await notifications.listen(drainChannel, (of) => (of === id ? look() : undefined), look);
      await ended.promise;
    },
    drain: () => markDraining(queries, id),
    stop: leave,
  };
}

async function recoverLost({ database, logger, onGone, warmth }: MembershipContext, ownId: string, silence: SilenceWatch): Promise<void> {
  const others = (await listWatched(database.queries)).filter(({ id }) => id !== ownId);
  const silent = silence.observe(others);
  const lost = others.filter((worker) => silent.has(worker.id) || isProcessGone(worker.process));
  const isAvailable = ({ draining, drained_at, stopped_at }: WorkerRow) => !draining && drained_at === null && stopped_at === null;
  warmth.learn(others.filter((worker) => !lost.includes(worker) && isAvailable(worker)));
  for (const worker of lost) {
    await database.queries.transaction().execute(async (work) => {
      if (worker.stopped_at === null && !(await markStopped(work, worker.id, true))) return;
      await onGone(work, worker.id, true);
      logger.warn({ workerId: worker.id }, "a worker was lost; its runs were put back or ended");
    });
  }
}
