import type { AuditEvent, AuditExportFilter, AuditFilter, AuditVerification } from "@syla/contracts/audit";
import { AppError } from "@syla/contracts/errors";
import type { Database } from "../platform/database.ts";
import { toCsvLine } from "../platform/csv-line.ts";
import { listEvents, type AuditRow } from "./store.ts";
import { verifyTrail } from "./verify.ts";

const rowsAtOnce = 1000;

/** What administrators read of the audit trail. */
export interface AuditTrail {
  list(filter: AuditFilter): Promise<{ items: AuditEvent[]; nextCursor: string | null }>;
  /** Everything that the filter lets through, as text of a JSON array or of CSV, piece by piece. */
  export(filter: AuditExportFilter): AsyncGenerator<string>;
  verify(): Promise<AuditVerification>;
}

export function createAuditTrail(database: Database): AuditTrail {
  return {
    async list({ cursor, limit, ...filter }) {
      const rows = await listEvents(database.queries, { ...filter, before: decodeCursor(cursor) }, limit + 1);
      const items = rows.slice(0, limit).map(toEvent);
      const last = rows.length > limit ? items.at(-1) : undefined;
      return { items, nextCursor: last === undefined ? null : Buffer.from(last.id).toString("base64url") };
    },
    export: ({ format, ...filter }) => (format === "csv" ? asCsv(database, filter) : asJson(database, filter)),
    verify: () => verifyTrail(database.queries),
  };
}

type Search = Omit<AuditExportFilter, "format">;

async function* readAll(database: Database, search: Search): AsyncGenerator<AuditEvent[]> {
  let before: string | null = null;
  do {
    const rows: AuditRow[] = await listEvents(database.queries, { ...search, before }, rowsAtOnce);
    yield rows.map(toEvent);
    before = rows.length < rowsAtOnce ? null : (rows.at(-1)?.id ?? null);
  } while (before !== null);
}

async function* asJson(database: Database, search: Search): AsyncGenerator<string> {
  let separator = "[\n";
  for await (const events of readAll(database, search)) {
    if (events.length === 0) continue;
    yield separator + events.map((event) => JSON.stringify(event)).join(",\n");
    separator = ",\n";
  }
  yield separator === "[\n" ? "[]\n" : "\n]\n";
}

const columns = [
  "id",
  "at",
  "actorId",
  "actorName",
  "actorRole",
  "via",
  "impersonatorId",
  "action",
  "resourceType",
  "resourceId",
  "outcome",
  "errorCode",
  "ip",
  "userAgent",
  "requestId",
  "details",
  "seal",
] as const satisfies readonly (keyof AuditEvent)[];

async function* asCsv(database: Database, search: Search): AsyncGenerator<string> {
  yield toCsvLine(columns);
  for await (const events of readAll(database, search)) {
    yield events.map((event) => toCsvLine(columns.map((column) => cellOf(event[column])))).join("");
  }
}

function cellOf(value: AuditEvent[keyof AuditEvent]): string {
  if (value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function toEvent(row: AuditRow): AuditEvent {
  return {
    id: row.id,
    at: row.at.toISOString(),
    actorId: row.actor_id,
    actorName: row.actor_name,
    actorRole: row.actor_role,
    via: row.via,
    impersonatorId: row.impersonator_id,
    action: row.action,
    resourceType: row.resource_type,
    resourceId: row.resource_id,
    outcome: row.outcome,
    errorCode: row.error_code,
    ip: row.ip,
    userAgent: row.user_agent,
    requestId: row.request_id,
    details: row.details as Record<string, unknown>,
    seal: row.seal_seq,
  };
}

function decodeCursor(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const id = Buffer.from(cursor, "base64url").toString();
  if (!/^aud_[0-9a-z]{26}$/.test(id)) throw new AppError("invalid_cursor");
  return id;
}
