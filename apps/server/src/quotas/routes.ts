import { quotaRoutes } from "@syla/contracts/quotas";
import type { Http } from "../access/http.ts";
import type { Quotas } from "./service.ts";

/** Binds what people may use. */
export function registerQuotaRoutes(http: Http, quotas: Quotas): void {
  http.bind(quotaRoutes.listQuotas, async (_input, call) => await quotas.list(call.actor));
  http.bind(quotaRoutes.getQuotas, async ({ params }, call) => await quotas.list(call.actor, params.userId));
  http.bind(quotaRoutes.getKeyQuotas, async ({ params }, call) => await quotas.keys.list(call.actor, params.id));
  http.bind(quotaRoutes.updateKeyQuotas, async ({ params, body }, call) => {
    Object.assign(call.trail, { resourceType: "api_key", resourceId: params.id, details: body });
    return await quotas.keys.change(call.actor, params.id, body);
  });
  http.bind(quotaRoutes.updateQuotas, async ({ params, body }, call) => {
    call.trail.resourceType = "user";
    call.trail.resourceId = params.userId;
    call.trail.details = body;
    return await quotas.change(call.actor, params.userId, body);
  });
}
