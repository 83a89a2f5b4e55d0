import { randomBytes } from "node:crypto";
import type { SetupInput, User } from "@syla/contracts/accounts";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { Actor } from "../access/actor.ts";
import { readOrCreateSecret, writePrivateFile, type DataDirectory } from "../platform/data-directory.ts";
import type { Database } from "../platform/database.ts";
import type { Logger } from "../platform/logger.ts";
import { Secret } from "../platform/secret.ts";
import { createApiKeyMemo } from "./api-key-memo.ts";
import { createApiKeys, type ApiKeys } from "./api-keys.ts";
import { createAuthenticate } from "./authenticate.ts";
import { createAuthentication } from "./authentication.ts";
import { createSessions, type Exchange, type Sessions } from "./sessions.ts";
import { checkSetup, completeSetup, ensureFirstAdmin } from "./setup.ts";
import { findUsers } from "./store.ts";
import { getUser } from "./users.ts";

/** People, sessions and API keys. */
export interface Accounts extends Sessions, ApiKeys {
  /** The token of the one-time set-up link, as long as nobody has been set up. */
  readonly setupToken: string | undefined;
  /** Who is asking, or null. @throws AppError `invalid_api_key`, `database_unavailable` */
  authenticate(request: FastifyRequest, reply: FastifyReply): Promise<Actor | null>;
  checkSetup(token: string | undefined): Promise<{ needed: boolean; tokenValid: boolean }>;
  /** Names the first admin and signs them in. @throws AppError `setup_token_invalid`, `already_set_up` */
  completeSetup(input: z.output<typeof SetupInput>, exchange: Exchange): Promise<User>;
  getUser(id: string): Promise<User>;
  /** What was remembered of a person's keys (of everybody's when null) is looked up again. */
  forgetKeys(userId: string | null): void;
  /** Name and address of those of the users that exist. */
  findUsers(ids: readonly string[]): Promise<readonly Pick<User, "id" | "name" | "email">[]>;
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
  const { database, directory, logger, publicUrl, basePath } = options;
  const { queries } = database;
  const firstAdmin = await ensureFirstAdmin(queries);
  const localKey = createLocalKey(directory);
  const authentication = createAuthentication({ queries, logger, secret: readOrCreateSecret(directory.secretFile), publicUrl, basePath });
  const memo = createApiKeyMemo();
  const sessions = createSessions(authentication, database);
  let { setupToken } = firstAdmin;
  return {
    ...sessions,
    ...createApiKeys(authentication, queries, memo),
    get setupToken() {
      return setupToken;
    },
    authenticate: createAuthenticate({ authentication, database, memo, localKey, firstAdminId: firstAdmin.id }),
    checkSetup: (token) => checkSetup(queries, token),
    forgetKeys: (userId) => memo.forgetUser(userId),
    getUser: (id) => getUser(queries, id),
    findUsers: (ids) => findUsers(queries, ids),
    async completeSetup(input, exchange) {
      await completeSetup(queries, input);
      setupToken = undefined;
      options.onSetup();
      return sessions.signIn(input, exchange);
    },
  };
}

/** The key by which the OS user who started the server is known; a new one at each start. */
function createLocalKey(directory: DataDirectory): Secret {
  const key = new Secret(`syla_local_${randomBytes(32).toString("base64url")}`);
  writePrivateFile(directory.localKeyFile, `${key.reveal()}\n`);
  return key;
}
