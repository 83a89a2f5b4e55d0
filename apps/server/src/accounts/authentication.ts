import { apiKey } from "@better-auth/api-key";
import { betterAuth } from "better-auth";
import { withCamelCase, type Queries } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import type { Logger } from "../platform/logger.ts";
import { openSession } from "./identities/open-session.ts";
import { impersonation } from "./impersonation.ts";
import { hashPassword, verifyPassword } from "./password.ts";

/** What the library needs to know of the server. */
export interface AuthenticationOptions {
  readonly queries: Queries;
  readonly logger: Logger;
  /** Signs the session cookies. */
  readonly secret: string;
  readonly publicUrl: string;
  readonly basePath: string;
}

/** Header in which the border tells the library the caller's address; what a caller sends under this name is dropped. */
export const addressHeader = "x-syla-address";

const idPrefixes: Readonly<Record<string, string>> = {
  user: "user",
  session: "sess",
  account: "acct",
  verification: "verif",
  apikey: "key",
};

/** Sessions last 30 days and are extended once a day while they are used. */
const day = 24 * 60 * 60;

/**
 * The authentication library on our tables. Its HTTP handler is not served: routes call its functions, so that they parse, count
 * and answer like every other route.
 */
export function createAuthentication(options: AuthenticationOptions) {
  const https = options.publicUrl.startsWith("https:");
  return betterAuth({
    appName: "Syla",
    baseURL: options.publicUrl,
    secret: options.secret,
    telemetry: { enabled: false },
    database: { db: withCamelCase(options.queries), type: "postgres" },
    user: {
      modelName: "users",
      additionalFields: {
        role: { type: "string", defaultValue: "developer", input: false },
        status: { type: "string", defaultValue: "active", input: false },
      },
    },
    session: {
      modelName: "sessions",
      expiresIn: 30 * day,
      updateAge: day,
      additionalFields: {
        impersonatedBy: { type: "string", required: false, input: false },
        impersonationReason: { type: "string", required: false, input: false },
      },
    },
    account: { modelName: "accounts" },
    verification: { modelName: "verifications" },
    emailAndPassword: {
      enabled: true,
      minPasswordLength: 10,
      maxPasswordLength: 256,
      password: { hash: hashPassword, verify: verifyPassword },
    },
    rateLimit: { enabled: false },
    plugins: [
      impersonation(),
      openSession(),
      apiKey({
        schema: { apikey: { modelName: "api_keys" } },
        defaultPrefix: "syla_",
        defaultKeyLength: 48,
        maximumNameLength: 100,
        startingCharactersConfig: { charactersLength: 12 },
        keyExpiration: { maxExpiresIn: 3650 },
        rateLimit: { enabled: false },
      }),
    ],
    advanced: {
      cookiePrefix: "syla",
      useSecureCookies: https,
      defaultCookieAttributes: { httpOnly: true, sameSite: "lax", secure: https, path: options.basePath === "" ? "/" : options.basePath },
      database: { generateId: ({ model }) => newId(idPrefixes[model] ?? model) },
      ipAddress: { ipAddressHeaders: [addressHeader] },
    },
    logger: {
      level: "warn",
      log: (_level, message) => options.logger.debug({ library: "better-auth" }, message),
    },
  });
}

export type Authentication = ReturnType<typeof createAuthentication>;
