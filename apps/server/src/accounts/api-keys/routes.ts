import { apiKeyRoutes as routes } from "@syla/contracts/api-keys";
import type { Http } from "../../access/http.ts";
import type { ApiKeys } from "./api-keys.ts";

/** Serves the routes of API keys. */
export function registerApiKeyRoutes(http: Http, keys: ApiKeys): void {
  http.bind(routes.listApiKeys, async ({ query }, { actor }) => ({ items: await keys.listApiKeys(actor, query.userId) }));
  http.bind(routes.listApiKeyScopes, () => ({ items: keys.listApiKeyScopes() }));
  http.bind(routes.createApiKey, ({ body }, { actor }) => keys.createApiKey(actor, body));
  http.bind(routes.deleteApiKey, async ({ params }, { actor }) => {
    await keys.deleteApiKey(actor, params.id);
    return undefined;
  });
}
