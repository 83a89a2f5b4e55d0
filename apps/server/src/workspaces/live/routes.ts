import { workspaceLiveRoutes } from "@syla/contracts/workspace-live";
import type { Http } from "../../access/http.ts";
import { during } from "../../access/service.ts";
import { answerEvents } from "../../platform/event-stream.ts";
import type { LiveWorkspaces } from "./service.ts";

/** Binds what people edit together. */
export function registerLiveRoutes(http: Http, live: LiveWorkspaces): void {
  http.bind(
    workspaceLiveRoutes.openLiveDocument,
    async ({ params, query }, call) => await live.document(call.actor, params.id, query.path),
  );
  http.bindSocket(workspaceLiveRoutes.joinWorkspace, async ({ params }, call) => {
    const serve = await live.join(call.actor, params.id, call.signal);
    return async (socket) => serve(socket);
  });
  http.bind(workspaceLiveRoutes.followWorkspace, async ({ params }, call) => {
    const { hold, events } = await live.follow(call.actor, params.id, call.signal);
    return await answerEvents(during(hold, events), hold.signal);
  });
}
