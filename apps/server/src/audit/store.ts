import { sql } from "kysely";
import type { Queries } from "../platform/database.ts";

/** One entry of the audit trail. */
export interface AuditEvent {
  readonly id: string;
  readonly at: Date;
  readonly actor_id: string | null;
  readonly actor_name: string;
  readonly actor_role: string | null;
  readonly via: string;
  readonly impersonator_id: string | null;
  readonly action: string;
  readonly resource_type: string | null;
  readonly resource_id: string | null;
  readonly outcome: "ok" | "denied" | "failed";
  readonly error_code: string | null;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly request_id: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Adds entries, in one statement. The actor's name is looked up and kept: it is what it was then. */
export async function insertEvents(queries: Queries, events: readonly AuditEvent[]): Promise<void> {
  const rows = storableJson(events);
  await sql`
    insert into audit_events (id, at, actor_id, actor_name, actor_role, via, impersonator_id, action, resource_type, resource_id, outcome,
      error_code, ip, user_agent, request_id, details)
    select e.id, e.at, e.actor_id, coalesce(nullif(e.actor_name, ''), u.name, ''), e.actor_role, e.via, e.impersonator_id, e.action,
      e.resource_type, e.resource_id, e.outcome, e.error_code, e.ip, e.user_agent, e.request_id, e.details
    from jsonb_to_recordset(${rows}::jsonb) as e(id text, at timestamptz, actor_id text, actor_name text, actor_role text, via text,
      impersonator_id text, action text, resource_type text, resource_id text, outcome text, error_code text, ip text, user_agent text,
      request_id text, details jsonb)
    left join users u on u.id = e.actor_id
    on conflict (id) do nothing`.execute(queries);
}

/** JSON as PostgreSQL takes it: callers may put NUL and halves of surrogate pairs into addresses and headers. */
function storableJson(value: unknown): string {
  return JSON.stringify(value, (_key, entry: unknown) =>
    typeof entry === "string" ? entry.replaceAll("\0", "\u{fffd}").toWellFormed() : entry,
  );
}
