import { AppError } from "@syla/contracts/errors";
import type { TokenInput, TokenPair } from "@syla/contracts/tokens";
import type { z } from "zod";
import type { Actor } from "../../access/actor.ts";
import { covers } from "../../access/service.ts";
import type { Database, Work } from "../../platform/database.ts";
import { newId } from "../../platform/ids.ts";
import { hashToken, newToken } from "../../platform/one-time-token.ts";
import { requireAllowed } from "../../platform/rate-limit.ts";
import type { Tries } from "../../platform/tries.ts";
import * as identities from "../identities/store.ts";
import type { OnEmailConfirmed } from "../sign-up.ts";
import { findUser, findUserByEmail, lockEmail } from "../store.ts";
import { accessTokenSeconds, type AccessTokens } from "./access-tokens.ts";
import * as store from "./store.ts";
import type { ReadSubject, Subject } from "./trusted-issuers.ts";

/** Short-lived tokens of services. */
export interface Tokens {
  /** @returns the tokens, and whose they are. @throws AppError `invalid_api_key`, `token_invalid`, `scope_missing`, `account_suspended`, `rate_limited` */
  createToken(input: z.output<typeof TokenInput>, ip: string): Promise<{ pair: TokenPair; userId: string }>;
  /** One that is unknown is as good as revoked. */
  revokeToken(refreshToken: string): Promise<void>;
}

interface TokenOptions {
  readonly database: Database;
  readonly accessTokens: AccessTokens;
  readonly readSubject: ReadSubject;
  /** @throws AppError `invalid_api_key`, `account_suspended` */
  readonly verifyKey: (key: string) => Promise<Actor>;
  readonly onEmailConfirmed: OnEmailConfirmed;
  readonly tries: Tries;
}

/** A family that is not renewed for so long ends. */
const familyDays = 30;
/** A client may lose the answer to a renewal: the same token works once more for so long. */
const repeatMs = 10_000;
const perAddress = { limit: 300, windowMs: 60_000 };

export function createTokens(options: TokenOptions): Tokens {
  const { database, accessTokens, tries } = options;
  const { queries } = database;

  const begin = async (userId: string, from: { apiKeyId?: string; issuer?: string }, scopes: readonly string[]) => {
    const { token, tokenHash } = newToken("syla_refresh");
    const id = newId("token");
    await queries.transaction().execute((work) =>
      store.insertFamily(work, {
        id,
        userId,
        apiKeyId: from.apiKeyId ?? null,
        issuer: from.issuer ?? null,
        scopes,
        refreshHash: tokenHash,
        expiresAt: familyEnd(),
      }),
    );
    return { pair: await pairOf(accessTokens, userId, id, token, scopes), userId };
  };

  return {
    async createToken(input, ip) {
      requireAllowed(await tries.take(`token from ${ip}`, perAddress), "Too many tokens were asked for.");
      if (input.grantType === "refresh_token") return await renew(options, input.refreshToken);
      if (input.grantType === "api_key") {
        const actor = await options.verifyKey(input.apiKey);
        const from = actor.keyId === undefined ? {} : { apiKeyId: actor.keyId };
        return await begin(actor.userId, from, narrow(actor.scopes ?? ["*"], input.scopes));
      }
      const subject = await options.readSubject(input.subjectToken);
      const userId = await findOrMake(options, subject);
      if ((await findUser(queries, userId))?.status !== "active") throw new AppError("account_suspended");
      return await begin(userId, { issuer: subject.issuer.issuer }, narrow(["*"], input.scopes));
    },
    async revokeToken(refreshToken) {
      await queries.transaction().execute(async (work) => {
        const family = await store.lockFamily(work, hashToken(refreshToken));
        if (family !== undefined) await store.deleteFamily(work, family.id);
      });
    },
  };
}

/**
 * Takes a refresh token for the next one. One that was used before ends its family: whoever uses it, one of two has stolen it (RFC 9700,
 * section 4.14).
 */
async function renew({ database, accessTokens }: TokenOptions, refreshToken: string) {
  const hash = hashToken(refreshToken);
  const next = newToken("syla_refresh");
  const family = await database.queries.transaction().execute(async (work) => {
    const found = await store.lockFamily(work, hash);
    if (found === undefined || found.expires_at.getTime() <= Date.now()) return undefined;
    const isNewest = found.refresh_hash === hash;
    if (!isNewest && Date.now() - found.refreshed_at.getTime() > repeatMs) {
      await store.deleteFamily(work, found.id);
      return undefined;
    }
    await store.renewFamily(work, found.id, next.tokenHash, familyEnd());
    return found;
  });
  if (family === undefined) throw new AppError("token_invalid");
  if ((await findUser(database.queries, family.user_id))?.status !== "active") throw new AppError("account_suspended");
  return { pair: await pairOf(accessTokens, family.user_id, family.id, next.token, family.scopes), userId: family.user_id };
}

async function pairOf(
  accessTokens: AccessTokens,
  userId: string,
  familyId: string,
  refreshToken: string,
  scopes: readonly string[],
): Promise<TokenPair> {
  const accessToken = await accessTokens.sign(userId, familyId);
  return { accessToken, tokenType: "Bearer", expiresIn: accessTokenSeconds, refreshToken, scopes: [...scopes] };
}

function familyEnd(): Date {
  return new Date(Date.now() + familyDays * 86_400_000);
}

/** The wanted scopes, none of which may be more than there are. @throws AppError `scope_missing` */
function narrow(own: readonly string[], wanted: readonly string[] = own): readonly string[] {
  const excess = wanted.find((scope) => !own.some((held) => covers(held, scope)));
  if (excess !== undefined)
    throw new AppError("scope_missing", { message: `A token cannot do more than what it is made for: \`${excess}\`.` });
  return wanted;
}

/** The person of a trusted issuer's subject; made at their first visit. An address that somebody has already stays theirs. */
async function findOrMake({ database, onEmailConfirmed }: TokenOptions, { issuer, subject, name, email }: Subject): Promise<string> {
  const provider = `issuer ${issuer.issuer}`;
  const known = await identities.findByIdentity(database.queries, provider, subject);
  if (known !== undefined) return known.id;
  return await database.queries.transaction().execute(async (work: Work) => {
    await identities.lockIdentity(work, provider, subject);
    const meanwhile = await identities.findByIdentity(work, provider, subject);
    if (meanwhile !== undefined) return meanwhile.id;
    if (email !== null) await lockEmail(work, email);
    const free = email !== null && (await findUserByEmail(work, email)) === undefined ? email : null;
    const id = newId("user");
    await identities.insertPerson(work, {
      id,
      name: (name ?? subject)
        .replaceAll(/\p{Cc}/gu, " ")
        .slice(0, 100)
        .toWellFormed(),
      email: free,
      role: issuer.role,
    });
    await identities.insertIdentity(work, id, provider, subject);
    if (free !== null) await onEmailConfirmed(work, id, free);
    return id;
  });
}
