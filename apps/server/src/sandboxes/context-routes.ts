import { sandboxContextRoutes } from "@syla/contracts/sandboxes/contexts";
import type { Http } from "../access/http.ts";
import { during } from "../access/service.ts";
import { answerEvents } from "../platform/event-stream.ts";
import { answer } from "../platform/http-call.ts";
import type { LongLivedSandboxes } from "./long-lived.ts";

/** Binds the interpreters of sandboxes. */
export function registerContextRoutes(http: Http, sandboxes: LongLivedSandboxes): void {
  http.bind(sandboxContextRoutes.createContext, async ({ params, body }, call) => {
    const live = await sandboxes.live(call.actor, params.id);
    const meant = (await sandboxes.language(call.actor, params.id)) === "node" ? "javascript" : "python";
    const { language = meant, ...options } = body;
    return answer(201, await live.openContext(language, options));
  });
  http.bind(sandboxContextRoutes.listContexts, async ({ params }, call) => ({
    items: (await sandboxes.live(call.actor, params.id)).contexts(),
  }));
  http.bind(sandboxContextRoutes.runInContext, async ({ params, body }, call) => {
    return await sandboxes.openHeld(call.actor, params.id, call.signal, async (live, hold) => {
      return await answerEvents(during(hold, live.run(params.contextId, body.code, hold.signal)), hold.signal);
    });
  });
  http.bind(sandboxContextRoutes.interruptContext, async ({ params }, call) => {
    (await sandboxes.live(call.actor, params.id)).interrupt(params.contextId);
    return answer(204);
  });
  http.bind(
    sandboxContextRoutes.restartContext,
    async ({ params }, call) => await (await sandboxes.live(call.actor, params.id)).restart(params.contextId),
  );
  http.bind(sandboxContextRoutes.deleteContext, async ({ params }, call) => {
    (await sandboxes.live(call.actor, params.id)).closeContext(params.contextId);
    return answer(204);
  });
}
