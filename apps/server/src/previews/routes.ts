import { sandboxPortRoutes } from "@syla/contracts/sandboxes/ports";
import type { Http } from "../access/http.ts";
import { answer } from "../platform/http-call.ts";
import type { Previews } from "./service.ts";

/** Binds the making and ending of previews. */
export function registerPreviewRoutes(http: Http, previews: Previews): void {
  http.bind(sandboxPortRoutes.openPreview, async ({ params, body }, call) =>
    answer(201, await previews.open(call.actor, params.id, params.port, body.lastsMs)),
  );
  http.bind(sandboxPortRoutes.revokePreview, async ({ params }, call) => {
    await previews.revoke(call.actor, params.id, params.port);
    return answer(204);
  });
}
