import type { accountRoutes, Me, Session } from "@syla/contracts/accounts";
import type { ApiKey, ApiKeyScope, apiKeyRoutes, NewApiKey } from "@syla/contracts/api-keys";
import type { DeviceCode, DeviceRequest } from "@syla/contracts/device-login";
import type { Identity, IdentityProvider } from "@syla/contracts/identities";
import type { RouteBody, RouteQuery } from "@syla/contracts/route";
import type { Invitation, NewInvitation, OneTimeLink, SignUpMode, signUpRoutes } from "@syla/contracts/sign-up";
import type { TokenPair, tokenRoutes } from "@syla/contracts/tokens";
import type { Page } from "./runs.ts";
import type { CallOptions, Transport } from "./transport.ts";

type Body<R extends keyof AccountTable> = RouteBody<AccountTable[R]>;
type AccountTable = typeof accountRoutes & typeof apiKeyRoutes & typeof signUpRoutes & typeof tokenRoutes;

/** Who you are, and what lets you in. */
export interface Accounts {
  readonly me: {
    get(options?: CallOptions): Promise<Me>;
    update(change: Body<"updateMe">, options?: CallOptions): Promise<Me>;
    /** Ends your other sessions. */
    changePassword(input: Body<"changePassword">, options?: CallOptions): Promise<void>;
    /** Has a link sent that confirms your address, or a new one in its place (which needs the password). */
    verifyEmail(input?: Body<"requestEmailVerification">, options?: CallOptions): Promise<void>;
    readonly twoFactor: {
      get(options?: CallOptions): Promise<{ enabled: boolean; recoveryCodesLeft: number; needed: boolean }>;
      /** Makes a secret for an authenticator; `confirm` turns it on. */
      begin(password: string, options?: CallOptions): Promise<{ secret: string; uri: string }>;
      /** Answers the recovery codes, this once. */
      confirm(code: string, options?: CallOptions): Promise<readonly string[]>;
      /** New recovery codes, this once; the ones before are worth nothing any more. */
      renewCodes(input: { password: string; code: string }, options?: CallOptions): Promise<readonly string[]>;
      disable(input: { password: string; code: string }, options?: CallOptions): Promise<void>;
    };
    /** Accounts elsewhere that let you in. */
    readonly identities: {
      list(options?: CallOptions): Promise<readonly Identity[]>;
      /** Begins to link one: open the address in the same browser. */
      link(input: { provider: string; password: string }, options?: CallOptions): Promise<string>;
      unlink(id: string, options?: CallOptions): Promise<void>;
    };
  };
  readonly signInProviders: {
    list(options?: CallOptions): Promise<readonly IdentityProvider[]>;
    /** Where to send a browser that signs in by a provider. */
    startUrl(provider: string, returnTo: string): string;
    /** The code of the authenticator, when the sign-in page is asked for it. */
    secondFactor(code: string, options?: CallOptions): Promise<Me>;
  };
  /** Short-lived tokens for services. */
  readonly tokens: {
    create(input: Body<"createToken">, options?: CallOptions): Promise<TokenPair>;
    revoke(refreshToken: string, options?: CallOptions): Promise<void>;
  };
  readonly setup: {
    /** Whether the first admin is still to be named, and whether `token` may do it. */
    status(token?: string, options?: CallOptions): Promise<{ needed: boolean; tokenValid: boolean }>;
    /** Names the first admin and signs in. */
    complete(input: Body<"completeSetup">, options?: CallOptions): Promise<Me>;
  };
  readonly signUp: {
    /** Who may make an account. */
    policy(
      options?: CallOptions,
    ): Promise<{ mode: SignUpMode; domains: readonly string[]; passwords: boolean; passwordLength: number; mail: boolean }>;
    /** Has the link sent that makes an account. */
    request(email: string, options?: CallOptions): Promise<void>;
    /** Makes the account with the token of a link or an invitation, and signs in. */
    complete(input: Body<"completeSignUp">, options?: CallOptions): Promise<Me>;
    /** Confirms an address with the token that was sent to it. */
    confirmEmail(token: string, options?: CallOptions): Promise<string>;
  };
  readonly passwordReset: {
    /** Has the link sent, if the address has an account. */
    request(email: string, options?: CallOptions): Promise<void>;
    complete(input: Body<"completePasswordReset">, options?: CallOptions): Promise<void>;
    /** A link for somebody else, for administrators. */
    createFor(userId: string, options?: CallOptions): Promise<OneTimeLink>;
  };
  readonly invitations: {
    list(query?: RouteQuery<typeof signUpRoutes.listInvitations>, options?: CallOptions): Promise<Page<Invitation>>;
    /** The link is in the answer, this once. */
    create(input: Body<"createInvitation">, options?: CallOptions): Promise<NewInvitation>;
    revoke(id: string, options?: CallOptions): Promise<void>;
  };
  readonly sessions: {
    /** Signs in; the session travels in a cookie, so this is for browsers. */
    create(input: Body<"signIn">, options?: CallOptions): Promise<Me>;
    /** Signs out. */
    end(options?: CallOptions): Promise<void>;
    list(options?: CallOptions): Promise<readonly Session[]>;
    revoke(id: string, options?: CallOptions): Promise<void>;
  };
  readonly apiKeys: {
    list(options?: CallOptions & { readonly userId?: string | undefined }): Promise<readonly ApiKey[]>;
    /** The parts of the API that a key can be made for. */
    scopes(options?: CallOptions): Promise<readonly ApiKeyScope[]>;
    create(input: Body<"createApiKey">, options?: CallOptions): Promise<NewApiKey>;
    delete(id: string, options?: CallOptions): Promise<void>;
  };
  /** Signing in a program that has no browser (RFC 8628). */
  readonly deviceCodes: {
    create(clientName: string, options?: CallOptions): Promise<DeviceCode>;
    /** Fails with `authorization_pending` or `slow_down` until a person has decided. */
    redeem(deviceCode: string, options?: CallOptions): Promise<NewApiKey & { readonly user: Me }>;
    /** What asks to be let in. */
    get(userCode: string, options?: CallOptions): Promise<DeviceRequest>;
    decide(userCode: string, approve: boolean, options?: CallOptions): Promise<void>;
  };
}

