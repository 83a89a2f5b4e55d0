import { usageRoutes } from "@syla/contracts/usage";
import type { Http } from "../access/http.ts";
import type { Database } from "../platform/database.ts";
import { answer } from "../platform/http-call.ts";
import { exportGroups, readGroups, readUsage, recountUsage } from "./service.ts";

/** Binds what was used. */
export function registerUsageRoutes(http: Http, database: Database): void {
  http.bind(usageRoutes.getUsage, async ({ query }, call) => await readUsage(database, call.actor, query));
  http.bind(usageRoutes.listUsageGroups, async ({ query }, call) => await readGroups(database, call.actor, query));
  http.bind(usageRoutes.exportUsageGroups, async ({ query }, call) =>
    answer(200, Buffer.from(await exportGroups(database, call.actor, query)), {
      "content-type": "text/csv; charset=utf-8",
      "content-disposition": `attachment; filename="usage-by-${query.by}.csv"`,
      "cache-control": "private, no-store",
    }),
  );
  http.bind(usageRoutes.recountUsage, async (_input, call) => {
    const recounted = await recountUsage(database);
    call.trail.details = recounted;
    return recounted;
  });
}
