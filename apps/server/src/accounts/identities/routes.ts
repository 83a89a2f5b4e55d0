import { identityRoutes as routes } from "@syla/contracts/identities";
import type { Http } from "../../access/http.ts";
import { answer } from "../../platform/http-call.ts";
import { toAppError } from "../../platform/http-problem.ts";
import type { Identities } from "./identities.ts";

/** Serves the routes of signing in by an account elsewhere. */
export function registerIdentityRoutes(http: Http, identities: Identities): void {
  http.bind(routes.listIdentityProviders, () => ({ items: identities.listIdentityProviders() }));
  http.bind(routes.startProviderSignIn, async ({ params, query }, call) =>
    answer(302, undefined, { location: await identities.startProviderSignIn(params.provider, query.returnTo, call) }),
  );
  http.bind(routes.finishProviderSignIn, async ({ params }, call) => {
    call.trail.details = { provider: params.provider };
    try {
      const { userId, page } = await identities.finishProviderSignIn(params.provider, call);
      if (userId !== null) call.trail.actorId = userId;
      return answer(302, undefined, { location: page });
    } catch (thrown) {
      // A browser is here, not a program: the sign-in page says what is wrong.
      const error = toAppError(thrown);
      if (error.code === "internal") throw thrown;
      call.trail.details = { provider: params.provider, error: error.code };
      return answer(302, undefined, { location: `/sign-in?error=${error.code}` });
    }
  });
  http.bind(routes.finishProviderSecondFactor, async ({ body }, call) => {
    const me = await identities.finishProviderSecondFactor(body.code, call);
    call.trail.actorId = me.id;
    return me;
  });
  http.bind(routes.listIdentities, async (_input, { actor }) => ({ items: await identities.listIdentities(actor) }));
  http.bind(routes.linkIdentity, async ({ body }, call) => ({ url: await identities.linkIdentity(call.actor, body, call) }));
  http.bind(routes.unlinkIdentity, async ({ params }, { actor }) => {
    await identities.unlinkIdentity(actor, params.id);
    return undefined;
  });
}
