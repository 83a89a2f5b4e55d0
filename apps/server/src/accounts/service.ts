import { randomBytes } from "node:crypto";
import type { Me, ProfileInput, SetupInput, User } from "@syla/contracts/accounts";
import type { NewApiKey } from "@syla/contracts/api-keys";
import { AppError } from "@syla/contracts/errors";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { Actor } from "../access/actor.ts";
import type { IdentityProviderConfig, TrustedIssuer } from "../config-values.ts";
import { readOrCreateSecret, writePrivateFile, type DataDirectory } from "../platform/data-directory.ts";
import type { Database } from "../platform/database.ts";
import type { Logger } from "../platform/logger.ts";
import { Secret } from "../platform/secret.ts";
import { openTries } from "../platform/tries.ts";
import { createApiKeyMemo } from "./api-keys/api-key-memo.ts";
import { createApiKeys, makeApiKey, type ApiKeys } from "./api-keys/api-keys.ts";
import { createAuthenticate, createKeyVerifier } from "./authenticate.ts";
import { createAuthentication, followPolicy, type Authentication } from "./authentication.ts";
import { createBackground } from "./background.ts";
import { createDeviceLogin, type DeviceLogin } from "./device-login/device-login.ts";
import { createEmailAddresses, type EmailAddresses } from "./email-addresses.ts";
import { createFlowCookies } from "./identities/flow-cookies.ts";
import { createIdentities, type Identities } from "./identities/identities.ts";
import { createProviders } from "./identities/providers.ts";
import { createInvitations, type Invitations } from "./invitations/invitations.ts";
import { createKnownBrowser } from "./known-browser.ts";
import { tellOfNewBrowser } from "./new-browser.ts";
import { libraryHeaders, passCookies } from "./library-headers.ts";
import { createMailLimit } from "./mail-limit.ts";
import type { QueueMail } from "./mails.ts";
import { createPasswords, type Passwords } from "./passwords.ts";
import { createImpersonation } from "./impersonate.ts";
import { verifyPassword } from "./password.ts";
import { createSessions, type Exchange, type Sessions } from "./sessions.ts";
import { checkSetup, completeSetup, ensureFirstAdmin } from "./setup.ts";
import { createSignInLimit } from "./sign-in-limit.ts";
import { needsSecondFactor, requireLength, requirePasswords, type SignInPolicy } from "./sign-in-policy.ts";
import { createSignUp, type OnEmailConfirmed, type SignUp, type SignUpPolicy } from "./sign-up.ts";
import { findPasswordHash, findUser, findUsers, shortenSessions } from "./store.ts";
import { createAccessTokens } from "./tokens/access-tokens.ts";
import { createTokens, type Tokens } from "./tokens/tokens.ts";
import { createSubjectReader } from "./tokens/trusted-issuers.ts";
import { createSealedText } from "./two-factor/sealed-text.ts";
import { createSecondFactorCheck } from "./two-factor/sign-in-check.ts";
import { createTwoFactor, type TwoFactor } from "./two-factor/two-factor.ts";
import { getMe, updateMe } from "./users.ts";

export { findConfirmedUser } from "./store.ts";

