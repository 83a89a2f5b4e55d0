import { hash, timingSafeEqual } from "node:crypto";
import { defaultKeyHasher } from "@better-auth/api-key";
import { AppError } from "@syla/contracts/errors";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Actor } from "../access/actor.ts";
import type { Database } from "../platform/database.ts";
import type { Secret } from "../platform/secret.ts";
import type { ApiKeyMemo } from "./api-keys/api-key-memo.ts";
import { findKeyStanding, hasUsableKey } from "./api-keys/store.ts";
import type { Authentication } from "./authentication.ts";
import { impersonationMs } from "./impersonation.ts";
import { libraryHeaders, passCookies } from "./library-headers.ts";
import { needsSecondFactor, type SignInPolicy } from "./sign-in-policy.ts";
import { looksLikeToken, type AccessTokens } from "./tokens/access-tokens.ts";
import { findTokenStanding } from "./tokens/store.ts";

/** What it takes to tell who is asking. */
export interface AuthenticateOptions {
  readonly authentication: Authentication;
  readonly database: Database;
  readonly memo: ApiKeyMemo;
  readonly verifyKey: (key: string) => Promise<Actor>;
  readonly accessTokens: AccessTokens;
  /** The key of the OS user who runs the server; it acts as the first admin. */
  readonly localKey: Secret;
  readonly firstAdminId: string;
  readonly policy: SignInPolicy;
  /** Who calls models with the token of a run; undefined for what is none. */
  readonly readRunToken: (token: string) => Promise<Actor | undefined>;
}

/**
 * Finds the actor of a request: a bearer key, else the session cookie, else nobody.
 *
 * @throws AppError `invalid_api_key` for a bearer key that is wrong, `account_suspended`, `database_unavailable`
 */
export function createAuthenticate(options: AuthenticateOptions): (request: FastifyRequest, reply: FastifyReply) => Promise<Actor | null> {
  const localDigest = digest(options.localKey.reveal());
  const localActor: Actor = { userId: options.firstAdminId, role: "admin", via: "local" };
  return async (request, reply) => {
    const { cookie } = request.headers;
    const authorization = passwordOf(request) ?? request.headers.authorization ?? apiKeyHeader(request);
    if (authorization !== undefined) {
      const key = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
      if (key === undefined)
        throw new AppError("invalid_api_key", { message: "The `Authorization` header is not of the form `Bearer <key>`." });
      if (timingSafeEqual(digest(key), localDigest)) return localActor;
      const run = await options.readRunToken(key);
      if (run !== undefined) return run;
      return options.memo.get(key) ?? (looksLikeToken(key) ? await verifyToken(options, key) : await options.verifyKey(key));
    }
    return cookie?.includes("syla.session_token=") === true ? readSession(options, request, reply) : null;
  };
}

/** Anthropic's clients send their key in a header of its own. */
function apiKeyHeader(request: FastifyRequest): string | undefined {
  const key = request.headers["x-api-key"];
  return typeof key === "string" && request.url.startsWith("/v1/") ? `Bearer ${key}` : undefined;
}

/** Git sends a key as a password, whatever the user is called. */
function passwordOf(request: FastifyRequest): string | undefined {
  const sent = request.url.startsWith("/git/") ? /^Basic +([A-Za-z0-9+/=]+)$/i.exec(request.headers.authorization ?? "")?.[1] : undefined;
  if (sent === undefined) return undefined;
  const text = Buffer.from(sent, "base64").toString();
  const key = text.slice(text.indexOf(":") + 1);
  return key === "" ? undefined : `Bearer ${key}`;
}

function digest(text: string): Buffer {
  return hash("sha256", text, "buffer");
}

/** Looks an API key up. @throws AppError `invalid_api_key`, `account_suspended`, `database_unavailable` */
export function createKeyVerifier(options: Pick<AuthenticateOptions, "authentication" | "database" | "memo">) {
  return (key: string): Promise<Actor> => verifyKey(options, key);
}

async function verifyToken({ accessTokens, database, memo }: AuthenticateOptions, token: string): Promise<Actor> {
  const read = token.length > 4096 ? null : await accessTokens.read(token);
  const standing = read === null ? undefined : await findTokenStanding(database.queries, read.familyId);
  if (read === null || standing === undefined || standing.userId !== read.userId) throw new AppError("token_invalid");
  const { userId, role, status, scopes, keyId, requestsPerMinute, hasQuotas } = standing;
  if (status === "suspended") throw new AppError("account_suspended");
  // What is done with it counts as done with its key.
  const own = {
    ...(keyId === null ? {} : { keyId }),
    ...(requestsPerMinute === null ? {} : { requestsPerMinute }),
    ...(hasQuotas ? { isLimitedKey: true } : {}),
  };
  const actor: Actor = { userId, role, via: "token", tokenId: read.familyId, scopes, ...own };
  memo.set(token, actor, read.expiresAt);
  return actor;
}

async function verifyKey(options: Pick<AuthenticateOptions, "authentication" | "database" | "memo">, key: string): Promise<Actor> {
  const found = key.length > 256 ? null : (await options.authentication.api.verifyApiKey({ body: { key } })).key;
  if (found === null) {
    // The library reports a database that it lost as a wrong key; whether there is such a key tells the two apart.
    const isRight = key.length <= 256 && (await hasUsableKey(options.database.queries, await defaultKeyHasher(key)));
    throw new AppError(isRight ? "database_unavailable" : "invalid_api_key", isRight ? { retryAfter: 1 } : {});
  }
  const standing = await findKeyStanding(options.database.queries, found.id);
  if (standing === undefined) throw new AppError("invalid_api_key");
  const { userId, role, status, scopes, requestsPerMinute, hasQuotas } = standing;
  if (status === "suspended") throw new AppError("account_suspended");
  const own = { ...(requestsPerMinute === null ? {} : { requestsPerMinute }), ...(hasQuotas ? { isLimitedKey: true } : {}) };
  const actor: Actor = { userId, role, via: "api-key", keyId: found.id, scopes, ...own };
  options.memo.set(key, actor, found.expiresAt);
  return actor;
}

async function readSession(options: AuthenticateOptions, request: FastifyRequest, reply: FastifyReply): Promise<Actor | null> {
  const found = await options.authentication.api
    .getSession({ headers: libraryHeaders(request), returnHeaders: true })
    .catch(async (error: unknown) => {
      await options.database.ping();
      throw error;
    });
  passCookies(found.headers, reply);
  if (found.response === null) return null;
  const { session, user } = found.response;
  if (user.status === "suspended") throw new AppError("account_suspended");
  if (session.impersonatedBy && Date.now() - session.createdAt.getTime() > impersonationMs) return null;
  const impersonated = session.impersonatedBy ? { impersonatorId: session.impersonatedBy } : {};
  const actor: Actor = { userId: user.id, role: user.role as Actor["role"], via: "session", sessionId: session.id, ...impersonated };
  const isHeldUp = await needsSecondFactor(options.database.queries, options.policy, actor);
  return isHeldUp ? { ...actor, needsSecondFactor: true } : actor;
}
