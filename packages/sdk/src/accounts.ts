import type { ApiKey, Session, User } from "@syla/contracts/accounts";
import type { RouteBody } from "@syla/contracts/route";
import type { accountRoutes } from "@syla/contracts/accounts";
import type { CallOptions, Transport } from "./transport.ts";

/** A key as it is shown once, when it is made. */
export interface NewApiKey extends ApiKey {
  readonly key: string;
}

/** Who you are, and what lets you in. */
export interface Accounts {
  readonly me: { get(options?: CallOptions): Promise<User> };
  readonly setup: {
    /** Whether the first admin is still to be named, and whether `token` may do it. */
    status(token?: string, options?: CallOptions): Promise<{ needed: boolean; tokenValid: boolean }>;
    /** Names the first admin and signs in. */
    complete(input: RouteBody<typeof accountRoutes.completeSetup>, options?: CallOptions): Promise<User>;
  };
  readonly sessions: {
    /** Signs in; the session travels in a cookie, so this is for browsers. */
    create(input: RouteBody<typeof accountRoutes.signIn>, options?: CallOptions): Promise<User>;
    /** Signs out. */
    end(options?: CallOptions): Promise<void>;
    list(options?: CallOptions): Promise<readonly Session[]>;
    revoke(id: string, options?: CallOptions): Promise<void>;
  };
  readonly apiKeys: {
    list(options?: CallOptions): Promise<readonly ApiKey[]>;
    create(input: RouteBody<typeof accountRoutes.createApiKey>, options?: CallOptions): Promise<NewApiKey>;
    delete(id: string, options?: CallOptions): Promise<void>;
  };
}

export function createAccounts(transport: Transport): Accounts {
  return {
    me: { get: (options = {}) => transport.json("getMe", options) },
    setup: {
      status: (token, options = {}) => transport.json("getSetup", { ...options, query: token === undefined ? {} : { token } }),
      complete: (input, options = {}) => transport.json("completeSetup", { ...options, body: input }),
    },
    sessions: {
      create: (input, options = {}) => transport.json("signIn", { ...options, body: input }),
      end: async (options = {}) => void (await transport.json("signOut", options)),
      list: async (options = {}) => (await transport.json("listSessions", options)).items,
      revoke: async (id, options = {}) => void (await transport.json("revokeSession", { ...options, params: { id } })),
    },
    apiKeys: {
      list: async (options = {}) => (await transport.json("listApiKeys", options)).items,
      create: (input, options = {}) => transport.json("createApiKey", { ...options, body: input }),
      delete: async (id, options = {}) => void (await transport.json("deleteApiKey", { ...options, params: { id } })),
    },
  };
}
