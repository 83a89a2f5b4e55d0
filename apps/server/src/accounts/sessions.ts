import type { Session, SignInInput, User } from "@syla/contracts/accounts";
import { AppError } from "@syla/contracts/errors";
import { APIError } from "better-auth/api";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { Actor } from "../access/actor.ts";
import type { Database } from "../platform/database.ts";
import type { Authentication } from "./authentication.ts";
import { libraryHeaders, passCookies } from "./library-headers.ts";
import { createSignInLimit } from "./sign-in-limit.ts";
import { deleteSession, listSessions } from "./store.ts";
import { getUser } from "./users.ts";

/** The request and the answer, for what reads and sets cookies. */
export interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Signing in and out, and the list of where a person is signed in. */
export interface Sessions {
  /** @throws AppError `invalid_credentials`, `rate_limited` */
  signIn(input: z.output<typeof SignInInput>, exchange: Exchange): Promise<User>;
  signOut(actor: Actor, exchange: Exchange): Promise<void>;
  listSessions(actor: Actor): Promise<Session[]>;
  /** @throws AppError `not_found` */
  revokeSession(actor: Actor, id: string): Promise<void>;
}

/** Sessions of the authentication library. */
export function createSessions(authentication: Authentication, database: Database): Sessions {
  const { queries } = database;
  const limit = createSignInLimit();
  return {
    async signIn(input, exchange) {
      const address = exchange.request.ip;
      limit.check(address, input.email);
      const user = await openSession(authentication, database, input, exchange).catch((error: unknown) => {
        if (error instanceof AppError && error.code === "invalid_credentials") limit.failed(address, input.email);
        throw error;
      });
      limit.succeeded(address, input.email);
      return user;
    },
    async signOut(actor, exchange) {
      if (actor.sessionId === undefined) return;
      await deleteSession(queries, actor.userId, actor.sessionId);
      const signedOut = await authentication.api.signOut({ headers: libraryHeaders(exchange.request), returnHeaders: true });
      passCookies(signedOut.headers, exchange.reply);
    },
    async listSessions(actor) {
      const rows = await listSessions(queries, actor.userId);
      return rows.map((row) => toSession(row, actor.sessionId));
    },
    async revokeSession(actor, id) {
      if (!(await deleteSession(queries, actor.userId, id))) throw new AppError("not_found");
    },
  };
}

/** Checks the password and sets the cookie. */
async function openSession(
  authentication: Authentication,
  database: Database,
  { email, password }: z.output<typeof SignInInput>,
  { request, reply }: Exchange,
): Promise<User> {
  try {
    const body = { email: email.toLowerCase(), password };
    const signedIn = await authentication.api.signInEmail({ body, headers: libraryHeaders(request), returnHeaders: true });
    passCookies(signedIn.headers, reply);
    return await getUser(database.queries, signedIn.response.user.id);
  } catch (error) {
    if (!(error instanceof APIError)) throw error;
    // The library may report a lost database as a wrong password.
    await database.ping();
    throw new AppError("invalid_credentials");
  }
}

function toSession(row: Awaited<ReturnType<typeof listSessions>>[number], currentId: string | undefined): Session {
  return {
    id: row.id,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    ip: row.ip_address || null,
    userAgent: row.user_agent || null,
    current: row.id === currentId,
  };
}
