import { z } from "zod";
import { route } from "./route.ts";

/** A short-lived token for a service, and what renews it. */
export const TokenPair = z
  .object({
    accessToken: z.string().describe("a JSON Web Token (RFC 7519), sent as `Authorization: Bearer …`"),
    tokenType: z.literal("Bearer"),
    expiresIn: z.int().describe("seconds"),
    refreshToken: z.string().describe("works once; the answer holds the next one"),
    scopes: z.array(z.string()),
  })
  .meta({ id: "TokenPair" });
export type TokenPair = z.infer<typeof TokenPair>;

const token = z.string().min(1).max(16_384);
const scopes = z.array(z.string().max(64)).min(1).max(100).optional().describe("fewer than there are otherwise");

export const TokenInput = z
  .discriminatedUnion("grantType", [
    z.strictObject({ grantType: z.literal("api_key"), apiKey: token, scopes }),
    z.strictObject({ grantType: z.literal("refresh_token"), refreshToken: token }),
    z.strictObject({
      grantType: z.literal("token_exchange"),
      subjectToken: token.describe("a signed JSON Web Token of a trusted issuer, of somebody who is signed in there (after RFC 8693)"),
      scopes,
    }),
  ])
  .meta({ id: "TokenInput" });

export const tokenRoutes = {
  createToken: route({
    method: "POST",
    path: "/api/v1/tokens",
    summary: "Get a short-lived token: for an API key, for a token of a trusted issuer, or renewed",
    tag: "accounts",
    auth: "none",
    audit: "auth.token_create",
    body: TokenInput,
    responses: { 200: TokenPair },
    errors: ["invalid_api_key", "token_invalid", "scope_missing", "account_suspended", "rate_limited", "database_unavailable"],
  }),
  revokeToken: route({
    method: "POST",
    path: "/api/v1/tokens/revoke",
    summary: "Revoke a refresh token, and every token that came of it (after RFC 7009)",
    tag: "accounts",
    auth: "none",
    audit: "auth.token_revoke",
    body: z.strictObject({ refreshToken: token }),
    responses: { 204: "none" },
    errors: [],
  }),
};
