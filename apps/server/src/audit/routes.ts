import { Readable } from "node:stream";
import { auditRoutes } from "@syla/contracts/audit";
import type { Http } from "../access/http.ts";
import { answer } from "../platform/http-call.ts";
import type { AuditTrail } from "./trail.ts";

const types = { csv: "text/csv; charset=utf-8", json: "application/json; charset=utf-8" } as const;

/** Binds what administrators read of the audit trail. */
export function registerAuditRoutes(http: Http, trail: AuditTrail): void {
  http.bind(auditRoutes.listAudit, async ({ query }) => await trail.list(query));
  http.bind(auditRoutes.verifyAudit, async () => await trail.verify());
  http.bind(auditRoutes.exportAudit, async ({ query }, call) => {
    call.trail.resourceType = "audit";
    call.trail.details = query;
    const day = new Date().toISOString().slice(0, 10);
    return answer(200, Readable.from(trail.export(query)), {
      "content-type": types[query.format],
      "content-disposition": `attachment; filename="audit-${day}.${query.format}"`,
      "cache-control": "private, no-store",
    });
  });
}
