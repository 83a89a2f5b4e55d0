import { analysisRoutes } from "@syla/contracts/analysis";
import type { Http } from "../../access/http.ts";
import { requireRate } from "../../platform/rate-limit.ts";
import type { Quotas } from "../../quotas/service.ts";
import type { Analyses } from "./service.ts";

/** Binds the analysis of trees. It counts as an execution. */
export function registerAnalysisRoutes(http: Http, analyses: Analyses, quotas: Pick<Quotas, "countExecution">): void {
  http.bind(analysisRoutes.createAnalysis, async ({ body }, call) => {
    const counted = await quotas.countExecution(call.actor);
    if (counted !== null) requireRate(counted.state, call.reply, counted.quota);
    const analysis = await analyses.analyse(call.actor, body.files, call.signal);
    if (analysis.cached) call.trail.nothingChanged = true;
    return analysis;
  });
  http.bind(analysisRoutes.getAnalysis, async ({ params }, call) => await analyses.get(call.actor, params.id));
}
