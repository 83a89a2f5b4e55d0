import { systemRoutes, type Check } from "@syla/contracts/system";
import type { Http } from "../access/http.ts";
import { requirePermission } from "../access/service.ts";
import type { Sandboxes } from "./service.ts";

/** Binds what `syla doctor` and the system page show. */
export function registerSandboxRoutes(http: Http, sandboxes: Sandboxes, checkMore: () => readonly Check[]): void {
  http.bind(systemRoutes.getDoctor, async (_input, call) => {
    requirePermission(call.actor, "server:inspect");
    const { checks, tiers } = await sandboxes.report();
    return { checks: [...checks, ...checkMore()], tiers };
  });
}
