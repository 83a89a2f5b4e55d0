import { z } from "zod";
import { pageOf, pageQuery } from "./page.ts";
import { route } from "./route.ts";

/** How what is told of went: done, refused to who asked, or failed. */
export const AuditOutcome = z.enum(["ok", "denied", "failed"]);
export type AuditOutcome = z.infer<typeof AuditOutcome>;

/** One entry of the audit trail. */
export const AuditEvent = z
  .object({
    id: z.string(),
    at: z.iso.datetime(),
    actorId: z.string().nullable(),
    actorName: z.string().describe("as it was then"),
    actorRole: z.string().nullable(),
    via: z
      .string()
      .describe(
        "`session`, `api-key`, `token`, `local`; `server` for what somebody had asked for before; `link` or `none` when nobody was signed in",
      ),
    impersonatorId: z.string().nullable().describe("the administrator who acted as this person"),
    action: z.string(),
    resourceType: z.string().nullable(),
    resourceId: z.string().nullable(),
    outcome: AuditOutcome,
    errorCode: z.string().nullable(),
    ip: z.string().nullable(),
    userAgent: z.string().nullable(),
    requestId: z.string().nullable(),
    details: z.record(z.string(), z.unknown()),
    seal: z.int().nullable().describe("the batch that it is sealed in; null for the few seconds until then"),
  })
  .meta({ id: "AuditEvent" });
export type AuditEvent = z.infer<typeof AuditEvent>;

const text = z
  .string()
  .min(1)
  .max(200)
  .refine((value) => !value.includes("\0"), "must not contain NUL");

const filterFields = {
  actor: text.optional().describe("id of a person"),
  action: text.optional().describe("`run.create`, or `run.*` for all that begin so"),
  resourceType: text.optional(),
  resource: text.optional().describe("id of the thing it was about"),
  outcome: AuditOutcome.optional(),
  since: z.iso.datetime().optional(),
  until: z.iso.datetime().optional(),
  q: text.optional().describe("part of an actor's name, an action, the id of a thing or of a request, or an address"),
};

export const AuditFilter = z.object({ ...filterFields, ...pageQuery });
export type AuditFilter = z.output<typeof AuditFilter>;
export const AuditExportFilter = z.object({ ...filterFields, format: z.enum(["json", "csv"]).default("json") });
export type AuditExportFilter = z.output<typeof AuditExportFilter>;

/** The first thing that is not as it was sealed. */
export const AuditProblem = z
  .object({
    kind: z.enum(["event_changed", "event_missing", "event_added", "seal_changed", "seal_missing", "seal_added"]),
    seal: z.int(),
    eventId: z.string().nullable(),
    message: z.string(),
  })
  .meta({ id: "AuditProblem" });
export type AuditProblem = z.infer<typeof AuditProblem>;

const Link = z.object({ seal: z.int(), hash: z.string() });

export const AuditVerification = z
  .object({
    ok: z.boolean(),
    problem: AuditProblem.nullable(),
    events: z.int().describe("sealed events that were checked"),
    seals: z.int(),
    unsealed: z.int().describe("events of the last seconds, which are not sealed yet"),
    anchor: Link.describe("where the chain begins: zeros, or the last seal that was removed because of its age"),
    head: Link.describe("the newest seal; keep it elsewhere to prove later that nothing was cut off"),
  })
  .meta({ id: "AuditVerification" });
export type AuditVerification = z.infer<typeof AuditVerification>;

export const auditRoutes = {
  listAudit: route({
    method: "GET",
    path: "/api/v1/audit",
    summary: "The audit trail, newest first (administrators)",
    tag: "audit",
    auth: "admin",
    query: AuditFilter,
    responses: { 200: pageOf(AuditEvent) },
    errors: ["forbidden", "invalid_cursor"],
  }),
  exportAudit: route({
    method: "GET",
    path: "/api/v1/audit/export",
    summary: "The audit trail as a file, newest first (administrators)",
    tag: "audit",
    auth: "admin",
    audit: "admin.audit_export",
    query: AuditExportFilter,
    responses: { 200: "bytes" },
    errors: ["forbidden"],
  }),
  verifyAudit: route({
    method: "GET",
    path: "/api/v1/audit/verify",
    summary: "Check that no sealed event was changed, removed or added (administrators)",
    tag: "audit",
    auth: "admin",
    responses: { 200: AuditVerification },
    errors: ["forbidden"],
  }),
};
