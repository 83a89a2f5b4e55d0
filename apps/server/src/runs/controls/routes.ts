import { runComparisonRoutes } from "@syla/contracts/run-comparison";
import { runControlRoutes } from "@syla/contracts/run-controls";
import type { Http } from "../../access/http.ts";
import { onceKeyOf } from "../../platform/http.ts";
import { answer } from "../../platform/http-call.ts";
import type { RunComparisons } from "../comparison/service.ts";
import type { CountExecution } from "../routes.ts";
import type { Runs } from "../service.ts";
import { collectSecrets, usedSecrets } from "../used-secrets.ts";
import type { RunControls } from "./service.ts";

/** Binds what is done to runs that are there. */
export function registerRunControlRoutes(
  http: Http,
  { runs, controls, comparisons }: { runs: Runs; controls: RunControls; comparisons: RunComparisons },
  countExecution: CountExecution,
): void {
  http.bind(runControlRoutes.rerunRun, async ({ params, headers, body }, call) => {
    await countExecution(call);
    const options = { idempotencyKey: headers["idempotency-key"] ?? null, wait: false, signal: call.signal };
    const changed = Object.keys(body ?? {});
    if (changed.length > 0) call.trail.details = { changed };
    const run = await runs.rerun(call.actor, params.id, body ?? {}, options);
    const workspace = run.workspace === null ? {} : { workspaceId: run.workspace.id };
    call.trail.details = { ...call.trail.details, ...usedSecrets(run), ...workspace };
    return answer(202, run, { location: `/api/v1/runs/${run.id}` });
  });
  http.bind(runControlRoutes.listRunFiles, async ({ params }, call) => ({ items: await runs.files(call.actor, params.id) }));
  http.bind(runControlRoutes.pinRun, async ({ params, body }, call) => {
    call.trail.details = { pinned: body.pinned };
    return await controls.pin(call.actor, params.id, body.pinned);
  });
  http.bind(runControlRoutes.deleteRun, async ({ params }, call) => {
    await controls.delete(call.actor, params.id);
    return answer(204, undefined);
  });
  http.bind(runControlRoutes.bulkRuns, async ({ body }, call) => {
    const used = collectSecrets();
    const result = await controls.bulk(call.actor, body, {
      onRerun: used.note,
      key: onceKeyOf(call.request) ?? null,
      signal: call.signal,
      admit: () => countExecution(call),
    });
    call.trail.details = { action: body.action, runs: result.done, refused: result.refused.length, ...used.details() };
    if (result.done.length === 0) call.trail.nothingChanged = true;
    return result;
  });
  http.bind(runComparisonRoutes.compareRuns, async ({ params }, call) => await comparisons.compare(call.actor, params.id, params.other));
}
