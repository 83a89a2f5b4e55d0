import { hash, timingSafeEqual } from "node:crypto";
import { AppError } from "@syla/contracts/errors";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Actor } from "../access/actor.ts";
import type { Database } from "../platform/database.ts";
import type { Secret } from "../platform/secret.ts";
import type { ApiKeyMemo } from "./api-key-memo.ts";
import type { Authentication } from "./authentication.ts";
import { libraryHeaders, passCookies } from "./library-headers.ts";
import { findStanding } from "./store.ts";

/** What it takes to tell who is asking. */
export interface AuthenticateOptions {
  readonly authentication: Authentication;
  readonly database: Database;
  readonly memo: ApiKeyMemo;
  /** The key of the OS user who runs the server; it acts as the first admin. */
  readonly localKey: Secret;
  readonly firstAdminId: string;
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
    const { authorization, cookie } = request.headers;
    if (authorization !== undefined) {
      const key = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
      if (key === undefined)
        throw new AppError("invalid_api_key", { message: "The `Authorization` header is not of the form `Bearer <key>`." });
      if (timingSafeEqual(digest(key), localDigest)) return localActor;
      return options.memo.get(key) ?? verifyKey(options, key);
    }
    return cookie?.includes("syla.session_token=") === true ? readSession(options, request, reply) : null;
  };
}

function digest(text: string): Buffer {
  return hash("sha256", text, "buffer");
}

async function verifyKey(options: AuthenticateOptions, key: string): Promise<Actor> {
  const verified = key.length > 256 ? null : (await options.authentication.api.verifyApiKey({ body: { key } })).key;
  if (verified === null) {
    // The library reports a lost database as a wrong key; asking the database tells the two apart.
    await options.database.ping();
    throw new AppError("invalid_api_key");
  }
  const account = await findStanding(options.database.queries, verified.referenceId);
  if (account === undefined) throw new AppError("invalid_api_key");
  requireActive(account.status);
  const actor: Actor = { userId: verified.referenceId, role: account.role, via: "api-key", keyId: verified.id };
  options.memo.set(key, actor, verified.expiresAt);
  return actor;
}

/** @throws AppError `account_suspended` */
function requireActive(status: unknown): void {
  if (status !== "active") throw new AppError("account_suspended");
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
  requireActive(user.status);
  return { userId: user.id, role: user.role as Actor["role"], via: "session", sessionId: session.id };
}
