import { z } from "zod";
import { byId, givenPassword, secondFactorCode } from "./account-fields.ts";
import { Me } from "./accounts.ts";
import { route } from "./route.ts";

/** Somebody who says who people are: an OpenID Connect issuer, or GitHub. */
export const IdentityProvider = z.object({ id: z.string(), name: z.string() }).meta({ id: "IdentityProvider" });
export type IdentityProvider = z.infer<typeof IdentityProvider>;

/** An account elsewhere that lets its person in here. */
export const Identity = z
  .object({
    id: z.string(),
    provider: z.string(),
    providerName: z.string().describe("the provider's id when it is configured no more"),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "Identity" });
export type Identity = z.infer<typeof Identity>;

const byProvider = z.object({ provider: z.string().max(64) });

export const identityRoutes = {
  listIdentityProviders: route({
    method: "GET",
    path: "/api/v1/sign-in/providers",
    summary: "Whose accounts let people in",
    tag: "accounts",
    auth: "none",
    responses: { 200: z.object({ items: z.array(IdentityProvider) }) },
    errors: [],
  }),
  startProviderSignIn: route({
    method: "GET",
    path: "/api/v1/sign-in/providers/:provider/start",
    summary: "Send a browser to a provider to sign in; it comes back to `returnTo`, a path of the web application",
    tag: "accounts",
    auth: "none",
    params: byProvider,
    query: z.object({ returnTo: z.string().max(2048).optional() }),
    responses: { 302: "none" },
    errors: ["not_found", "identity_provider_failed"],
  }),
  finishProviderSignIn: route({
    method: "GET",
    path: "/api/v1/sign-in/providers/:provider/callback",
    summary: "Where a provider sends a browser back to. Answers with the way on, in case of an error the sign-in page with its code",
    tag: "accounts",
    auth: "none",
    audit: "auth.sign_in_provider",
    params: byProvider,
    responses: { 302: "none" },
    errors: [],
  }),
  finishProviderSecondFactor: route({
    method: "POST",
    path: "/api/v1/sign-in/second-factor",
    summary: "The code of the authenticator, after a provider has said who it is",
    tag: "accounts",
    auth: "none",
    audit: "auth.sign_in_second_factor",
    body: z.strictObject({ code: secondFactorCode }),
    responses: { 200: Me },
    errors: ["identity_flow_invalid", "two_factor_invalid", "account_suspended", "rate_limited"],
  }),
  listIdentities: route({
    method: "GET",
    path: "/api/v1/users/me/identities",
    summary: "Accounts elsewhere that let you in",
    tag: "accounts",
    auth: "user",
    responses: { 200: z.object({ items: z.array(Identity) }) },
    errors: [],
  }),
  linkIdentity: route({
    method: "POST",
    path: "/api/v1/users/me/identities",
    summary: "Begin to link an account elsewhere: open `url` in the same browser",
    tag: "accounts",
    auth: "user",
    audit: "auth.identity_link",
    body: z.strictObject({ provider: z.string().max(64), password: givenPassword }),
    responses: { 200: z.object({ url: z.url() }) },
    errors: ["not_found", "session_required", "invalid_credentials", "identity_provider_failed", "rate_limited"],
  }),
  unlinkIdentity: route({
    method: "DELETE",
    path: "/api/v1/users/me/identities/:id",
    summary: "Unlink an account elsewhere",
    tag: "accounts",
    auth: "user",
    audit: "auth.identity_unlink",
    params: byId,
    responses: { 204: "none" },
    errors: ["not_found", "last_way_in"],
  }),
};
