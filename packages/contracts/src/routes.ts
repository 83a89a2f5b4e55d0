import { accessRoutes } from "./access.ts";
import { accountRoutes } from "./accounts.ts";
import { apiKeyRoutes } from "./api-keys.ts";
import { adminRoutes } from "./admin.ts";
import { auditRoutes } from "./audit.ts";
import { blobRoutes } from "./blobs.ts";
import { cacheRoutes } from "./cache.ts";
import { deviceLoginRoutes } from "./device-login.ts";
import { identityRoutes } from "./identities.ts";
import { notificationRoutes } from "./notifications.ts";
import { quotaRoutes } from "./quotas.ts";
import { runRoutes } from "./runs.ts";
import { runtimeRoutes } from "./runtimes.ts";
import { sandboxRoutes } from "./sandboxes.ts";
import { signUpRoutes } from "./sign-up.ts";
import { systemRoutes } from "./system.ts";
import { teamRoutes } from "./teams.ts";
import { twoFactorRoutes } from "./two-factor.ts";
import { tokenRoutes } from "./tokens.ts";
import { usageRoutes } from "./usage.ts";
import { workerRoutes } from "./workers.ts";

/** Every HTTP operation of the product, by its name (the OpenAPI `operationId`). */
export const routes = {
  ...systemRoutes,
  ...accountRoutes,
  ...apiKeyRoutes,
  ...signUpRoutes,
  ...twoFactorRoutes,
  ...deviceLoginRoutes,
  ...identityRoutes,
  ...tokenRoutes,
  ...runtimeRoutes,
  ...runRoutes,
  ...blobRoutes,
  ...cacheRoutes,
  ...sandboxRoutes,
  ...workerRoutes,
  ...accessRoutes,
  ...teamRoutes,
  ...notificationRoutes,
  ...adminRoutes,
  ...auditRoutes,
  ...quotaRoutes,
  ...usageRoutes,
};
export type RouteName = keyof typeof routes;
