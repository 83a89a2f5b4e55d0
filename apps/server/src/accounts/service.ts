import { randomBytes } from "node:crypto";
import type { ApiKey, ApiKeyInput, Session, SetupInput, SignInInput, User } from "@syla/contracts/accounts";
import { AppError } from "@syla/contracts/errors";
import { APIError } from "better-auth/api";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { readOrCreateSecret, writePrivateFile, type DataDirectory } from "../platform/data-directory.ts";
import type { Database } from "../platform/database.ts";
import type { Logger } from "../platform/logger.ts";
import { Secret } from "../platform/secret.ts";
import { createApiKeyMemo } from "./api-key-memo.ts";
import { createAuthenticate } from "./authenticate.ts";
import { createAuthentication } from "./authentication.ts";
import { libraryHeaders, passCookies } from "./library-headers.ts";
import { checkSetup, completeSetup, ensureFirstAdmin } from "./setup.ts";
import { createSignInLimit } from "./sign-in-limit.ts";
import { deleteApiKey, deleteSession, findUser, listApiKeys, listSessions } from "./store.ts";

/** The request and the answer, for what sets cookies. */
export interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** People, sessions and API keys. */
export interface Accounts {
  /** The token of the one-time set-up link, as long as nobody has been set up. */
  readonly setupToken: string | undefined;
  authenticate(request: FastifyRequest, reply: FastifyReply): Promise<Actor | null>;
  checkSetup(token: string | undefined): Promise<{ needed: boolean; tokenValid: boolean }>;
  /** Names the first admin and signs them in. @throws AppError `setup_token_invalid`, `already_set_up` */
  completeSetup(input: z.output<typeof SetupInput>, exchange: Exchange): Promise<User>;
  /** @throws AppError `invalid_credentials`, `rate_limited` */
  signIn(input: z.output<typeof SignInInput>, exchange: Exchange): Promise<User>;
  signOut(actor: Actor, exchange: Exchange): Promise<void>;
  getUser(id: string): Promise<User>;
  listSessions(actor: Actor): Promise<Session[]>;
  revokeSession(actor: Actor, id: string): Promise<void>;
  listApiKeys(actor: Actor): Promise<ApiKey[]>;
  createApiKey(actor: Actor, input: z.output<typeof ApiKeyInput>): Promise<ApiKey & { key: string }>;
  deleteApiKey(actor: Actor, id: string): Promise<void>;
}

/** What the accounts need. */
export interface AccountsOptions {
  readonly database: Database;
  readonly directory: DataDirectory;
  readonly logger: Logger;
  readonly publicUrl: string;
  readonly basePath: string;
  /** Called when the set-up is done and its link is worth nothing any more. */
  readonly onSetup: () => void;
}

/** Opens the accounts: the first admin exists and the key file of the local OS user is fresh. */
export async function openAccounts(options: AccountsOptions): Promise<Accounts> {
  const { database, directory } = options;
  const { queries } = database;
  const firstAdmin = await ensureFirstAdmin(queries);
  const localKey = new Secret(`syla_local_${randomBytes(32).toString("base64url")}`);
  writePrivateFile(directory.localKeyFile, `${localKey.reveal()}\n`);
  const authentication = createAuthentication({
    queries,
    logger: options.logger,
    secret: readOrCreateSecret(directory.secretFile),
    publicUrl: options.publicUrl,
    basePath: options.basePath,
  });
  const memo = createApiKeyMemo();
  const limit = createSignInLimit();
  let { setupToken } = firstAdmin;

  const getUser = async (id: string): Promise<User> => {
    const row = await findUser(queries, id);
    if (row === undefined) throw new AppError("unauthenticated");
    return { id: row.id, name: row.name, email: row.email, role: row.role, createdAt: row.created_at.toISOString() };
  };

  const openSession = async (email: string, password: string, exchange: Exchange): Promise<User> => {
    const body = { email: email.toLowerCase(), password };
    const signedIn = await authentication.api.signInEmail({ body, headers: libraryHeaders(exchange.request), returnHeaders: true });
    passCookies(signedIn.headers, exchange.reply);
    return getUser(signedIn.response.user.id);
  };

  return {
    get setupToken() {
      return setupToken;
    },
    authenticate: createAuthenticate({ authentication, database, memo, localKey, firstAdminId: firstAdmin.id }),
    checkSetup: (token) => checkSetup(queries, token),
    async completeSetup(input, exchange) {
      await completeSetup(queries, input);
      setupToken = undefined;
      options.onSetup();
      return openSession(input.email, input.password, exchange);
    },
    async signIn(input, exchange) {
      const address = exchange.request.ip;
      limit.check(address, input.email);
      try {
        const user = await openSession(input.email, input.password, exchange);
        limit.succeeded(address, input.email);
        return user;
      } catch (error) {
        if (!(error instanceof APIError)) throw error;
        await database.ping();
        limit.failed(address, input.email);
        throw new AppError("invalid_credentials");
      }
    },
    async signOut(actor, exchange) {
      if (actor.sessionId === undefined) return;
      await deleteSession(queries, actor.userId, actor.sessionId);
      const signedOut = await authentication.api.signOut({ headers: libraryHeaders(exchange.request), returnHeaders: true });
      passCookies(signedOut.headers, exchange.reply);
    },
    getUser,
    async listSessions(actor) {
      const rows = await listSessions(queries, actor.userId);
      return rows.map((row) => ({
        id: row.id,
        createdAt: row.created_at.toISOString(),
        expiresAt: row.expires_at.toISOString(),
        ip: row.ip_address || null,
        userAgent: row.user_agent || null,
        current: row.id === actor.sessionId,
      }));
    },
    async revokeSession(actor, id) {
      if (!(await deleteSession(queries, actor.userId, id))) throw new AppError("not_found");
    },
    async listApiKeys(actor) {
      return (await listApiKeys(queries, actor.userId)).map(toApiKey);
    },
    async createApiKey(actor, input) {
      const expiresIn = input.expiresInDays === undefined ? undefined : input.expiresInDays * 24 * 60 * 60;
      const created = await authentication.api.createApiKey({
        body: { name: input.name, userId: actor.userId, ...(expiresIn === undefined ? {} : { expiresIn }) },
      });
      const row = {
        id: created.id,
        name: created.name,
        start: created.start,
        created_at: created.createdAt,
        expires_at: created.expiresAt,
        last_request: null,
      };
      return { ...toApiKey(row), key: created.key };
    },
    async deleteApiKey(actor, id) {
      const deleted = await deleteApiKey(queries, actor.userId, id);
      memo.forget(id);
      if (!deleted) throw new AppError("not_found");
    },
  };
}

type ApiKeyRow = Awaited<ReturnType<typeof listApiKeys>>[number];

function toApiKey(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    name: row.name ?? "",
    start: row.start ?? "",
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
    lastUsedAt: row.last_request?.toISOString() ?? null,
  };
}
