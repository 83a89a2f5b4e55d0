import { usageRoutes } from "@syla/contracts/usage";
import type { Http } from "../access/http.ts";
import { answer } from "../platform/http-call.ts";
import { exportGroups, readGroups, readUsage, recountUsage, type UsageContext } from "./service.ts";

/** Binds what was used. */
export function registerUsageRoutes(http: Http, context: UsageContext): void {
  http.bind(usageRoutes.getUsage, async ({ query }, call) => await readUsage(context, call.actor, query));
  http.bind(usageRoutes.listUsageGroups, async ({ query }, call) => await readGroups(context, call.actor, query));
  http.bind(usageRoutes.exportUsageGroups, async ({ query }, call) =>
    answer(200, Buffer.from(await exportGroups(context, call.actor, query)), {
      "content-type": "text/csv; charset=utf-8",
      "content-disposition": `attachment; filename="usage-by-${query.by}.csv"`,
      "cache-control": "private, no-store",
    }),
  );
  http.bind(usageRoutes.recountUsage, async (_input, call) => {
    const recounted = await recountUsage(context);
    call.trail.details = recounted;
    return recounted;
  });
}
