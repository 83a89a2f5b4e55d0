import type { Access, AccessLevel, accessRoutes, Grant, PersonAccess, ResourceType } from "@syla/contracts/access";
import type { LinkedThing } from "@syla/contracts/linked-things";
import type { RouteBody } from "@syla/contracts/route";
import { iteratePages } from "./pages.ts";
import type { Page } from "./runs.ts";
import type { CallOptions, Transport } from "./transport.ts";

/** A run or a sandbox. */
export interface ThingRef {
  readonly resourceType: ResourceType;
  readonly resourceId: string;
}

/** A link as it is shown once, when it is made. */
export interface NewShareLink {
  readonly grant: Grant;
  readonly token: string;
  readonly url: string;
  /** Whoever has it may view without signing in; false: only people who sign in. */
  readonly anonymous: boolean;
}

/** Sharing of runs and sandboxes. */
export interface Sharing {
  /** What you may do with a thing, and why. */
  access(thing: ThingRef, options?: CallOptions): Promise<Access>;
  /** Everybody who has access, and why. */
  people(thing: ThingRef, options?: CallOptions): AsyncGenerator<PersonAccess, void, void>;
  /** Everything that was granted, newest first. */
  grants(thing: ThingRef, options?: CallOptions): AsyncGenerator<Grant, void, void>;
  /** Shares with a person (`email`) or a team (`teamId`). */
  share(input: RouteBody<typeof accessRoutes.createGrant>, options?: CallOptions): Promise<Grant>;
  update(grantId: string, change: RouteBody<typeof accessRoutes.updateGrant>, options?: CallOptions): Promise<Grant>;
  revoke(grantId: string, options?: CallOptions): Promise<void>;
  createLink(input: RouteBody<typeof accessRoutes.createShareLink>, options?: CallOptions): Promise<NewShareLink>;
  /** Makes a link anew in place of one that is lost or has got around; the one before leads nowhere any more. */
  renewLink(grantId: string, options?: CallOptions): Promise<NewShareLink>;
  /** What the link leads to whose token is this client's key, for somebody who is not signed in. */
  link(options?: CallOptions): Promise<LinkedThing>;
  /** Takes the access that a link gives. */
  redeemLink(token: string, options?: CallOptions): Promise<ThingRef & { readonly level: AccessLevel }>;
}

export function createSharing(transport: Transport): Sharing {
  return {
    access: (thing, options = {}) => transport.json("getAccess", { ...options, query: { ...thing } }),
    people: (thing, options = {}) =>
      iteratePages((cursor): Promise<Page<PersonAccess>> =>
        transport.json("listPeople", { ...options, query: { ...thing, limit: 200, ...(cursor !== null && { cursor }) } }),
      ),
    grants: (thing, options = {}) =>
      iteratePages((cursor): Promise<Page<Grant>> =>
        transport.json("listGrants", { ...options, query: { ...thing, limit: 200, ...(cursor !== null && { cursor }) } }),
      ),
    share: (input, options = {}) => transport.json("createGrant", { ...options, body: input, repeatable: true }),
    update: (id, change, options = {}) => transport.json("updateGrant", { ...options, params: { id }, body: change }),
    revoke: async (id, options = {}) => void (await transport.json("deleteGrant", { ...options, params: { id } })),
    createLink: (input, options = {}) => transport.json("createShareLink", { ...options, body: input }),
    renewLink: (id, options = {}) => transport.json("renewShareLink", { ...options, params: { id } }),
    link: (options = {}) => transport.json("getShareLink", options),
    redeemLink: (token, options = {}) => transport.json("redeemShareLink", { ...options, body: { token }, repeatable: true }),
  };
}
