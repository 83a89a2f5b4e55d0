import { accountRoutes } from "./accounts.ts";
import { auditRoutes } from "./audit.ts";
import { blobRoutes } from "./blobs.ts";
import { cacheRoutes } from "./cache.ts";
import { quotaRoutes } from "./quotas.ts";
import { runRoutes } from "./runs.ts";
import { runtimeRoutes } from "./runtimes.ts";
import { sandboxRoutes } from "./sandboxes.ts";
import { systemRoutes } from "./system.ts";
import { usageRoutes } from "./usage.ts";
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
  ...auditRoutes,
  ...quotaRoutes,
  ...usageRoutes,
};
export type RouteName = keyof typeof routes;
