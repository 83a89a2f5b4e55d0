import { deviceLoginRoutes as routes } from "@syla/contracts/device-login";
import type { Http } from "../../access/http.ts";
import type { Accounts } from "../service.ts";

/** Serves the routes of signing in a device. */
export function registerDeviceLoginRoutes(http: Http, accounts: Accounts): void {
  http.bind(routes.createDeviceCode, ({ body }, { ip }) => accounts.createDeviceCode(body.clientName, ip));
  http.bind(routes.redeemDeviceCode, async ({ body }, { trail }) => {
    const { userId, ...key } = await accounts.redeemDeviceCode(body.deviceCode);
    trail.actorId = userId;
    return { ...key, user: await accounts.getMe(userId) };
  });
  http.bind(routes.getDeviceRequest, ({ params }, { actor }) => accounts.getDeviceRequest(actor, params.userCode));
  http.bind(routes.decideDeviceRequest, async ({ params, body }, { actor }) => {
    await accounts.decideDeviceRequest(actor, params.userCode, body.approve);
    return undefined;
  });
}
