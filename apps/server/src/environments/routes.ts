import { Readable } from "node:stream";
import { environmentRoutes, type ProgramSandbox } from "@syla/contracts/environments";
import type { Http } from "../access/http.ts";
import type { Blobs } from "../platform/blobs.ts";
import { answer } from "../platform/http-call.ts";
import { answerEvents } from "../platform/event-stream.ts";
import type { ProgramSandboxes } from "../sandboxes/program-sandboxes.ts";
import type { Environments } from "./service.ts";

/** Binds the built dependencies of programs. */
export function registerEnvironmentRoutes(http: Http, environments: Environments, sandboxes: ProgramSandboxes, blobs: Blobs): void {
  http.bind(environmentRoutes.listEnvironments, async ({ query }, call) => await environments.list(call.actor, query));
  http.bind(environmentRoutes.getEnvironment, async ({ params }, call) => await environments.get(call.actor, params.id));
  http.bind(environmentRoutes.buildEnvironment, async ({ params, body }, call) =>
    answer(202, await environments.build(call.actor, params.id, body.again)),
  );
  http.bind(
    environmentRoutes.warmEnvironment,
    async ({ params, body }, call) => await environments.keepWarm(call.actor, params.id, body.keep),
  );
  http.bind(environmentRoutes.deleteEnvironment, async ({ params }, call) => {
    await environments.delete(call.actor, params.id);
    return answer(204);
  });
  http.bind(environmentRoutes.getEnvironmentStorage, async (_input, call) => await environments.storage(call.actor));
  http.bind(
    environmentRoutes.getProgramEnvironment,
    async ({ params, query }, call) => await environments.forProgram(call.actor, params.id, query.version),
  );
  http.bind(environmentRoutes.buildProgramEnvironment, async ({ params, body }, call) =>
    answer(202, await environments.buildForProgram(call.actor, params.id, body)),
  );
  http.bind(
    environmentRoutes.getProgramSandbox,
    async ({ params, query }, call) => await sandboxes.get(call.actor, params.id, query.version),
  );
  http.bind(environmentRoutes.startProgramSandbox, async ({ params, body }, call) => {
    const { isNew, document } = await sandboxes.start(call.actor, params.id, body);
    if (isNew) Object.assign(call.trail, { resourceType: "asset", resourceId: params.id, details: openedIn(document) });
    else call.trail.nothingChanged = true;
    return answer(isNew ? 202 : 200, document);
  });
  http.bind(environmentRoutes.streamEnvironment, async ({ params, headers }, call) =>
    answerEvents(environments.follow(call.actor, params.id, Number(headers["last-event-id"] ?? 0), call.signal), call.signal),
  );
  http.bind(environmentRoutes.downloadEnvironmentLog, async ({ params }, call) => {
    await environments.get(call.actor, params.id);
    return answer(200, Readable.from(environments.log(call.actor, params.id)), asText(`${params.id}.log`));
  });
  http.bind(environmentRoutes.downloadEnvironmentLock, async ({ params }, call) =>
    answer(200, await blobs.open(await environments.lock(call.actor, params.id)), asText(`${params.id}.lock`)),
  );
}

/** What the audit trail says of an environment that was opened: which one, and which secrets are in it. */
function openedIn({ sandbox }: ProgramSandbox): Record<string, unknown> {
  const { version = null, secretVariables = [] } = sandbox?.program ?? {};
  return { sandboxId: sandbox?.id, version, secrets: secretVariables };
}

/** Never shown in the page's own origin: packages' programs write what they like. */
export function asText(name: string): Record<string, string> {
  return {
    "content-type": "text/plain; charset=utf-8",
    "content-disposition": `attachment; filename="${name}"`,
    "content-security-policy": "sandbox; default-src 'none'",
    "cache-control": "private, no-store",
  };
}
