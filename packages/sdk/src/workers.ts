import type { Queue } from "@syla/contracts/queue";
import type { RouteOutput } from "@syla/contracts/route";
import type { SandboxPool, Worker, workerRoutes } from "@syla/contracts/workers";
import type { CallOptions, Transport } from "./transport.ts";

/** The workers, and the queue that they share. */
export type WorkersReport = RouteOutput<typeof workerRoutes.listWorkers>;

/** The processes that take runs from the queue. For administrators. */
export interface Workers {
  list(options?: CallOptions): Promise<WorkersReport>;
  /** The runs that wait, in their order and why, and those that workers have; of each at most `limit`. */
  queue(limit?: number, options?: CallOptions): Promise<Queue>;
  /** Has one take no more runs: what runs goes on, what has not begun is another one's. */
  drain(id: string, options?: CallOptions): Promise<Worker>;
  /** Has a drained one take runs again. */
  resume(id: string, options?: CallOptions): Promise<Worker>;
}

/** The sandboxes that the server keeps ready. For administrators. */
export interface Pools {
  list(options?: CallOptions): Promise<readonly SandboxPool[]>;
}

export function createWorkers(transport: Transport): Workers {
  return {
    list: (options = {}) => transport.json("listWorkers", options),
    queue: (limit, options = {}) => transport.json("getQueue", { ...options, query: limit === undefined ? {} : { limit } }),
    drain: (id, options = {}) => transport.json("drainWorker", { ...options, params: { id }, repeatable: true }),
    resume: (id, options = {}) => transport.json("resumeWorker", { ...options, params: { id }, repeatable: true }),
  };
}

export function createPools(transport: Transport): Pools {
  return { list: async (options = {}) => (await transport.json("listPools", options)).items };
}
