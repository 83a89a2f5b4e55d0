import type { Me } from "@syla/contracts/accounts";
import type { Identity, IdentityProvider } from "@syla/contracts/identities";
import { AppError } from "@syla/contracts/errors";
import type { Actor } from "../../access/actor.ts";
import type { Database, Work } from "../../platform/database.ts";
import { newId } from "../../platform/ids.ts";
import { acceptInvitation } from "../invitations/store.ts";
import type { Passwords } from "../passwords.ts";
import type { Exchange } from "../sessions.ts";
import { isOpenTo, type OnEmailConfirmed, type SignUpPolicy } from "../sign-up.ts";
import { findUser, findUserByEmail, lockEmail } from "../store.ts";
import type { FlowCookies } from "./flow-cookies.ts";
import { newFlowSecrets, type ProvidedIdentity, type Provider } from "./providers.ts";
import * as store from "./store.ts";

/** Signing in by an account elsewhere. */
export interface Identities {
  listIdentityProviders(): IdentityProvider[];
  /** @returns where to send the browser. @throws AppError `not_found`, `identity_provider_failed` */
  startProviderSignIn(provider: string, returnTo: string | undefined, exchange: Exchange): Promise<string>;
  /** @returns who it is, and the page to go on with. @throws AppError as {@link finishProviderSecondFactor}, and those of providers and linking */
  finishProviderSignIn(provider: string, exchange: Exchange): Promise<{ userId: string | null; page: string }>;
  /** @throws AppError `identity_flow_invalid`, `two_factor_invalid`, `account_suspended`, `rate_limited` */
  finishProviderSecondFactor(code: string, exchange: Exchange): Promise<Me>;
  listIdentities(actor: Actor): Promise<Identity[]>;
  /** @returns where to send the browser. @throws AppError `not_found`, `session_required`, `invalid_credentials` */
  linkIdentity(actor: Actor, input: { provider: string; password: string }, exchange: Exchange): Promise<string>;
  /** @throws AppError `not_found`, `last_way_in` */
  unlinkIdentity(actor: Actor, id: string): Promise<void>;
}

interface IdentityOptions {
  readonly database: Database;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly publicUrl: string;
  readonly cookies: FlowCookies;
  readonly policy: SignUpPolicy;
  readonly passwords: Passwords;
  readonly onEmailConfirmed: OnEmailConfirmed;
  readonly proveSecondFactor: (userId: string, code: string | undefined) => Promise<void>;
  /** Signs a person in: sets the cookie of a new session. */
  readonly openSession: (userId: string, exchange: Exchange) => Promise<void>;
  /** Who is signed in in this browser, or null. */
  readonly whoIsThere: (exchange: Exchange) => Promise<Actor | null>;
  readonly getMe: (userId: string) => Promise<Me>;
}

/**
 * Whom a provider confirms is who is linked to that account of theirs, and nobody else: an address is no proof. An account is linked
 * by its owner, who has signed in and gives their password; else one that was taken over, or a provider that lies, would open others.
 */
export function createIdentities(options: IdentityOptions): Identities {
  const { database, providers, publicUrl, cookies, getMe } = options;
  const { queries } = database;
  const find = (id: string): Provider => {
    const provider = providers.get(id);
    if (provider === undefined) throw new AppError("not_found", { message: "There is no such provider." });
    return provider;
  };
  const callbackOf = (id: string) => `${publicUrl}/api/v1/sign-in/providers/${id}/callback`;
  const begin = async (provider: Provider, exchange: Exchange, returnTo: string, linkTo: { userId: string; sessionId: string } | null) => {
    const secrets = newFlowSecrets();
    const url = await provider.begin(callbackOf(provider.id), secrets);
    cookies.keepFlow(exchange, { provider: provider.id, ...secrets, returnTo, linkTo });
    return url.href;
  };
  const letIn = async (userId: string, exchange: Exchange) => {
    if ((await findUser(queries, userId))?.status !== "active") throw new AppError("account_suspended");
    await options.openSession(userId, exchange);
  };

  return {
    listIdentityProviders: () => [...providers.values()].map(({ id, name }) => ({ id, name })),
    startProviderSignIn: (id, returnTo, exchange) => begin(find(id), exchange, pathInside(returnTo), null),
    async finishProviderSignIn(id, exchange) {
      const flow = cookies.takeFlow(exchange);
      if (flow === undefined || flow.provider !== id) throw new AppError("identity_flow_invalid");
      const query = new URL(exchange.request.url, publicUrl).search;
      const provider = find(id);
      const identity = await provider.finish(new URL(callbackOf(id) + query), flow);
      if (flow.linkTo !== null) return await link(options, provider, identity, flow.linkTo, flow.returnTo, exchange);
      const userId = await findOrMake(options, provider, identity);
      const user = await findUser(queries, userId);
      if (user?.two_factor_enabled === true) {
        cookies.keepPending(exchange, { userId, returnTo: flow.returnTo });
        return { userId: null, page: `/sign-in?code=needed&next=${encodeURIComponent(flow.returnTo)}` };
      }
      await letIn(userId, exchange);
      return { userId, page: flow.returnTo };
    },
    async finishProviderSecondFactor(code, exchange) {
      const pending = cookies.takePending(exchange);
      if (pending === undefined) throw new AppError("identity_flow_invalid");
      try {
        await options.proveSecondFactor(pending.userId, code);
      } catch (error) {
        cookies.keepPending(exchange, pending); // another code may be right
        throw error;
      }
      await letIn(pending.userId, exchange);
      return await getMe(pending.userId);
    },
    async listIdentities({ userId }) {
      return (await store.listIdentities(queries, userId)).map((row) => ({
        id: row.id,
        provider: row.provider_id,
        providerName: providers.get(row.provider_id)?.name ?? row.provider_id,
        createdAt: row.created_at.toISOString(),
      }));
    },
    async linkIdentity(actor, { provider, password }, exchange) {
      if (actor.via !== "session" || actor.sessionId === undefined) throw new AppError("session_required");
      const found = find(provider);
      await options.passwords.provePassword(actor.userId, password, exchange.request.ip);
      return await begin(found, exchange, "/settings/security", { userId: actor.userId, sessionId: actor.sessionId });
    },
    async unlinkIdentity({ userId }, id) {
      await queries.transaction().execute(async (work) => {
        const ways = await store.lockWaysIn(work, userId);
        if (ways.includes(id) && ways.length === 1) throw new AppError("last_way_in");
        if (!(await store.deleteIdentity(work, userId, id))) throw new AppError("not_found");
      });
    },
  };
}

