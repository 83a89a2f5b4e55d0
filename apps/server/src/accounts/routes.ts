import { accountRoutes as routes } from "@syla/contracts/accounts";
import type { Http } from "../access/http.ts";
import type { Accounts } from "./service.ts";

/** Serves the routes of accounts. */
export function registerAccountRoutes(http: Http, accounts: Accounts): void {
  http.bind(routes.getSetup, ({ query }) => accounts.checkSetup(query.token));
  http.bind(routes.completeSetup, ({ body }, call) => accounts.completeSetup(body, call));
  http.bind(routes.signIn, ({ body }, call) => accounts.signIn(body, call));
  http.bind(routes.signOut, async (_input, call) => {
    await accounts.signOut(call.actor, call);
    return undefined;
  });
  http.bind(routes.listSessions, async (_input, { actor }) => ({ items: await accounts.listSessions(actor) }));
  http.bind(routes.revokeSession, async ({ params }, { actor }) => {
    await accounts.revokeSession(actor, params.id);
    return undefined;
  });
  http.bind(routes.getMe, (_input, { actor }) => accounts.getUser(actor.userId));
  http.bind(routes.listApiKeys, async (_input, { actor }) => ({ items: await accounts.listApiKeys(actor) }));
  http.bind(routes.createApiKey, ({ body }, { actor }) => accounts.createApiKey(actor, body));
  http.bind(routes.deleteApiKey, async ({ params }, { actor }) => {
    await accounts.deleteApiKey(actor, params.id);
    return undefined;
  });
}
