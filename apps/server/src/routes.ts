import { registerAccessRoutes } from "./access/routes.ts";
import { registerAccountRoutes } from "./accounts/routes.ts";
import { registerCacheRoutes } from "./cache/routes.ts";
import type { Context } from "./context.ts";
import { registerPreviewRoutes } from "./previews/routes.ts";
import { registerReferenceRoutes } from "./system/reference-routes.ts";
import { registerRunRoutes } from "./runs/routes.ts";
import { registerRuntimeRoutes } from "./runtimes/routes.ts";
import { registerContextRoutes } from "./sandboxes/context-routes.ts";
import { registerSandboxFileRoutes } from "./sandboxes/file-routes.ts";
import { registerPortRoutes } from "./sandboxes/port-routes.ts";
import { registerProcessRoutes } from "./sandboxes/process-routes.ts";
import { registerLongLivedRoutes } from "./sandboxes/sandbox-routes.ts";
import { registerSandboxRoutes } from "./sandboxes/routes.ts";
import { registerSystemRoutes } from "./system/routes.ts";
import { registerTeamRoutes } from "./teams/routes.ts";
import { registerWebRoutes } from "./web/routes.ts";
import { registerWorkerRoutes } from "./workers/routes.ts";

/** Binds every domain's routes. A new domain adds its line here. */
export function registerRoutes(context: Context): void {
  const { http, config, accounts, database, version, state } = context;
  registerSystemRoutes(http, { database, version, isDraining: () => state.draining });
  registerAccountRoutes(http, accounts);
  registerAccessRoutes(http, context.sharing);
  registerTeamRoutes(http, context.teams);
  registerRuntimeRoutes(http, context.runtimes);
  registerSandboxRoutes(http, context.sandboxes);
  registerLongLivedRoutes(http, context.longLived);
  registerProcessRoutes(http, context.longLived);
  registerPortRoutes(http, context.longLived);
  registerSandboxFileRoutes(http, context.longLived);
  registerContextRoutes(http, context.longLived);
  registerPreviewRoutes(http, context.previews);
  registerRunRoutes(http, context.runs, context.blobs, config.uploadLimit);
  registerCacheRoutes(http, context.cache, context.runs);
  registerWorkerRoutes(http, context);
  registerReferenceRoutes(http, { version, publicUrl: config.publicUrl });
  registerWebRoutes(http, { webDir: config.webDir, basePath: config.basePath });
}