/** Links the account to who began it, in the same browser and session. @throws AppError `identity_flow_invalid`, `identity_taken` */
async function link(
  { database, whoIsThere }: IdentityOptions,
  provider: Provider,
  { subject }: ProvidedIdentity,
  linkTo: { userId: string; sessionId: string },
  page: string,
  exchange: Exchange,
): Promise<{ userId: string; page: string }> {
  const actor = await whoIsThere(exchange);
  if (actor?.userId !== linkTo.userId || actor.sessionId !== linkTo.sessionId) throw new AppError("identity_flow_invalid");
  await database.queries.transaction().execute(async (work) => {
    await store.lockIdentity(work, provider.id, subject);
    const holder = await store.findByIdentity(work, provider.id, subject);
    if (holder !== undefined && holder.id !== actor.userId) throw new AppError("identity_taken");
    if (holder === undefined) await store.insertIdentity(work, actor.userId, provider.id, subject);
  });
  return { userId: actor.userId, page };
}

/** @throws AppError `identity_unknown`, `identity_unconfirmed`, `identity_needs_link` */
async function findOrMake(options: IdentityOptions, provider: Provider, identity: ProvidedIdentity): Promise<string> {
  const known = await store.findByIdentity(options.database.queries, provider.id, identity.subject);
  if (known !== undefined) return known.id;
  return await options.database.queries.transaction().execute(async (work) => {
    await store.lockIdentity(work, provider.id, identity.subject);
    const meanwhile = await store.findByIdentity(work, provider.id, identity.subject);
    if (meanwhile !== undefined) return meanwhile.id;
    return await makePerson(work, options, provider, identity);
  });
}

async function makePerson(work: Work, { policy, onEmailConfirmed }: IdentityOptions, provider: Provider, identity: ProvidedIdentity) {
  const { email, subject } = identity;
  if (email === null) throw new AppError("identity_unconfirmed");
  await lockEmail(work, email);
  if ((await findUserByEmail(work, email)) !== undefined) throw new AppError("identity_needs_link");
  const invitation = policy.mode === "closed" ? undefined : await acceptInvitation(work, { email });
  if (invitation === undefined && !provider.signUp && !isOpenTo(policy, email)) throw new AppError("identity_unknown");
  const id = newId("user");
  const name = (identity.name ?? email.slice(0, email.indexOf("@")))
    .replaceAll(/\p{Cc}/gu, " ")
    .slice(0, 100)
    .toWellFormed();
  await store.insertPerson(work, { id, name, email, role: invitation?.role ?? "developer" });
  await store.insertIdentity(work, id, provider.id, subject);
  await onEmailConfirmed(work, id, email);
  return id;
}

/** A path of the web application; anything else could send people to another site. */
function pathInside(text: string | undefined): string {
  if (text === undefined || !/^\/(?![/\\])/.test(text) || /[\p{Cc}\\]/u.test(text)) return "/";
  const base = "http://inside.invalid";
  return URL.canParse(text, base) && new URL(text, base).origin === base ? text : "/";
}
