import type { RouteOutput } from "@syla/contracts/route";
import type { SandboxPool, workerRoutes } from "@syla/contracts/workers";
import type { CallOptions, Transport } from "./transport.ts";

/** The workers, and the queue that they share. */
export type WorkersReport = RouteOutput<typeof workerRoutes.listWorkers>;

/** The processes that take runs from the queue. For administrators. */
export interface Workers {
  list(options?: CallOptions): Promise<WorkersReport>;
}

/** The sandboxes that the server keeps ready. For administrators. */
export interface Pools {
  list(options?: CallOptions): Promise<readonly SandboxPool[]>;
}

export function createWorkers(transport: Transport): Workers {
  return { list: (options = {}) => transport.json("listWorkers", options) };
}

export function createPools(transport: Transport): Pools {
  return { list: async (options = {}) => (await transport.json("listPools", options)).items };
}
