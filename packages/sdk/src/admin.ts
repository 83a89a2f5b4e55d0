import type { Role } from "@syla/contracts/accounts";
import type { AdminOverview, adminRoutes, Announcement, Delivery, UserHoldings, UserRecord } from "@syla/contracts/admin";
import type { RouteBody, RouteQuery } from "@syla/contracts/route";
import type { Setting } from "@syla/contracts/settings";
import type { Page } from "./runs.ts";
import type { CallOptions, Transport } from "./transport.ts";

/** Filters and page of the accounts. */
export type ListUsersQuery = Omit<Partial<RouteQuery<typeof adminRoutes.listUsers>>, "limit"> & { readonly limit?: number | undefined };
/** Filters and page of the deliveries. */
export type ListDeliveriesQuery = Omit<Partial<RouteQuery<typeof adminRoutes.listDeliveries>>, "limit"> & {
  readonly limit?: number | undefined;
};

/** What administrators do, and what people do with their own account as a whole. */
export interface AdminApi {
  /** Accounts. For administrators. */
  readonly users: {
    list(query?: ListUsersQuery, options?: CallOptions): Promise<Page<UserRecord>>;
    get(id: string, options?: CallOptions): Promise<UserRecord & { holdings: UserHoldings }>;
    setRole(id: string, role: Role, options?: CallOptions): Promise<UserRecord>;
    suspend(id: string, reason: string, options?: CallOptions): Promise<UserRecord>;
    reactivate(id: string, options?: CallOptions): Promise<UserRecord>;
    /** Answers how many sessions there were. */
    signOut(id: string, options?: CallOptions): Promise<number>;
    /** For somebody who has lost their second factor: it goes, and they are signed out and told. */
    resetTwoFactor(id: string, reason: string, options?: CallOptions): Promise<UserRecord>;
    /** With its runs, unless `transferTo` gets them. */
    delete(id: string, query?: { readonly transferTo?: string }, options?: CallOptions): Promise<void>;
    /** Everything about a person as one JSON document, its body unread. */
    export(id: string, reason: string, options?: CallOptions): Promise<Response>;
    /** Acts as somebody else in this browser. */
    impersonate(id: string, reason: string, options?: CallOptions): Promise<{ userId: string; expiresAt: string }>;
  };
  /** For administrators. */
  readonly admin: {
    overview(options?: CallOptions): Promise<AdminOverview>;
    /** What the server is configured to do; secrets are left out. */
    settings(options?: CallOptions): Promise<readonly Setting[]>;
    /** Changes settings while the server runs, all or none; null is the default again. Answers all settings as they are then. */
    updateSettings(values: Readonly<Record<string, string | null>>, options?: CallOptions): Promise<readonly Setting[]>;
    listDeliveries(query?: ListDeliveriesQuery, options?: CallOptions): Promise<Page<Delivery>>;
    readDelivery(id: string, options?: CallOptions): Promise<Delivery & { text: string | null }>;
    retryDelivery(id: string, options?: CallOptions): Promise<Delivery>;
    createAnnouncement(input: RouteBody<typeof adminRoutes.createAnnouncement>, options?: CallOptions): Promise<Announcement>;
    deleteAnnouncement(id: string, options?: CallOptions): Promise<void>;
  };
  readonly announcements: { list(options?: CallOptions): Promise<readonly Announcement[]> };
  readonly impersonation: {
    get(options?: CallOptions): Promise<{ active: boolean; reason: string | null; expiresAt: string | null }>;
    stop(options?: CallOptions): Promise<void>;
  };
  readonly account: {
    /** Everything about you as one JSON document, its body unread. */
    export(options?: CallOptions): Promise<Response>;
    delete(input: RouteBody<typeof adminRoutes.deleteMe>, options?: CallOptions): Promise<void>;
  };
}

export function createAdmin(transport: Transport): AdminApi {
  return {
    users: {
      list: (query = {}, options = {}) => transport.json("listUsers", { ...options, query }),
      get: (id, options = {}) => transport.json("getUser", { ...options, params: { id } }),
      setRole: (id, role, options = {}) => transport.json("updateUser", { ...options, params: { id }, body: { role }, repeatable: true }),
      suspend: (id, reason, options = {}) =>
        transport.json("suspendUser", { ...options, params: { id }, body: { reason }, repeatable: true }),
      reactivate: (id, options = {}) => transport.json("reactivateUser", { ...options, params: { id }, repeatable: true }),
      signOut: async (id, options = {}) => (await transport.json("signOutUser", { ...options, params: { id } })).ended,
      resetTwoFactor: (id, reason, options = {}) => transport.json("resetTwoFactor", { ...options, params: { id }, body: { reason } }),
      delete: async (id, query = {}, options = {}) => void (await transport.json("deleteUser", { ...options, params: { id }, query })),
      export: (id, reason, options = {}) => transport.raw("exportUser", { timeoutMs: 0, ...options, params: { id }, body: { reason } }),
      impersonate: (id, reason, options = {}) => transport.json("impersonateUser", { ...options, params: { id }, body: { reason } }),
    },
    admin: {
      settings: async (options = {}) => (await transport.json("listSettings", options)).items,
      updateSettings: async (values, options = {}) =>
        (await transport.json("updateSettings", { ...options, body: { values }, repeatable: true })).items,
      overview: (options = {}) => transport.json("getAdminOverview", options),
      listDeliveries: (query = {}, options = {}) => transport.json("listDeliveries", { ...options, query }),
      readDelivery: (id, options = {}) => transport.json("getDelivery", { ...options, params: { id } }),
      retryDelivery: (id, options = {}) => transport.json("retryDelivery", { ...options, params: { id } }),
      createAnnouncement: (body, options = {}) => transport.json("createAnnouncement", { ...options, body }),
      deleteAnnouncement: async (id, options = {}) => void (await transport.json("deleteAnnouncement", { ...options, params: { id } })),
    },
    announcements: { list: async (options = {}) => (await transport.json("listAnnouncements", options)).items },
    impersonation: {
      get: (options = {}) => transport.json("getImpersonation", options),
      stop: async (options = {}) => void (await transport.json("stopImpersonation", options)),
    },
    account: {
      export: (options = {}) => transport.raw("exportMyData", { timeoutMs: 0, ...options }),
      delete: async (body, options = {}) => void (await transport.json("deleteMe", { ...options, body })),
    },
  };
}
