import { workerRoutes } from "@syla/contracts/workers";
import type { Actor } from "../access/actor.ts";
import type { Http } from "../access/http.ts";
import { requirePermission } from "../access/service.ts";
import type { Accounts } from "../accounts/service.ts";
import type { Database } from "../platform/database.ts";
import type { Sandboxes } from "../sandboxes/service.ts";
import { describePools, describeWorkers, drainWorker } from "./overview.ts";

/** What the routes of the workers look at. */
export interface WorkerRoutesOptions {
  readonly database: Database;
  readonly accounts: Pick<Accounts, "findUsers">;
  readonly sandboxes: Pick<Sandboxes, "pools">;
  readonly workerId: string;
}

/** Binds what administrators see of the workers and their pools. */
export function registerWorkerRoutes(http: Http, { database, accounts, sandboxes, workerId }: WorkerRoutesOptions): void {
  http.bind(workerRoutes.listWorkers, async (_input, call) => {
    requirePermission(call.actor, "worker:list-all");
    return await describeWorkers(database, workerId);
  });
  const setDrained = async (actor: Actor, id: string, isDrained: boolean) => {
    requirePermission(actor, "worker:manage");
    return await drainWorker(database, id, isDrained, workerId);
  };
  http.bind(workerRoutes.drainWorker, async ({ params }, call) => await setDrained(call.actor, params.id, true));
  http.bind(workerRoutes.resumeWorker, async ({ params }, call) => await setDrained(call.actor, params.id, false));
  http.bind(workerRoutes.listPools, async (_input, call) => {
    requirePermission(call.actor, "worker:list-all");
    return { items: await describePools(sandboxes, accounts) };
  });
}
