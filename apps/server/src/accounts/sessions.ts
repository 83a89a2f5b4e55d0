import type { Me, Session, SignInInput } from "@syla/contracts/accounts";
import { AppError } from "@syla/contracts/errors";
import { APIError } from "better-auth/api";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { Actor } from "../access/actor.ts";
import type { Database } from "../platform/database.ts";
import type { Authentication } from "./authentication.ts";
import { libraryHeaders, passCookies } from "./library-headers.ts";
import type { KnownBrowser } from "./known-browser.ts";
import type { SignInLimit } from "./sign-in-limit.ts";
import { deleteSession, deleteSessionByToken, findUser, listSessions } from "./store.ts";
import { getMe } from "./users.ts";

/** The request and the answer, for what reads and sets cookies. */
export interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Signing in and out, and the list of where a person is signed in. */
export interface Sessions {
  /** @throws AppError `invalid_credentials`, `two_factor_required`, `two_factor_invalid`, `account_suspended`, `rate_limited` */
  signIn(input: z.output<typeof SignInInput>, exchange: Exchange): Promise<Me>;
  signOut(actor: Actor, exchange: Exchange): Promise<void>;
  listSessions(actor: Actor): Promise<Session[]>;
  /** @throws AppError `not_found` */
  revokeSession(actor: Actor, id: string): Promise<void>;
}

interface SessionOptions {
  readonly authentication: Authentication;
  readonly database: Database;
  readonly limit: SignInLimit;
  readonly knownBrowser: KnownBrowser;
  /** Told of a person who has signed in where they never had before. */
  readonly onNewBrowser: (userId: string, request: FastifyRequest) => void;
  /** Asks a person who has one for their second factor. @throws AppError `two_factor_required`, `two_factor_invalid` */
  readonly proveSecondFactor: (userId: string, code: string | undefined) => Promise<void>;
}

/** Sessions of the authentication library. */
export function createSessions(options: SessionOptions): Sessions {
  const { authentication, database, limit, knownBrowser } = options;
  const { queries } = database;
  return {
    async signIn(input, exchange) {
      const address = exchange.request.ip;
      const browser = knownBrowser.find(exchange.request, input.email);
      const guesser = { address, name: input.email, knownBrowser: browser };
      const me = await limit.guard(guesser, () => openSession(options, input, exchange));
      knownBrowser.remember(exchange.reply, input.email);
      if (browser === undefined && Date.now() - new Date(me.createdAt).getTime() > newAccountMs)
        options.onNewBrowser(me.id, exchange.request);
      return me;
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

/** Whoever has just made the account knows that they sign in. */
const newAccountMs = 600_000;

/** Checks the password, whether the person may come in, and the second factor; sets the cookie of a new session. */
async function openSession(options: SessionOptions, input: z.output<typeof SignInInput>, exchange: Exchange): Promise<Me> {
  const { queries } = options.database;
  const { headers, userId, token } = await checkPassword(options, input, exchange.request);
  try {
    // Said only to who knows the password.
    if ((await findUser(queries, userId))?.status === "suspended") throw new AppError("account_suspended");
    await options.proveSecondFactor(userId, input.code);
  } catch (error) {
    await deleteSessionByToken(queries, token);
    throw error;
  }
  passCookies(headers, exchange.reply);
  return await getMe(queries, userId);
}

async function checkPassword({ authentication, database }: SessionOptions, input: z.output<typeof SignInInput>, request: FastifyRequest) {
  try {
    const body = { email: input.email.toLowerCase(), password: input.password };
    const { headers, response } = await authentication.api.signInEmail({ body, headers: libraryHeaders(request), returnHeaders: true });
    return { headers, userId: response.user.id, token: response.token };
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