export function createAccounts(transport: Transport): Accounts {
  return {
    me: createMe(transport),
    signInProviders: {
      list: async (options = {}) => (await transport.json("listIdentityProviders", options)).items,
      startUrl: (provider, returnTo) => transport.url("startProviderSignIn", { params: { provider }, query: { returnTo } }),
      secondFactor: (code, options = {}) => transport.json("finishProviderSecondFactor", { ...options, body: { code } }),
    },
    tokens: {
      create: (input, options = {}) => transport.json("createToken", { ...options, body: input }),
      revoke: async (refreshToken, options = {}) => void (await transport.json("revokeToken", { ...options, body: { refreshToken } })),
    },
    setup: {
      status: (token, options = {}) => transport.json("getSetup", { ...options, query: token === undefined ? {} : { token } }),
      complete: (input, options = {}) => transport.json("completeSetup", { ...options, body: input }),
    },
    signUp: {
      policy: (options = {}) => transport.json("getSignUp", options),
      request: async (email, options = {}) => void (await transport.json("requestSignUp", { ...options, body: { email } })),
      complete: (input, options = {}) => transport.json("completeSignUp", { ...options, body: input }),
      confirmEmail: async (token, options = {}) => (await transport.json("confirmEmail", { ...options, body: { token } })).email,
    },
    passwordReset: {
      request: async (email, options = {}) => void (await transport.json("requestPasswordReset", { ...options, body: { email } })),
      complete: async (input, options = {}) => void (await transport.json("completePasswordReset", { ...options, body: input })),
      createFor: (id, options = {}) => transport.json("createPasswordReset", { ...options, params: { id } }),
    },
    invitations: {
      list: (query = {}, options = {}) => transport.json("listInvitations", { ...options, query }),
      create: (input, options = {}) => transport.json("createInvitation", { ...options, body: input }),
      revoke: async (id, options = {}) => void (await transport.json("revokeInvitation", { ...options, params: { id } })),
    },
    sessions: {
      create: (input, options = {}) => transport.json("signIn", { ...options, body: input }),
      end: async (options = {}) => void (await transport.json("signOut", options)),
      list: async (options = {}) => (await transport.json("listSessions", options)).items,
      revoke: async (id, options = {}) => void (await transport.json("revokeSession", { ...options, params: { id } })),
    },
    apiKeys: {
      list: async ({ userId, ...options } = {}) => (await transport.json("listApiKeys", { ...options, query: { userId } })).items,
      scopes: async (options = {}) => (await transport.json("listApiKeyScopes", options)).items,
      create: (input, options = {}) => transport.json("createApiKey", { ...options, body: input }),
      delete: async (id, options = {}) => void (await transport.json("deleteApiKey", { ...options, params: { id } })),
    },
    deviceCodes: {
      create: (clientName, options = {}) => transport.json("createDeviceCode", { ...options, body: { clientName } }),
      redeem: (deviceCode, options = {}) => transport.json("redeemDeviceCode", { ...options, body: { deviceCode } }),
      get: (userCode, options = {}) => transport.json("getDeviceRequest", { ...options, params: { userCode } }),
      decide: async (userCode, approve, options = {}) =>
        void (await transport.json("decideDeviceRequest", { ...options, params: { userCode }, body: { approve } })),
    },
  };
}

function createMe(transport: Transport): Accounts["me"] {
  return {
    get: (options = {}) => transport.json("getMe", options),
    update: (change, options = {}) => transport.json("updateMe", { ...options, body: change }),
    changePassword: async (input, options = {}) => void (await transport.json("changePassword", { ...options, body: input })),
    verifyEmail: async (input = {}, options = {}) => void (await transport.json("requestEmailVerification", { ...options, body: input })),
    twoFactor: {
      get: (options = {}) => transport.json("getTwoFactor", options),
      begin: (password, options = {}) => transport.json("beginTwoFactor", { ...options, body: { password } }),
      confirm: async (code, options = {}) => (await transport.json("confirmTwoFactor", { ...options, body: { code } })).recoveryCodes,
      renewCodes: async (input, options = {}) => (await transport.json("renewRecoveryCodes", { ...options, body: input })).recoveryCodes,
      disable: async (input, options = {}) => void (await transport.json("disableTwoFactor", { ...options, body: input })),
    },
    identities: {
      list: async (options = {}) => (await transport.json("listIdentities", options)).items,
      link: async (input, options = {}) => (await transport.json("linkIdentity", { ...options, body: input })).url,
      unlink: async (id, options = {}) => void (await transport.json("unlinkIdentity", { ...options, params: { id } })),
    },
  };
}