/** People, and everything that lets them in. */
export interface Accounts
  extends Sessions, ApiKeys, SignUp, Invitations, EmailAddresses, Passwords, TwoFactor, DeviceLogin, Identities, Tokens {
  /** The token of the one-time set-up link, as long as nobody has been set up. */
  readonly setupToken: string | undefined;
  /** Who is asking, or null. @throws AppError `invalid_api_key`, `account_suspended`, `rate_limited`, `database_unavailable` */
  authenticate(request: FastifyRequest, reply: FastifyReply): Promise<Actor | null>;
  checkSetup(token: string | undefined): Promise<{ needed: boolean; tokenValid: boolean }>;
  /** Names the first admin and signs them in. @throws AppError `setup_token_invalid`, `already_set_up` */
  completeSetup(input: z.output<typeof SetupInput>, exchange: Exchange): Promise<Me>;
  getMe(id: string): Promise<Me>;
  updateMe(id: string, change: z.output<typeof ProfileInput>): Promise<Me>;
  /** What was remembered of a person's keys (of everybody's when null) is looked up again. */
  forgetKeys(userId: string | null): void;
  /** Acts as somebody else in this browser. Who may is for the caller to say. */
  startImpersonation(userId: string, reason: string, exchange: Exchange): Promise<Date>;
  /** Is who one was again. @throws AppError `not_found` when nobody acts as somebody else here */
  stopImpersonation(exchange: Exchange): Promise<void>;
  /** Whether this is the person's password; null when they have none. @throws AppError `rate_limited` */
  checkPassword(userId: string, password: string): Promise<boolean | null>;
  /** Who the key of the server's files acts as. */
  readonly localUserId: string;
  /** Somebody as whom the server does what they asked for before. @throws AppError `account_suspended`; `not_found` when they are gone */
  actFor(userId: string): Promise<Actor>;
  /** Name and address of those of the users that exist. */
  findUsers(ids: readonly string[]): Promise<readonly Pick<User, "id" | "name" | "email">[]>;
  /** Whether somebody has to turn a second factor on before they do anything else, as the policy is now. */
  needsSecondFactor(actor: Actor): Promise<boolean>;
  /** No session lasts longer than one does that is made now. */
  shortenSessions(): Promise<void>;
  /** Resolves when what answers did not wait for has been done. */
  settled(): Promise<void>;
}

/** What the accounts need. */
export interface AccountsOptions {
  readonly database: Database;
  readonly directory: DataDirectory;
  readonly logger: Logger;
  readonly publicUrl: string;
  readonly basePath: string;
  readonly signUp: SignUpPolicy;
  readonly signIn: SignInPolicy;
  readonly identityProviders?: readonly IdentityProviderConfig[];
  readonly trustedIssuers?: readonly TrustedIssuer[];
  readonly queueMail: QueueMail;
  /** Whether mails leave the queue by themselves. */
  readonly sendsMail: boolean;
  /** Who calls models with the token of a run; undefined for what is none. */
  readonly readRunToken?: (token: string) => Promise<Actor | undefined>;
  /** Called when the set-up is done and its link is worth nothing any more. */
  readonly onSetup: () => void;
  /** Called, in its transaction, when an address has become a person's for certain. */
  readonly onEmailConfirmed?: OnEmailConfirmed;
}

