import { z } from "zod";
import { givenPassword, secondFactorCode } from "./account-fields.ts";
import { route } from "./route.ts";

export const twoFactorRoutes = {
  getTwoFactor: route({
    method: "GET",
    path: "/api/v1/users/me/two-factor",
    summary: "Whether sign-in asks for a second factor, and how many recovery codes are left",
    tag: "accounts",
    auth: "user",
    responses: {
      200: z.object({
        enabled: z.boolean(),
        recoveryCodesLeft: z.int(),
        needed: z.boolean().describe("it is off, and nothing else is open to you until it is on"),
      }),
    },
    errors: [],
  }),
  beginTwoFactor: route({
    method: "POST",
    path: "/api/v1/users/me/two-factor",
    summary: "Make a secret for an authenticator; it counts once a code of it is confirmed",
    tag: "accounts",
    auth: "user",
    audit: "auth.two_factor_begin",
    body: z.strictObject({ password: givenPassword }),
    responses: { 201: z.object({ secret: z.string(), uri: z.string() }) },
    errors: ["invalid_credentials", "conflict", "rate_limited"],
  }),
  confirmTwoFactor: route({
    method: "POST",
    path: "/api/v1/users/me/two-factor/confirm",
    summary: "Turn the second factor on with a code of the authenticator; answers the recovery codes, this once",
    tag: "accounts",
    auth: "user",
    audit: "auth.two_factor_on",
    body: z.strictObject({ code: secondFactorCode }),
    responses: { 200: z.object({ recoveryCodes: z.array(z.string()) }) },
    errors: ["two_factor_invalid", "conflict", "rate_limited"],
  }),
  renewRecoveryCodes: route({
    method: "POST",
    path: "/api/v1/users/me/two-factor/recovery-codes",
    summary: "New recovery codes, shown this once; the ones before are worth nothing any more",
    tag: "accounts",
    auth: "user",
    audit: "auth.two_factor_codes",
    body: z.strictObject({ password: givenPassword, code: secondFactorCode }),
    responses: { 200: z.object({ recoveryCodes: z.array(z.string()) }) },
    errors: ["invalid_credentials", "two_factor_invalid", "conflict", "rate_limited"],
  }),
  disableTwoFactor: route({
    method: "POST",
    path: "/api/v1/users/me/two-factor/disable",
    summary: "Turn the second factor off",
    tag: "accounts",
    auth: "user",
    audit: "auth.two_factor_off",
    body: z.strictObject({ password: givenPassword, code: secondFactorCode }),
    responses: { 204: "none" },
    errors: ["invalid_credentials", "two_factor_invalid", "rate_limited"],
  }),
};
