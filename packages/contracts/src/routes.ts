import { accountRoutes } from "./accounts.ts";
import { adminRoutes } from "./admin.ts";
import { blobRoutes } from "./blobs.ts";
import { cacheRoutes } from "./cache.ts";
import { notificationRoutes } from "./notifications.ts";
import { runRoutes } from "./runs.ts";
import { runtimeRoutes } from "./runtimes.ts";
import { sandboxRoutes } from "./sandboxes.ts";
import { systemRoutes } from "./system.ts";
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
  ...notificationRoutes,
  ...adminRoutes,
};
export type RouteName = keyof typeof routes;
