import { usageRoutes } from "@syla/contracts/usage";
import type { Http } from "../access/http.ts";
import type { Database } from "../platform/database.ts";
import { readUsage } from "./service.ts";

/** Binds what was used. */
export function registerUsageRoutes(http: Http, database: Database): void {
  http.bind(usageRoutes.getUsage, async ({ query }, call) => await readUsage(database, call.actor, query));
}
