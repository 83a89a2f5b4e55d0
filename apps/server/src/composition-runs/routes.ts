import { compositionRunRoutes } from "@syla/contracts/composition-runs";
import { nodeRunRoutes } from "@syla/contracts/node-runs";
import { isFinal } from "@syla/contracts/runs";
import type { Actor } from "../access/actor.ts";
import type { Http } from "../access/http.ts";
import type { Blobs } from "../platform/blobs.ts";
import { attachment, contentAnswer } from "../platform/content-answer.ts";
import { answer, type Call } from "../platform/http-call.ts";
import { usedSecrets, type SubmitOptions } from "../runs/service.ts";
import type { RunNodes } from "./run-nodes.ts";
import type { CompositionRuns } from "./service.ts";

/** What binding takes. */
interface CompositionRunRoutes {
  readonly compositionRuns: CompositionRuns;
  readonly runNodes: RunNodes;
  readonly blobs: Blobs;
  /** Counts what is about to run against the rate of whoever asks. */
  readonly count: (call: Call<Actor>) => Promise<void>;
  /** How a submission is wanted. */
  readonly optionsOf: (call: Call<Actor>, headers: { "idempotency-key"?: string | undefined }, wait: boolean) => SubmitOptions;
}

/** Binds runs of compositions, and the nodes of these. */
export function registerCompositionRunRoutes(
  http: Http,
  { compositionRuns, runNodes, blobs, count, optionsOf }: CompositionRunRoutes,
): void {
  http.bind(compositionRunRoutes.runComposition, async ({ params, body, query, headers }, call) => {
    await count(call);
    call.trail.details = { compositionId: params.id };
    const run = await compositionRuns.submit(call.actor, params.id, body, optionsOf(call, headers, query.wait));
    call.trail.details = { ...call.trail.details, ...usedSecrets(run) };
    return answer(query.wait && isFinal(run.status) ? 200 : 202, run, { location: `/api/v1/runs/${run.id}` });
  });
  http.bind(nodeRunRoutes.listRunNodes, async ({ params }, call) => await runNodes.list(call.actor, params.id));
  http.bind(nodeRunRoutes.listStaleRunNodes, async ({ params, body }, call) => {
    call.trail.nothingChanged = true;
    return { paths: await compositionRuns.stale(call.actor, params.id, body.graph) };
  });
  http.bind(nodeRunRoutes.readRunNodeValue, async ({ params, query, headers }, call) => {
    const value = await runNodes.value(call.actor, params.id, query.path, query.side);
    const told = attachment(`${query.side}.json`, "application/json");
    return "json" in value ? answer(200, Buffer.from(value.json), told) : await contentAnswer(blobs, value, headers, call.reply, told);
  });
  http.bind(nodeRunRoutes.listApprovals, async ({ query }, call) => await runNodes.approvals(call.actor, query));
  http.bind(nodeRunRoutes.decideRunNode, async ({ params, body }, call) => {
    call.trail.details = { path: body.path, approved: body.approved };
    return await runNodes.decide(call.actor, params.id, body);
  });
}
