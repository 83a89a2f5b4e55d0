import { sql } from "kysely";
import type { Queries } from "../../platform/database.ts";

/** A part of what is known of a person: a name, and the query of its rows as JSON after an id. Secrets and hashes are in none. */
export interface ExportPart {
  readonly name: string;
  readonly page: (queries: Queries, userId: string, after: string) => Promise<readonly { readonly id: string; readonly row: object }[]>;
}

const pageSize = 500;

/** Names of columns and tables are our own text, never a caller's. */
function part(name: string, table: string, key: string, owner: string, columns: string): ExportPart {
  return {
    name,
    page: async (queries, userId, after) => {
      const { rows } = await sql<{ id: string; row: object }>`
        select k.id, to_jsonb(t) - 'row_key' as row
        from (select ${sql.raw(columns)}, ${sql.raw(key)}::text as row_key from ${sql.table(table)}
          where ${sql.raw(owner)} = ${userId} and ${sql.raw(key)}::text > ${after} order by ${sql.raw(key)}::text limit ${pageSize}) t,
          lateral (select t.row_key as id) k
        order by k.id`.execute(queries);
      return rows;
    },
  };
}

/** Everything about a person, by table. */
export const exportParts: readonly ExportPart[] = [
  part("account", "users", "id", "id", "id, name, email, email_verified, role, status, time_zone, created_at, last_seen_at"),
  part("sessions", "sessions", "id", "user_id", "id, ip_address, user_agent, created_at, expires_at"),
  part("apiKeys", "api_keys", "id", "reference_id", "id, name, start, created_at, expires_at, last_request"),
  part("teams", "team_members", "team_id", "user_id", "team_id, role, created_at"),
  part("grants", "grants", "id", "subject_id", "id, resource_type, resource_id, level, created_at, expires_at"),
  part(
    "runs",
    "runs",
    "id",
    "owner_id",
    "id, kind, status, visibility, language, entrypoint, config, created_at, started_at, finished_at, exit_code, signal, error, result",
  ),
  part("sandboxes", "sandboxes", "id", "owner_id", "id, name, language, status, created_at, ended_at, end_reason"),
  part(
    "assets",
    "assets",
    "id",
    "owner_id",
    "id, type, name, slug, description, tags, visibility, config, version, cloned_from, import_source, created_at, updated_at, deleted_at",
  ),
  part(
    "workspaces",
    "workspaces",
    "id",
    "owner_id",
    "id, kind, name, description, state, network, keep_on_exit, cloned_from, last_used_at, created_at, updated_at, deleted_at",
  ),
  part("notifications", "notifications", "id", "user_id", "id, type, title, body, link, details, created_at, read_at"),
  part("notificationPreferences", "notification_preferences", "user_id", "user_id", "value, updated_at"),
  part("quotas", "quotas", "user_id", "user_id", "concurrent_runs, runs_per_day, cpu_seconds_per_month, storage_mb, spend_per_month_usd"),
  part("usage", "usage_days", "day", "user_id", "day, runs, executions, failed, cpu_ms, run_ms, network_bytes, llm_tokens, cost_usd"),
  part("budgets", "budgets", "id", "owner_id", "id, program_id, amount, stops, is_imposed, created_at, updated_at"),
  part("audit", "audit_events", "id", "actor_id", "id, at, action, resource_type, resource_id, outcome, ip, user_agent"),
];
