import { programAnalysisRoutes } from "@syla/contracts/program-analysis";
import type { Http } from "../../../access/http.ts";
import { answer } from "../../../platform/http-call.ts";
import { requireRate } from "../../../platform/rate-limit.ts";
import type { Quotas } from "../../../quotas/service.ts";
import type { KeptAnalyses } from "./service.ts";

/** Binds what programs are. Looking for it counts as an execution, reading it does not. */
export function registerProgramAnalysisRoutes(http: Http, analyses: KeptAnalyses, quotas: Pick<Quotas, "countExecution">): void {
  http.bind(
    programAnalysisRoutes.getProgramAnalysis,
    async ({ params, query }, call) => await analyses.get(call.actor, params.id, query.version),
  );
  http.bind(programAnalysisRoutes.analyseProgram, async ({ params, body }, call) => {
    const { began, analysis } = await analyses.begin(call.actor, params.id, body.version, async () => {
      const counted = await quotas.countExecution(call.actor);
      if (counted !== null) requireRate(counted.state, call.reply, counted.quota);
    });
    if (!began) call.trail.nothingChanged = true;
    return answer(202, analysis);
  });
}
