import type { Credential, credentialRoutes, KeyRotation } from "@syla/contracts/credentials";
import type { RouteBody, RouteOutput, RouteQuery } from "@syla/contracts/route";
import { iteratePages } from "./pages.ts";
import type { Page } from "./runs.ts";
import type { CallOptions, ChangeOptions, CreateOptions, Transport } from "./transport.ts";

/** A credential, and what uses it. */
export type CredentialWithUses = RouteOutput<typeof credentialRoutes.getCredential>;

/** Stored secrets. Their values go in and never come out. */
export interface Credentials {
  /** Yours and those of your teams, newest first. */
  list(
    query?: Omit<RouteQuery<typeof credentialRoutes.listCredentials>, "cursor" | "limit">,
    options?: CallOptions,
  ): AsyncGenerator<Credential, void, void>;
  create(input: RouteBody<typeof credentialRoutes.createCredential>, options?: CreateOptions): Promise<Credential>;
  get(id: string, options?: CallOptions): Promise<CredentialWithUses>;
  /** Replaces the value, or changes what is known of it. */
  update(id: string, change: RouteBody<typeof credentialRoutes.updateCredential>, options?: ChangeOptions): Promise<Credential>;
  /** Refused while something uses it, unless `force` is set. */
  delete(id: string, query?: { readonly force?: boolean }, options?: CallOptions): Promise<void>;
  /** Seals all of them with a new key; for administrators. */
  rotateKeys(options?: CallOptions): Promise<KeyRotation>;
}

export function createCredentials(transport: Transport): Credentials {
  return {
    list: (query = {}, options = {}) =>
      iteratePages((cursor): Promise<Page<Credential>> =>
        transport.json("listCredentials", { ...options, query: { ...query, limit: 200, ...(cursor !== null && { cursor }) } }),
      ),
    create: (input, options = {}) => transport.json("createCredential", { ...options, body: input }),
    get: (id, options = {}) => transport.json("getCredential", { ...options, params: { id } }),
    update: (id, change, options = {}) => transport.json("updateCredential", { ...options, params: { id }, body: change }),
    delete: async (id, { force = false } = {}, options = {}) =>
      void (await transport.json("deleteCredential", { ...options, params: { id }, query: force ? { force: "true" } : {} })),
    rotateKeys: (options = {}) => transport.json("rotateKeys", options),
  };
}
