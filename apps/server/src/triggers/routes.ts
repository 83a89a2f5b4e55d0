import type { Readable } from "node:stream";
import { AppError } from "@syla/contracts/errors";
import { isFinal, type Run } from "@syla/contracts/runs";
import { triggerRoutes as routes } from "@syla/contracts/triggers";
import type { Http } from "../access/http.ts";
import { answer } from "../platform/http-call.ts";
import { readRevision, withEtag } from "../platform/revision.ts";
import { usedSecrets } from "../runs/service.ts";
import type { Triggers } from "./service.ts";

const mostBytes = 1024 * 1024;

/** Binds triggers, and the calls that come from outside. */
export function registerTriggerRoutes(http: Http, triggers: Triggers): void {
  http.bind(routes.listTriggers, ({ query }, { actor }) => triggers.list(actor, query));
  http.bind(routes.createTrigger, async ({ body }, call) => {
    call.trail.details = { name: body.name, programId: body.programId, auth: body.auth };
    return await triggers.create(call.actor, body);
  });
  http.bind(routes.getTrigger, async ({ params }, { actor }) => withEtag(await triggers.get(actor, params.id)));
  http.bind(routes.updateTrigger, async ({ params, headers, body }, call) => {
    call.trail.details = { changed: Object.keys(body) };
    return withEtag(await triggers.update(call.actor, params.id, body, readRevision(headers)));
  });
  http.bind(routes.deleteTrigger, async ({ params }, { actor }) => {
    await triggers.delete(actor, params.id);
    return answer(204);
  });
  http.bind(routes.rotateTrigger, ({ params }, { actor }) => triggers.rotate(actor, params.id));
  http.bind(routes.listTriggerCalls, ({ params, query }, { actor }) => triggers.calls(actor, params.id, query));
  http.bind(routes.callTrigger, async ({ params, query, body }, call) => {
    call.trail.resourceId = params.id;
    let secrets: ReturnType<typeof usedSecrets> = {};
    const received = {
      headers: call.request.headers,
      body: await readBody(body as Readable | undefined),
      ip: call.ip,
      waitSeconds: query.wait,
      signal: call.signal,
      onStarted: (run: Run) => void (secrets = usedSecrets(run)),
    };
    const given = await triggers.call(params.id, received);
    call.trail.details = { runId: given.runId, duplicate: given.duplicate, ...secrets };
    return answer(query.wait > 0 && given.status !== null && isFinal(given.status) ? 200 : 202, given, { "cache-control": "no-store" });
  });
}

/** What is too much is read and dropped: else the connection would be stuck for the caller's next request. */
async function readBody(stream: Readable | undefined): Promise<Buffer> {
  if (stream === undefined || stream === null) return Buffer.alloc(0);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > mostBytes) throw new AppError("payload_too_large", { message: "The body of a call may be 1 MiB long." });
      chunks.push(chunk);
    }
  } finally {
    stream.resume();
  }
  return Buffer.concat(chunks);
}
