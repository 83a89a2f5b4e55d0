import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { Database, Work } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import type { Logger } from "../platform/logger.ts";
import type { Service } from "../platform/service.ts";
import { insertWorker, leaseMs, listLiveWorkers, markDraining, markStopped, renewLease, type NewWorker, type WorkerRow } from "./store.ts";

/** This process as a worker: its id is what its runs are claimed under. */
export interface Membership extends Service {
  readonly id: string;
}

/** What has to happen to the runs of a worker that is gone, in the transaction that says so. */
export type OnWorkerLost = (work: Work, workerId: string) => Promise<void>;

/** What a worker says of itself. */
export type WorkerFacts = Pick<NewWorker, "slots" | "version">;

/**
 * Registers this process as a worker and keeps its lease; looks for workers that are gone, first of all for those that a killed server
 * left on this machine, and hands their runs over to `onLost`.
 */
export async function joinWorkers(database: Database, logger: Logger, facts: WorkerFacts, onLost: OnWorkerLost): Promise<Membership> {
  const id = newId("worker");
  await recoverLost(database, logger, onLost, id);
  await insertWorker(database.queries, { ...facts, id, hostname: hostname(), pid: process.pid });
  const ended = Promise.withResolvers<void>();
  const beat = setInterval(() => {
    const work = renewLease(database.queries, id).then(() => recoverLost(database, logger, onLost, id));
    work.catch((error: unknown) => logger.warn({ err: error }, "the worker's lease could not be renewed"));
  }, leaseMs / 3);
  const leave = async (): Promise<void> => {
    clearInterval(beat);
    await database.queries.transaction().execute(async (work) => {
      if (await markStopped(work, id, false)) await onLost(work, id);
    });
    ended.resolve();
  };
  return { id, name: "worker-lease", run: () => ended.promise, drain: () => markDraining(database.queries, id), stop: leave };
}

async function recoverLost(database: Database, logger: Logger, onLost: OnWorkerLost, ownId: string): Promise<void> {
  for (const worker of await listLiveWorkers(database.queries)) {
    if (worker.id === ownId || !(worker.expired || isGone(worker))) continue;
    await database.queries.transaction().execute(async (work) => {
      if (!(await markStopped(work, worker.id, true))) return;
      await onLost(work, worker.id);
      logger.warn({ workerId: worker.id }, "a worker was lost; its runs were put back or ended");
    });
  }
}

/** Whether a worker of this machine is certainly dead: no such process, or one that began after the worker did. */
function isGone(worker: WorkerRow): boolean {
  if (worker.hostname !== hostname()) return false;
  if (!existsSync(`/proc/${worker.pid}`) || worker.pid === process.pid) return true;
  const began = processStart(worker.pid);
  return began !== null && began > worker.started_at.getTime() + 2000;
}

/** When a process began, in milliseconds since 1970; null when it cannot be told. Source: proc(5), field 22 of `stat`. */
function processStart(pid: number): number | null {
  try {
    const ticks = Number(
      readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /, "")
        .split(" ")[19],
    );
    const boot = Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1]);
    return Number.isFinite(ticks + boot) ? boot * 1000 + ticks * 10 : null;
  } catch {
    return null;
  }
}
