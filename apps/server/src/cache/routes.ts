import { cacheRoutes } from "@syla/contracts/cache";
import type { Http } from "../access/http.ts";
import type { Runs } from "../runs/service.ts";
import type { ResultCache } from "./service.ts";

/** Binds what a person may see and do of the results that are kept for them. */
export function registerCacheRoutes(http: Http, cache: ResultCache, runs: Runs): void {
  http.bind(cacheRoutes.getCache, async (_input, call) => {
    await runs.allRecorded();
    return await cache.stats(call.actor);
  });
  http.bind(cacheRoutes.clearCache, async ({ query }, call) => ({ cleared: await cache.clear(call.actor, query.runId ?? null) }));
}
