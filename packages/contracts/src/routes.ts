import { accessRoutes } from "./access.ts";
import { accountRoutes } from "./accounts.ts";
import { blobRoutes } from "./blobs.ts";
import { cacheRoutes } from "./cache.ts";
import { runRoutes } from "./runs.ts";
import { runtimeRoutes } from "./runtimes.ts";
import { sandboxRoutes } from "./sandboxes.ts";
import { systemRoutes } from "./system.ts";
import { teamRoutes } from "./teams.ts";
import { workerRoutes } from "./workers.ts";

/** Every HTTP operation of the product, by its name (the OpenAPI `operationId`). */
export const routes = {
  ...systemRoutes,
  ...accountRoutes,
  ...runtimeRoutes,
  ...runRoutes,
  ...blobRoutes,
  ...cacheRoutes,
  ...sandboxRoutes,
  ...workerRoutes,
  ...accessRoutes,
  ...teamRoutes,
};
export type RouteName = keyof typeof routes;
