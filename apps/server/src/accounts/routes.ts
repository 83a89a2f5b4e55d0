import { accountRoutes as routes } from "@syla/contracts/accounts";
import type { Http } from "../access/http.ts";
import { registerApiKeyRoutes } from "./api-keys/routes.ts";
import { registerDeviceLoginRoutes } from "./device-login/routes.ts";
import { registerIdentityRoutes } from "./identities/routes.ts";
import { registerInvitationRoutes } from "./invitations/routes.ts";
import { registerSignUpRoutes } from "./sign-up-routes.ts";
import type { Accounts } from "./service.ts";
import { registerTokenRoutes } from "./tokens/routes.ts";
import { registerTwoFactorRoutes } from "./two-factor/routes.ts";

/** Serves the routes of accounts. */
export function registerAccountRoutes(http: Http, accounts: Accounts): void {
  registerSessionRoutes(http, accounts);
  registerApiKeyRoutes(http, accounts);
  registerSignUpRoutes(http, accounts);
  registerInvitationRoutes(http, accounts);
  registerTwoFactorRoutes(http, accounts);
  registerIdentityRoutes(http, accounts);
  registerTokenRoutes(http, accounts);
  registerDeviceLoginRoutes(http, accounts);
}

function registerSessionRoutes(http: Http, accounts: Accounts): void {
  http.bind(routes.getSetup, ({ query }) => accounts.checkSetup(query.token));
  http.bind(routes.completeSetup, async ({ body }, call) => {
    const me = await accounts.completeSetup(body, call);
    call.trail.actorId = me.id;
    return me;
  });
  http.bind(routes.signIn, async ({ body }, call) => {
    const me = await accounts.signIn(body, call);
    call.trail.actorId = me.id;
    return me;
  });
  http.bind(routes.signOut, async (_input, call) => {
    await accounts.signOut(call.actor, call);
    return undefined;
  });
  http.bind(routes.listSessions, async (_input, { actor }) => ({ items: await accounts.listSessions(actor) }));
  http.bind(routes.revokeSession, async ({ params }, { actor }) => {
    await accounts.revokeSession(actor, params.id);
    return undefined;
  });
  http.bind(routes.getMe, (_input, { actor }) => accounts.getMe(actor.userId));
  http.bind(routes.updateMe, ({ body }, { actor }) => accounts.updateMe(actor.userId, body));
  http.bind(routes.changePassword, async ({ body }, { actor, ip }) => {
    await accounts.changePassword(actor, body, ip);
    return undefined;
  });
}
