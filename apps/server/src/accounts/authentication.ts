import { apiKey } from "@better-auth/api-key";
import { betterAuth } from "better-auth";
import { withCamelCase, type Queries } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import type { Logger } from "../platform/logger.ts";
import { openSession } from "./identities/open-session.ts";
import { impersonation } from "./impersonation.ts";
import { hashPassword, verifyPassword } from "./password.ts";
import type { SignInPolicy } from "./sign-in-policy.ts";

/** What the library needs to know of the server. */
export interface AuthenticationOptions {
  readonly queries: Queries;
  readonly logger: Logger;
  /** Signs the session cookies. */
  readonly secret: string;
  readonly publicUrl: string;
  readonly basePath: string;
  readonly policy: Pick<SignInPolicy, "sessionDays">;
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

/** Seconds. */
const day = 24 * 60 * 60;

/** Has sessions last as long as the policy says at any time, and be extended while they are used, a few times in that time, or once a day. */
export async function followPolicy(authentication: Authentication, policy: Pick<SignInPolicy, "sessionDays">): Promise<void> {
  const { sessionConfig } = await authentication.$context;
  Object.defineProperties(sessionConfig, {
    expiresIn: { get: () => policy.sessionDays * day },
    updateAge: { get: () => Math.min(1, policy.sessionDays / 4) * day },
  });
}

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
      additionalFields: {
        impersonatedBy: { type: "string", required: false, input: false },
        impersonationReason: { type: "string", required: false, input: false },
      },
    },
    databaseHooks: {
      session: {
        create: {
          // The library has it fixed at the start.
          before: (session) =>
            Promise.resolve(
              session["impersonatedBy"]
                ? undefined
                : { data: { ...session, expiresAt: new Date(Date.now() + options.policy.sessionDays * day * 1000) } },
            ),
        },
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
