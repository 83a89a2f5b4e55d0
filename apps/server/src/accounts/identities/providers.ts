import { AppError } from "@syla/contracts/errors";
import * as openid from "openid-client";
import type { IdentityProviderConfig } from "../../config-values.ts";
import type { Logger } from "../../platform/logger.ts";

/** What a provider says of somebody who has just signed in there. */
export interface ProvidedIdentity {
  /** Never given to another person by this provider. */
  readonly subject: string;
  readonly name: string | null;
  /** In lower case, and only when the provider has confirmed it. */
  readonly email: string | null;
}

/** The secrets of one sign-in, kept by the browser until it comes back. */
export interface FlowSecrets {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** Somebody who says who people are. */
export interface Provider {
  readonly id: string;
  readonly name: string;
  /** People whom it confirms may make an account, whoever else may. */
  readonly signUp: boolean;
  /** Where to send the browser (authorization code with PKCE, RFC 7636). @throws AppError `identity_provider_failed` */
  begin(redirectUri: string, secrets: FlowSecrets): Promise<URL>;
  /** @throws AppError `identity_provider_failed`, `identity_refused` */
  finish(callback: URL, secrets: FlowSecrets): Promise<ProvidedIdentity>;
}

const timeoutSeconds = 15;

export function newFlowSecrets(): FlowSecrets {
  return { state: openid.randomState(), nonce: openid.randomNonce(), verifier: openid.randomPKCECodeVerifier() };
}

/** The providers that are configured, by their ids. */
export function createProviders(configs: readonly IdentityProviderConfig[], logger: Logger): ReadonlyMap<string, Provider> {
  return new Map(
    configs.map((config) => [config.id, config.kind === "github" ? createGithub(config, logger) : createIssuer(config, logger)]),
  );
}

/** An OpenID Connect issuer (OpenID Connect Core 1.0; its endpoints are found as its discovery document says). */
function createIssuer(config: IdentityProviderConfig, logger: Logger): Provider {
  let known: Promise<openid.Configuration> | undefined;
  const discover = async () => {
    known ??= openid.discovery(new URL(config.url), config.clientId, config.clientSecret.reveal(), undefined, {
      timeout: timeoutSeconds,
      ...(isPlain(config.url) && { execute: [openid.allowInsecureRequests] }),
    });
    try {
      return await known;
    } catch (error) {
      known = undefined; // it may be there the next time
      throw error;
    }
  };
  return {
    ...common(config),
    begin: (redirectUri, secrets) =>
      explain(config, logger, async () =>
        openid.buildAuthorizationUrl(await discover(), {
          ...(await commonParameters(redirectUri, secrets, config)),
          nonce: secrets.nonce,
        }),
      ),
    finish: (callback, secrets) =>
      explain(config, logger, async () => {
        const configuration = await discover();
        const checks = {
          pkceCodeVerifier: secrets.verifier,
          expectedState: secrets.state,
          expectedNonce: secrets.nonce,
          idTokenExpected: true,
        };
        const tokens = await openid.authorizationCodeGrant(configuration, callback, checks);
        const claims = tokens.claims();
        if (claims === undefined) throw new Error("there is no ID token");
        const isComplete = claims["email"] !== undefined || configuration.serverMetadata().userinfo_endpoint === undefined;
        const said = isComplete ? claims : { ...claims, ...(await openid.fetchUserInfo(configuration, tokens.access_token, claims.sub)) };
        return {
          subject: claims.sub,
          name: textOf(said["name"]) ?? textOf(said["preferred_username"]),
          email: said["email_verified"] === true ? (textOf(said["email"])?.toLowerCase() ?? null) : null,
        };
      }),
  };
}

/** GitHub, or a GitHub Enterprise Server: OAuth 2.0 without OpenID Connect, and an API that says who it was. */
function createGithub(config: IdentityProviderConfig, logger: Logger): Provider {
  const api = config.url === "https://github.com" ? "https://api.github.com" : `${config.url}/api/v3`;
  const endpoints = {
    issuer: config.url,
    authorization_endpoint: `${config.url}/login/oauth/authorize`,
    token_endpoint: `${config.url}/login/oauth/access_token`,
  };
  const configuration = new openid.Configuration(endpoints, config.clientId, config.clientSecret.reveal());
  configuration.timeout = timeoutSeconds;
  if (isPlain(config.url)) openid.allowInsecureRequests(configuration);
  const read = async (path: string, token: string): Promise<unknown> => {
    const answer = await openid.fetchProtectedResource(configuration, token, new URL(`${api}${path}`), "GET", null, accept);
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
    return await answer.json();
  };
  return {
    ...common(config),
    begin: (redirectUri, secrets) =>
      explain(config, logger, async () =>
        openid.buildAuthorizationUrl(configuration, await commonParameters(redirectUri, secrets, config)),
      ),
    finish: (callback, secrets) =>
      explain(config, logger, async () => {
        const checks = { pkceCodeVerifier: secrets.verifier, expectedState: secrets.state };
        const { access_token: token } = await openid.authorizationCodeGrant(configuration, callback, checks);
        const user = (await read("/user", token)) as { id?: unknown; login?: unknown; name?: unknown };
        const emails = (await read("/user/emails", token)) as { email?: unknown; primary?: unknown; verified?: unknown }[];
        if (typeof user.id !== "number") throw new Error("the user has no number");
        const primary = emails.find((entry) => entry.primary === true && entry.verified === true);
        return {
          subject: String(user.id),
          name: textOf(user.name) ?? textOf(user.login),
          email: textOf(primary?.email)?.toLowerCase() ?? null,
        };
      }),
  };
}

const accept = new Headers({ accept: "application/json", "user-agent": "syla" });

function common({ id, name, signUp }: IdentityProviderConfig): Pick<Provider, "id" | "name" | "signUp"> {
  return { id, name, signUp };
}

async function commonParameters(redirectUri: string, { state, verifier }: FlowSecrets, { scopes }: IdentityProviderConfig) {
  return {
    redirect_uri: redirectUri,
    scope: scopes.join(" "),
    state,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  };
}

/** Plain HTTP is for issuers on this machine; the configuration takes no others. */
function isPlain(url: string): boolean {
  return url.startsWith("http:");
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** What went wrong is for the log: it may hold what only the provider and we should know. */
async function explain<T>({ id }: IdentityProviderConfig, logger: Logger, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof openid.AuthorizationResponseError)
      throw new AppError("identity_refused", {
        cause,
        ...(cause.error === "access_denied" ? {} : { message: `The provider answered \`${cause.error}\`.` }),
      });
    logger.warn({ err: cause, provider: id }, "an identity provider could not be used");
    throw new AppError("identity_provider_failed", { cause });
  }
}
