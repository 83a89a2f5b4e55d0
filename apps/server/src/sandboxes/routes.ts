import { systemRoutes } from "@syla/contracts/system";
import type { Http } from "../access/http.ts";
import { requirePermission } from "../access/service.ts";
import type { Sandboxes } from "./service.ts";

/** Binds what `syla doctor` and the system page show. */
export function registerSandboxRoutes(http: Http, sandboxes: Sandboxes): void {
  http.bind(systemRoutes.getDoctor, async (_input, call) => {
    requirePermission(call.actor, "server:inspect");
    return await sandboxes.report();
  });
}
