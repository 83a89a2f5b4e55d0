import { queueRoutes } from "@syla/contracts/queue";
import { runTotalRoutes } from "@syla/contracts/run-totals";
import type { Http } from "../access/http.ts";
import type { Database } from "../platform/database.ts";
import type { Quotas } from "../quotas/service.ts";
import type { Runs } from "./service.ts";
import { readRunTotals } from "./totals/service.ts";
import { createRanking } from "./waiting/ranking.ts";
import { explainWait, readQueue } from "./waiting/service.ts";

/** Binds what is said of many runs together: what they come to, and the queue. */
export function registerRunOverviewRoutes(http: Http, context: { database: Database; quotas: Quotas; runs: Runs }): void {
  const ranking = createRanking(context.database.queries);
  http.bind(runTotalRoutes.summarizeRuns, async ({ query }, call) => await readRunTotals(context, call.actor, query));
  http.bind(queueRoutes.getQueue, async ({ query }, call) => await readQueue(context, call.actor, query.limit));
  http.bind(queueRoutes.explainWait, async ({ params }, call) => await explainWait({ ...context, ranking }, call.actor, params.id));
}
