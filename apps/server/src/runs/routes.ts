import type { Readable } from "node:stream";
import { AppError } from "@syla/contracts/errors";
import { blobRoutes } from "@syla/contracts/blobs";
import { isFinal, runRoutes, type ProgramRunInput, type Requeued, type RequeueInput, type Run } from "@syla/contracts/runs";
import type { Actor } from "../access/actor.ts";
import type { Http } from "../access/http.ts";
import type { BlobRef, Blobs } from "../platform/blobs.ts";
import { attachment } from "../platform/content-answer.ts";
import { answerEncoded } from "../platform/event-stream.ts";
import { answer, parentOf, type Call } from "../platform/http-call.ts";
import { requireRate } from "../platform/rate-limit.ts";
import type { Quotas } from "../quotas/service.ts";
import type { Runs, SubmitOptions } from "./service.ts";
import type { RequeueSteps } from "./requeue.ts";
import { collectSecrets, usedSecrets } from "./used-secrets.ts";

/** Binds runs, their logs and artifacts, and uploads. */
export function registerRunRoutes(
  http: Http,
  runs: Runs,
  programs: { submit(actor: Actor, input: ProgramRunInput, options: SubmitOptions): Promise<Run> },
  blobs: Blobs,
  quotas: Quotas,
  uploadLimit: number,
  requeue: (actor: Actor, input: RequeueInput, steps: RequeueSteps) => Promise<Requeued>,
): void {
  const countExecution = executionCounter(quotas);
  http.bind(runRoutes.createExecution, async ({ body, query, headers }, call) => {
    await countExecution(call);
    if (body.workspaceId !== undefined) call.trail.details = { workspaceId: body.workspaceId };
    const run = await runs.submit(call.actor, body, submitOptions(call, headers, query.wait));
    if (run.cached) call.trail.nothingChanged = true;
    return answer(isFinal(run.status) ? 200 : 202, run, { location: `/api/v1/runs/${run.id}` });
  });
  http.bind(runRoutes.createRun, async ({ body, query, headers }, call) => {
    await countExecution(call);
    const options = submitOptions(call, headers, query.wait);
    if ("programId" in body) call.trail.details = { programId: body.programId };
    else if (body.workspaceId !== undefined) call.trail.details = { workspaceId: body.workspaceId };
    const run = "programId" in body ? await programs.submit(call.actor, body, options) : await runs.submit(call.actor, body, options);
    call.trail.details = { ...call.trail.details, ...usedSecrets(run) };
    if (run.cached) call.trail.nothingChanged = true;
    return answer(query.wait && isFinal(run.status) ? 200 : 202, run, { location: `/api/v1/runs/${run.id}` });
  });
  http.bind(runRoutes.requeueRuns, async ({ body }, call) => {
    const used = collectSecrets();
    const answered = await requeue(call.actor, body, { admit: () => countExecution(call), onRerun: used.note });
    const runIds = answered.requeued.map(({ runId }) => runId);
    call.trail.details = { runs: runIds, refused: answered.refused.length, owner: body.owner, ...used.details() };
    return answered;
  });
  http.bind(runRoutes.listRuns, async ({ query }, call) => await runs.list(call.actor, query));
  http.bind(runRoutes.getRun, async ({ params }, call) => await runs.get(call.actor, params.id));
  http.bind(runRoutes.waitRun, async ({ params, query }, call) => {
    const enough = AbortSignal.any([call.signal, AbortSignal.timeout(query.seconds * 1000)]);
    return await runs.wait(call.actor, params.id, enough);
  });
  http.bind(runRoutes.getTestReport, async ({ params }, call) => await runs.testReport(call.actor, params.id));
  http.bind(runRoutes.updateRun, async ({ params, body }, call) => await runs.setVisibility(call.actor, params.id, body.visibility));
  http.bind(runRoutes.cancelRun, async ({ params }, call) => await runs.cancel(call.actor, params.id));
  bindStreams(http, runs, blobs);
  http.bind(blobRoutes.findMissingBlobs, async ({ body }, call) => {
    call.trail.nothingChanged = true;
    const known = await runs.uploadSizes(call.actor.userId, body.sha256);
    return { missing: [...new Set(body.sha256)].filter((sha256) => !known.has(sha256)) };
  });
  http.bind(blobRoutes.uploadBlob, async ({ body }, call) => {
    const room = await quotas.storageRoom(call.actor, Number(call.request.headers["content-length"] ?? uploadLimit));
    const { sha256, size } = await storeUpload(blobs, body as Readable, Math.min(uploadLimit, room)).catch(async (error: unknown) => {
      const isOverQuota = room < uploadLimit && error instanceof AppError && error.code === "payload_too_large";
      throw isOverQuota ? await quotas.storageExceeded(call.actor) : error;
    });
    await runs.recordUpload(call.actor, sha256, size);
    return answer(201, { sha256, size });
  });
}

/** Counts what is about to run against the rate of whoever asks. @throws AppError `rate_limited` */
export type CountExecution = (call: Call<Actor>) => Promise<void>;

export function executionCounter(quotas: Quotas): CountExecution {
  return async ({ actor, reply }) => {
    const counted = await quotas.countExecution(actor);
    if (counted !== null) requireRate(counted.state, reply, counted.quota);
  };
}

/** How a submission is wanted. The signal costs a listener, so it is made when somebody has to wait. */
export function submitOptions(call: Call<unknown>, headers: { "idempotency-key"?: string | undefined }, wait: boolean): SubmitOptions {
  return {
    idempotencyKey: headers["idempotency-key"] ?? null,
    wait,
    get trace() {
      const requestMs = Math.round(call.reply.elapsedTime * 100) / 100;
      return { traceId: null, parentId: null, ...parentOf(call.request.headers.traceparent), requestMs };
    },
    get signal() {
      return call.signal;
    },
  };
}

/** After a refusal the rest is read and dropped: else the connection would be stuck for the client's next request. */
async function storeUpload(blobs: Blobs, upload: Readable, maxBytes: number): Promise<BlobRef> {
  try {
    return await blobs.putStream(upload.iterator({ destroyOnReturn: false }), { maxBytes });
  } finally {
    upload.resume();
  }
}

function bindStreams(http: Http, runs: Runs, blobs: Blobs): void {
  http.bind(runRoutes.streamRun, async ({ params, headers }, call) => {
    const { actor, signal } = call;
    return await answerEncoded(runs.follow(actor, params.id, Number(headers["last-event-id"] ?? 0), signal), signal);
  });
  http.bind(runRoutes.getRunNetwork, async ({ params }, call) => await runs.network(call.actor, params.id));
  http.bind(runRoutes.listRunTransitions, async ({ params }, call) => ({ items: await runs.transitions(call.actor, params.id) }));
  http.bind(runRoutes.getRunTrace, async ({ params }, call) => await runs.trace(call.actor, params.id));
  http.bind(runRoutes.readRunFile, async ({ params, query }, call) => {
    const sha256 = await runs.input(call.actor, params.id, query.path);
    return answer(
      200,
      sha256 === null ? Buffer.alloc(0) : await blobs.open(sha256),
      attachment(query.path.split("/").at(-1) ?? "file", "application/octet-stream"),
    );
  });
  http.bind(runRoutes.readRunStdin, async ({ params }, call) => {
    const sha256 = await runs.input(call.actor, params.id, null);
    return answer(200, sha256 === null ? Buffer.alloc(0) : await blobs.open(sha256), attachment("stdin", "application/octet-stream"));
  });
}
