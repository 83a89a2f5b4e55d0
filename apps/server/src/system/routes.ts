import { AppError } from "@syla/contracts/errors";
import { systemRoutes as routes } from "@syla/contracts/system";
import type { Http } from "../access/http.ts";
import type { Database } from "../platform/database.ts";

/** What the routes of the system look at. */
export interface SystemOptions {
  readonly database: Database;
  readonly version: string;
  readonly isDraining: () => boolean;
}

/** Serves health, readiness and version. */
export function registerSystemRoutes(http: Http, options: SystemOptions): void {
  http.bind(routes.getHealth, () => ({ status: "ok" as const }));
  http.bind(routes.getReady, async () => {
    if (options.isDraining()) throw new AppError("shutting_down", { retryAfter: 5 });
    await options.database.ping();
    return { status: "ready" as const };
  });
  http.bind(routes.getServer, () => ({ name: "syla" as const, version: options.version, apiVersion: "v1" as const }));
}
