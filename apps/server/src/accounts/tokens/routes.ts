import { tokenRoutes as routes } from "@syla/contracts/tokens";
import type { Http } from "../../access/http.ts";
import type { Tokens } from "./tokens.ts";

/** Serves the routes of tokens. */
export function registerTokenRoutes(http: Http, tokens: Tokens): void {
  http.bind(routes.createToken, async ({ body }, { ip, trail }) => {
    trail.details = { grantType: body.grantType };
    const { pair, userId } = await tokens.createToken(body, ip);
    trail.actorId = userId;
    return pair;
  });
  http.bind(routes.revokeToken, async ({ body }) => {
    await tokens.revokeToken(body.refreshToken);
    return undefined;
  });
}
