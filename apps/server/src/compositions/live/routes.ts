import { compositionLiveRoutes } from "@syla/contracts/composition-live";
import type { Http } from "../../access/http.ts";
import type { LiveCompositions } from "./service.ts";

/** Binds what people draw together. */
export function registerLiveCompositionRoutes(http: Http, live: LiveCompositions): void {
  http.bind(compositionLiveRoutes.openCompositionDocument, async ({ params }, call) => await live.document(call.actor, params.id));
  http.bindSocket(compositionLiveRoutes.joinComposition, async ({ params }, call) => {
    const serve = await live.join(call.actor, params.id, call.signal);
    return async (socket) => serve(socket);
  });
}
