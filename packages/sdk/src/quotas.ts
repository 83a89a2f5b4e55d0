import type { KeyQuotaInput, KeyQuotas, QuotaInput, quotaRoutes } from "@syla/contracts/quotas";
import type { RouteOutput, RouteQuery } from "@syla/contracts/route";
import type { Usage, UsageGroups, usageRoutes } from "@syla/contracts/usage";
import type { CallOptions, Transport } from "./transport.ts";

/** The quotas of a person. */
export type QuotaList = RouteOutput<typeof quotaRoutes.listQuotas>;

/** What people may use. */
export interface Quotas {
  /** Yours; for administrators, those of a person. */
  list(userId?: string, options?: CallOptions): Promise<QuotaList>;
  /** Changes some of a person's: null is the role's default, -1 no limit. For administrators. */
  update(userId: string, input: QuotaInput, options?: CallOptions): Promise<QuotaList>;
  /** Of one of your API keys; for administrators, of anybody's. */
  ofKey(apiKeyId: string, options?: CallOptions): Promise<KeyQuotas>;
  /** Changes some of a key's, within your own: null is none of its own. */
  updateKey(apiKeyId: string, input: KeyQuotaInput, options?: CallOptions): Promise<KeyQuotas>;
}

/** What runs and calls are grouped by, and which. */
export type UsageGroupsQuery = Partial<RouteQuery<typeof usageRoutes.listUsageGroups>>;

/** What you used by day; for administrators, what a person (`user: id`) or everybody (`user: "all"`) used. */
export interface ReadUsage {
  (query?: Partial<RouteQuery<typeof usageRoutes.getUsage>>, options?: CallOptions): Promise<Usage>;
  /** What runs and calls of models came to, by day, person, team, program or model. */
  groups(query?: UsageGroupsQuery, options?: CallOptions): Promise<UsageGroups>;
  /** The same as CSV, its body unread. */
  export(query?: Omit<UsageGroupsQuery, "limit">, options?: CallOptions): Promise<Response>;
  exportUrl(query?: Omit<UsageGroupsQuery, "limit">): string;
  /** Counts all of it anew; for administrators. */
  recount(options?: CallOptions): Promise<RouteOutput<typeof usageRoutes.recountUsage>>;
}

export function createQuotas(transport: Transport): Quotas {
  return {
    list: (userId, options = {}) =>
      userId === undefined ? transport.json("listQuotas", options) : transport.json("getQuotas", { ...options, params: { userId } }),
    ofKey: (id, options = {}) => transport.json("getKeyQuotas", { ...options, params: { id } }),
    updateKey: (id, body, options = {}) => transport.json("updateKeyQuotas", { ...options, params: { id }, body, repeatable: true }),
    update: (userId, body, options = {}) => transport.json("updateQuotas", { ...options, params: { userId }, body, repeatable: true }),
  };
}

export function createUsage(transport: Transport): ReadUsage {
  const read = (query: Partial<RouteQuery<typeof usageRoutes.getUsage>> = {}, options: CallOptions = {}) =>
    transport.json("getUsage", { ...options, query });
  const more: Pick<ReadUsage, "groups" | "export" | "exportUrl" | "recount"> = {
    groups: (query = {}, options = {}) => transport.json("listUsageGroups", { ...options, query }),
    export: (query = {}, options = {}) => transport.raw("exportUsageGroups", { timeoutMs: 0, ...options, query }),
    exportUrl: (query = {}) => transport.url("exportUsageGroups", { query: { ...query } }),
    recount: (options = {}) => transport.json("recountUsage", { timeoutMs: 0, ...options, repeatable: true }),
  };
  return Object.assign(read, more);
}
