import { signUpRoutes as routes } from "@syla/contracts/sign-up";
import type { Http } from "../access/http.ts";
import type { EmailAddresses } from "./email-addresses.ts";
import type { Passwords } from "./passwords.ts";
import type { SignUp } from "./sign-up.ts";

const accepted = { accepted: true } as const;

/** Serves the routes of signing up, of passwords that were forgotten, and of addresses. */
export function registerSignUpRoutes(http: Http, accounts: SignUp & EmailAddresses & Passwords): void {
  http.bind(routes.getSignUp, () => {
    const { mode, domains } = accounts.signUpPolicy;
    const { passwords, passwordLength } = accounts.signInPolicy;
    return { mode, domains: mode === "domain" ? [...domains] : [], passwords, passwordLength, mail: accounts.sendsMail };
  });
  http.bind(routes.requestSignUp, async ({ body }, { ip }) => {
    await accounts.requestSignUp(body.email, ip);
    return accepted;
  });
  http.bind(routes.completeSignUp, async ({ body }, call) => {
    const me = await accounts.completeSignUp(body, call);
    call.trail.actorId = me.id;
    return me;
  });
  http.bind(routes.requestPasswordReset, async ({ body }, { ip }) => {
    await accounts.requestPasswordReset(body.email, ip);
    return accepted;
  });
  http.bind(routes.completePasswordReset, async ({ body }, { trail }) => {
    trail.actorId = await accounts.completePasswordReset(body.token, body.password);
    return undefined;
  });
  http.bind(routes.createPasswordReset, ({ params }) => accounts.createPasswordReset(params.id));
  http.bind(routes.requestEmailVerification, async ({ body }, { actor, ip }) => {
    await accounts.requestEmailVerification(actor, body, ip);
    return accepted;
  });
  http.bind(routes.confirmEmail, async ({ body }, { trail }) => {
    const { userId, email } = await accounts.confirmEmail(body.token);
    trail.actorId = userId;
    return { email };
  });
}
