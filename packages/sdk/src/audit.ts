import type { AuditEvent, auditRoutes, AuditVerification } from "@syla/contracts/audit";
import type { RouteQuery } from "@syla/contracts/route";
import { iteratePages } from "./pages.ts";
import type { Page } from "./runs.ts";
import type { CallOptions, Transport } from "./transport.ts";

/** Filters and page of the audit trail. */
export type AuditQuery = Omit<Partial<RouteQuery<typeof auditRoutes.listAudit>>, "limit"> & { readonly limit?: number | undefined };

/** Filters of an export, and its format: `json` or `csv`. */
export type AuditExportQuery = Partial<RouteQuery<typeof auditRoutes.exportAudit>>;

/** Who did what, to what, and how it went. For administrators. */
export interface Audit {
  list(query?: AuditQuery, options?: CallOptions): Promise<Page<AuditEvent>>;
  /** All pages, one event after another, newest first. */
  iterate(query?: AuditQuery, options?: CallOptions): AsyncGenerator<AuditEvent, void, void>;
  /** Everything that the filters let through, its body unread. */
  export(query?: AuditExportQuery, options?: CallOptions): Promise<Response>;
  exportUrl(query?: AuditExportQuery): string;
  /** Checks the chain of seals; names the first thing that is not as it was sealed. */
  verify(options?: CallOptions): Promise<AuditVerification>;
}

export function createAudit(transport: Transport): Audit {
  const list: Audit["list"] = (query = {}, options = {}) => transport.json("listAudit", { ...options, query });
  return {
    list,
    iterate: (query, options) => iteratePages((cursor) => list({ ...query, ...(cursor !== null && { cursor }) }, options)),
    export: (query = {}, options = {}) => transport.raw("exportAudit", { timeoutMs: 0, ...options, query }),
    exportUrl: (query = {}) => transport.url("exportAudit", { query: { ...query } }),
    verify: (options = {}) => transport.json("verifyAudit", { timeoutMs: 0, ...options }),
  };
}