/** Opens the accounts: the first admin exists and the key file of the local OS user is fresh. */
export async function openAccounts(options: AccountsOptions): Promise<Accounts> {
  const { database, directory, logger, publicUrl, basePath, queueMail, onEmailConfirmed = async () => undefined } = options;
  const { queries } = database;
  const firstAdmin = await ensureFirstAdmin(queries);
  const localKey = createLocalKey(directory);
  const secret = readOrCreateSecret(directory.secretFile);
  const policy = options.signIn;
  const authentication = createAuthentication({ queries, logger, secret, publicUrl, basePath, policy });
  await followPolicy(authentication, policy);
  await shortenSessions(queries, policy.sessionDays);
  const memo = createApiKeyMemo();
  const tries = openTries(queries);
  const limit = createSignInLimit(tries);
  const mailLimit = createMailLimit(tries);
  const background = createBackground(logger);
  const sealed = createSealedText(secret, "two-factor");
  const cookieOptions = { secret, https: publicUrl.startsWith("https:"), basePath };
  const knownBrowser = createKnownBrowser(cookieOptions);
  const proveSecondFactor = createSecondFactorCheck(queries, sealed, tries);
  const onNewBrowser = (userId: string, request: FastifyRequest) =>
    background.start("somebody could not be told of a sign-in", () => tellOfNewBrowser(queries, userId, request));
  const sessions = createSessions({ authentication, database, limit, knownBrowser, onNewBrowser, proveSecondFactor });
  const passwords = createPasswords({ database, publicUrl, background, limit, queueMail, mailLimit, policy });
  const accessTokens = createAccessTokens(secret, publicUrl);
  const verifyKey = createKeyVerifier({ authentication, database, memo });
  const authenticate = createAuthenticate({
    authentication,
    database,
    memo,
    verifyKey,
    accessTokens,
    localKey,
    policy,
    firstAdminId: firstAdmin.id,
    readRunToken: options.readRunToken ?? (() => Promise.resolve(undefined)),
  });
  let { setupToken } = firstAdmin;
  return {
    ...sessions,
    async signIn(input, exchange) {
      requirePasswords(policy);
      return await sessions.signIn(input, exchange);
    },
    ...passwords,
    ...createApiKeys(authentication, queries, memo),
    ...createSignUp({
      database,
      publicUrl,
      policy: options.signUp,
      signIn: policy,
      sessions,
      background,
      queueMail,
      sendsMail: options.sendsMail,
      mailLimit,
      onEmailConfirmed,
    }),
    ...createInvitations({ queries, publicUrl, policy: options.signUp, queueMail }),
    ...createEmailAddresses({ database, publicUrl, passwords, background, queueMail, mailLimit, onEmailConfirmed }),
    ...createTwoFactor({ queries, sealed, passwords, limit }),
    ...createDeviceLogin(queries, publicUrl, tries, (userId, name, days) => makeDeviceKey(authentication, database, userId, name, days)),
    get setupToken() {
      return setupToken;
    },
    ...createIdentities({
      database,
      providers: createProviders(options.identityProviders ?? [], logger),
      publicUrl,
      cookies: createFlowCookies(cookieOptions),
      policy: options.signUp,
      passwords,
      onEmailConfirmed,
      proveSecondFactor,
      openSession: async (userId, { request, reply }) => {
        const opened = await authentication.api.openSession({ body: { userId }, headers: libraryHeaders(request), returnHeaders: true });
        passCookies(opened.headers, reply);
      },
      whoIsThere: ({ request, reply }) => authenticate(request, reply),
      getMe: (userId) => getMe(queries, userId),
    }),
    ...createTokens({
      database,
      accessTokens,
      readSubject: createSubjectReader(options.trustedIssuers ?? [], logger),
      verifyKey,
      onEmailConfirmed,
      tries,
    }),
    authenticate,
    checkSetup: (token) => checkSetup(queries, token),
    forgetKeys: (userId) => memo.forgetUser(userId),
    getMe: (id) => getMe(queries, id),
    updateMe: (id, change) => updateMe(queries, id, change),
    ...createImpersonation(authentication),
    localUserId: firstAdmin.id,
    async checkPassword(userId, password) {
      const hash = await findPasswordHash(queries, userId);
      if (hash === null) return null;
      return await limit
        .guard({ address: userId, name: userId }, async () => {
          if (!(await verifyPassword({ hash, password }))) throw new AppError("invalid_credentials");
          return true;
        })
        .catch((error: unknown) => {
          if (error instanceof AppError && error.code === "invalid_credentials") return false;
          throw error;
        });
    },
    async actFor(userId) {
      const user = await findUser(queries, userId);
      if (user === undefined) throw new AppError("not_found");
      if (user.status === "suspended") throw new AppError("account_suspended");
      return { userId, role: user.role, via: "server" };
    },
    findUsers: (ids) => findUsers(queries, ids),
    settled: () => background.settled(),
    needsSecondFactor: (actor) => needsSecondFactor(queries, policy, actor),
    shortenSessions: () => shortenSessions(queries, policy.sessionDays),
    async completeSetup(input, exchange) {
      requireLength(policy, input.password);
      await completeSetup(queries, input);
      setupToken = undefined;
      options.onSetup();
      return sessions.signIn(input, exchange);
    },
  };
}

/** @throws AppError `account_suspended` when the person was suspended since they let the device in */
async function makeDeviceKey(
  authentication: Authentication,
  { queries }: Database,
  userId: string,
  name: string,
  expiresInDays: number,
): Promise<NewApiKey> {
  if ((await findUser(queries, userId))?.status !== "active") throw new AppError("account_suspended");
  return await makeApiKey(authentication, queries, userId, { name, scopes: ["*"], expiresInDays });
}

/** The key by which the OS user who started the server is known; a new one at each start. */
function createLocalKey(directory: DataDirectory): Secret {
  const key = new Secret(`syla_local_${randomBytes(32).toString("base64url")}`);
  writePrivateFile(directory.localKeyFile, `${key.reveal()}\n`);
  return key;
}
