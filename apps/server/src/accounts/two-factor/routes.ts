import { twoFactorRoutes as routes } from "@syla/contracts/two-factor";
import type { Http } from "../../access/http.ts";
import type { TwoFactor } from "./two-factor.ts";

/** Serves the routes of the second factor. */
export function registerTwoFactorRoutes(http: Http, twoFactor: TwoFactor): void {
  http.bind(routes.getTwoFactor, (_input, { actor }) => twoFactor.getTwoFactor(actor));
  http.bind(routes.beginTwoFactor, ({ body }, { actor, ip }) => twoFactor.beginTwoFactor(actor, body.password, ip));
  http.bind(routes.confirmTwoFactor, ({ body }, { actor, ip }) => twoFactor.confirmTwoFactor(actor, body.code, ip));
  http.bind(routes.renewRecoveryCodes, ({ body }, { actor, ip }) => twoFactor.renewRecoveryCodes(actor, body, ip));
  http.bind(routes.disableTwoFactor, async ({ body }, { actor, ip }) => {
    await twoFactor.disableTwoFactor(actor, body, ip);
    return undefined;
  });
}
