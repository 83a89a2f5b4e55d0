import { sandboxRoutes } from "@syla/contracts/sandboxes";
import { sandboxPortRoutes } from "@syla/contracts/sandboxes/ports";
import { sandboxProcessRoutes } from "@syla/contracts/sandboxes/processes";
import type { Http } from "../access/http.ts";
import { during } from "../access/service.ts";
import { answerEvents } from "../platform/event-stream.ts";
import { answer } from "../platform/http-call.ts";
import { exec, streamExec } from "./exec.ts";
import type { LongLivedSandboxes } from "./long-lived.ts";
import type { WorkspaceSandboxes } from "./workspace-sandboxes.ts";

/** Binds long-lived sandboxes and the commands in them. */
export function registerLongLivedRoutes(http: Http, sandboxes: LongLivedSandboxes, inWorkspaces: Pick<WorkspaceSandboxes, "create">): void {
  http.bind(sandboxRoutes.createSandbox, async ({ body }, call) => {
    const { workspaceId } = body;
    const sandbox = await (workspaceId === undefined
      ? sandboxes.create(call.actor, body)
      : inWorkspaces.create(call.actor, { ...body, workspaceId }));
    return answer(201, sandbox, { location: `/api/v1/sandboxes/${sandbox.id}` });
  });
  http.bind(sandboxRoutes.listSandboxes, async ({ query }, call) => await sandboxes.list(call.actor, query));
  http.bind(sandboxRoutes.getSandbox, async ({ params }, call) => await sandboxes.get(call.actor, params.id));
  http.bind(sandboxRoutes.updateSandbox, async ({ params, body }, call) => await sandboxes.update(call.actor, params.id, body));
  http.bind(sandboxRoutes.deleteSandbox, async ({ params }, call) => {
    await sandboxes.delete(call.actor, params.id);
    return answer(204);
  });
  http.bind(sandboxRoutes.pauseSandbox, async ({ params }, call) => await sandboxes.pause(call.actor, params.id));
  http.bind(sandboxRoutes.resumeSandbox, async ({ params }, call) => await sandboxes.resume(call.actor, params.id));
  http.bind(sandboxProcessRoutes.execInSandbox, async ({ params, body }, call) => {
    return await sandboxes.openHeld(call.actor, params.id, call.signal, async (live, hold) => {
      const result = await live.use((session) => exec(session, body, hold.signal));
      hold.release();
      return result;
    });
  });
  http.bind(sandboxProcessRoutes.streamExec, async ({ params, body }, call) => {
    return await sandboxes.openHeld(call.actor, params.id, call.signal, async (live, hold) => {
      const events = live.stream((session) => streamExec(session, body, hold.signal));
      return await answerEvents(during(hold, events), hold.signal);
    });
  });
  http.bind(sandboxRoutes.getSandboxStats, async ({ params }, call) => {
    const live = await sandboxes.live(call.actor, params.id);
    return await live.look((session) => session.stats());
  });
  http.bind(sandboxPortRoutes.listSandboxPorts, async ({ params }, call) => {
    const live = await sandboxes.live(call.actor, params.id);
    return { items: await live.look((session) => session.ports()) };
  });
  http.bind(sandboxRoutes.getSandboxNetwork, async ({ params }, call) => await sandboxes.network(call.actor, params.id));
}
