import { sql } from "kysely";
import type { Queries } from "../../platform/database.ts";

/**
 * A part of what is known of a person. `me` is their id and `my_email` their address, in what is written in SQL: our own text, never a caller's.
 * Secrets and hashes of them are in none.
 */
export interface ExportPart {
  readonly name: string;
  readonly from: string;
  /** Which rows. */
  readonly where: string;
  /** What tells the rows apart; they come in its order. */
  readonly key: string;
  readonly columns: string;
  /** The columns by which rows are somebody's, `table.column`: a test looks for those that nobody has thought of. */
  readonly names: readonly string[];
}

/** Rows of a table that are a person's by one column. */
function of(name: string, table: string, owner: string, columns: string, key = "id"): ExportPart {
  return { name, from: table, where: `${table}.${owner} = me`, key: `${table}.${key}`, columns, names: [`${table}.${owner}`] };
}

/** Where it is written down who did something to a thing, and what tells the things apart. */
const done: readonly (readonly [table: string, column: string, id: string, at: string])[] = [
  ["teams", "created_by", "id", "created_at"],
  ["invitations", "invited_by", "id", "created_at"],
  ["announcements", "created_by", "id", "created_at"],
  ["quotas", "updated_by", "user_id", "updated_at"],
  ["key_quotas", "updated_by", "api_key_id", "updated_at"],
  ["assets", "created_by", "id", "created_at"],
  ["assets", "updated_by", "id", "updated_at"],
  ["assets", "deleted_by", "id", "deleted_at"],
  ["asset_versions", "created_by", "asset_id || ' ' || version", "created_at"],
  ["workspaces", "created_by", "id", "created_at"],
  ["workspaces", "updated_by", "id", "updated_at"],
  ["workspaces", "deleted_by", "id", "deleted_at"],
  ["workspace_versions", "created_by", "workspace_id || ' ' || number", "created_at"],
  ["workspace_authors", "user_id", "workspace_id || ' ' || version", "created_at"],
  ["live_updates", "user_id", "document_id || ' ' || seq", "created_at"],
  ["credentials", "created_by", "id", "created_at"],
  ["package_indexes", "created_by", "id", "created_at"],
  ["webhooks", "created_by", "id", "created_at"],
  ["budgets", "created_by", "id", "created_at"],
  ["spend_caps", "updated_by", "model_id || ' ' || subject", "updated_at"],
  ["storage_jobs", "started_by", "id", "started_at"],
  ["backup_jobs", "started_by", "id", "started_at"],
  ["node_runs", "decided_by", "run_id || ' ' || path", "decided_at"],
];

const doneQuery = done
  .map(
    ([table, column, id, at]) =>
      `select '${table}' as thing, ${id} as id, '${column}' as what, ${at} as at, ${column} as who from ${table}`,
  )
  .join(" union all ");

const runColumns =
  "id, kind, status, visibility, language, entrypoint, asset_id, asset_version, api_key_id, schedule_id, team_id, retry_of, config, created_at, started_at, finished_at, exit_code, signal, error, result, pinned_at";
const callColumns =
  "id, run_id, sandbox_id, node_path, model_id, model_name, program_id, team_id, provider, upstream_model, operation, status, error_code, error_message, input_tokens, output_tokens, cached_tokens, reasoning_tokens, cost, currency, request_text, response_text, started_at, total_ms";

/** Everything about a person. */
export const exportParts: readonly ExportPart[] = [
  {
    name: "account",
    from: "users",
    where: "id = me",
    key: "id",
    columns:
      "id, name, email, email_verified, image, role, status, suspended_reason, two_factor_enabled, time_zone, created_at, updated_at, last_seen_at",
    names: ["users.id", "users.email"],
  },
  of("waysIn", "accounts", "user_id", "id, provider_id as provider, account_id as account, created_at, updated_at"),
  of("sessions", "sessions", "user_id", "id, ip_address, user_agent, impersonation_reason, created_at, expires_at"),
  of("sessionsAsOthers", "sessions", "impersonated_by", "id, user_id, impersonation_reason, created_at, expires_at"),
  {
    name: "links",
    from: "account_links",
    where: "account_links.user_id = me or account_links.email = my_email",
    key: "id",
    columns: "id, purpose, email, created_at, expires_at, used_at",
    names: ["account_links.user_id", "account_links.email"],
  },
  of("devices", "device_codes", "user_id", "id, client_name, ip_address, status, created_at, expires_at"),
  of("services", "token_families", "user_id", "id, api_key_id, issuer, scopes, created_at, refreshed_at, expires_at"),
  of("apiKeys", "api_keys", "reference_id", "id, name, start, scopes, enabled, requests_per_minute, created_at, expires_at, last_request"),
  {
    name: "keyQuotas",
    from: "key_quotas q join api_keys k on k.id = q.api_key_id",
    where: "k.reference_id = me",
    key: "q.api_key_id",
    columns:
      "q.api_key_id, q.concurrent_runs, q.runs_per_day, q.cpu_seconds_per_month, q.storage_mb, q.executions_per_minute, q.llm_spend_per_month",
    names: ["key_quotas.api_key_id"],
  },
  {
    name: "keyUsage",
    from: "key_usage_days d join api_keys k on k.id = d.api_key_id",
    where: "k.reference_id = me",
    key: "d.api_key_id || ' ' || d.day",
    columns: "d.api_key_id, d.day, d.cpu_ms, d.stored_bytes",
    names: ["key_usage_days.api_key_id"],
  },
  {
    name: "teams",
    from: "team_members m join teams t on t.id = m.team_id",
    where: "m.user_id = me",
    key: "m.team_id",
    columns: "m.team_id, t.name, t.slug, m.role, m.created_at",
    names: ["team_members.user_id"],
  },
  {
    name: "invitations",
    from: "invitations",
    where: "email = my_email",
    key: "id",
    columns: "id, email, role, team_id, team_role, created_at, expires_at, accepted_at, revoked_at",
    names: ["invitations.email"],
  },
  {
    name: "grants",
    from: "grants",
    where: "(subject_type = 'user' and subject_id = me) or (subject_type = 'email' and subject_id = my_email)",
    key: "id",
    columns: "id, resource_type, resource_id, level, created_at, expires_at",
    names: ["grants.subject_id"],
  },
  of("grantsGiven", "grants", "created_by", "id, resource_type, resource_id, subject_type, level, created_at, expires_at"),
  of("shareLinks", "share_links", "created_by", "id, start, created_at, last_used_at, use_count"),
  of("shareLinksUsed", "share_link_uses", "user_id", "link_id, created_at", "link_id"),
  of("runs", "runs", "owner_id", runColumns),
  {
    name: "artifacts",
    from: "artifacts a join runs r on r.id = a.run_id",
    where: "r.owner_id = me",
    key: "a.id",
    columns: "a.id, a.run_id, a.path, a.size, a.sha256, a.mime_type, a.created_at",
    names: [],
  },
  {
    name: "nodes",
    from: "node_runs n join runs r on r.id = n.run_id",
    where: "r.owner_id = me",
    key: "n.run_id || ' ' || n.path",
    columns:
      "n.run_id, n.path, n.state, n.started_at, n.ended_at, n.inputs, n.inputs_sha256, n.output, n.output_sha256, n.error, n.pinned, n.message, n.approved, n.comment, n.decided_at",
    names: [],
  },
  {
    name: "connections",
    from: "run_network n join runs r on r.id = n.run_id",
    where: "r.owner_id = me",
    key: "n.run_id",
    columns: "n.run_id, n.connections",
    names: [],
  },
  of("deletedRuns", "deleted_runs", "owner_id", "id, kind, api_key_id"),
  of("cachedResults", "cached_results", "owner_id", "run_id, created_at, expires_at", "key"),
  of("compilations", "compilations", "owner_id", "language, runtime_version, size, created_at, used_at", "key"),
  of("uploads", "uploads", "owner_id", "sha256, size, created_at", "sha256"),
  of(
    "sandboxes",
    "sandboxes",
    "owner_id",
    "id, name, language, status, network, program_id, created_at, last_active_at, ended_at, end_reason",
  ),
  of(
    "assets",
    "assets",
    "owner_id",
    "id, type, name, slug, description, tags, visibility, config, version, cloned_from, import_source, created_at, updated_at, deleted_at",
  ),
  {
    name: "versions",
    from: "asset_versions v join assets s on s.id = v.asset_id",
    where: "s.owner_id = me",
    key: "v.asset_id || ' ' || v.version",
    columns: "v.asset_id, v.version, v.message, v.config, v.metadata, v.created_at",
    names: [],
  },
  of(
    "workspaces",
    "workspaces",
    "owner_id",
    "id, kind, name, description, state, network, keep_on_exit, cloned_from, last_used_at, created_at, updated_at, deleted_at",
  ),
  of(
    "workspaceMirrors",
    "workspace_mirrors",
    "created_by",
    "workspace_id, url, ref, path, credential_id, every_minutes, commit_id, changed_at, checked_at, next_at, problem_code, problem_message",
    "workspace_id",
  ),
  {
    name: "workspaceVersions",
    from: "workspace_versions v join workspaces w on w.id = v.workspace_id",
    where: "w.owner_id = me",
    key: "v.workspace_id || ' ' || v.number",
    columns: "v.workspace_id, v.number, v.cause, v.message, v.commit_id, v.author, v.created_at",
    names: [],
  },
  of(
    "imports",
    "imports",
    "owner_id",
    "id, state, source, asset_id, files, bytes, problems, confirmation, error, created_at, updated_at, expires_at",
  ),
  of("environments", "environment_users", "user_id", "environment_id, used_at, kept_warm_at", "environment_id"),
  of(
    "schedules",
    "schedules",
    "owner_id",
    "id, name, program_id, run, cron, time_zone, overlap, missed, enabled, last_at, last_outcome, created_at",
  ),
  of(
    "triggers",
    "triggers",
    "owner_id",
    "id, name, program_id, version, auth, input, headers, rate_per_minute, enabled, last_called_at, created_at",
  ),
  {
    name: "triggerCalls",
    from: "trigger_calls c join triggers t on t.id = c.trigger_id",
    where: "t.owner_id = me",
    key: "c.id",
    columns: "c.id, c.trigger_id, c.at, c.outcome, c.run_id, c.error_code, c.ip, c.bytes",
    names: [],
  },
  of("webhooks", "webhooks", "owner_id", "id, name, url, events, program_ids, run_statuses, asset_types, enabled, created_at"),
  {
    name: "webhookEvents",
    from: "webhook_events",
    where: "owner_ids @> array[me]",
    key: "id",
    columns: "id, type, data, created_at",
    names: ["webhook_events.owner_ids"],
  },
  {
    name: "deliveries",
    from: "deliveries",
    where: "user_id = me or owner_id = me or message ->> 'to' = my_email",
    key: "id",
    columns: "id, channel, event_type, message ->> 'subject' as subject, state, attempts, last_error, created_at, sent_at",
    names: ["deliveries.user_id", "deliveries.owner_id"],
  },
  of("credentials", "credentials", "owner_id", "id, kind, name, username, host, expires_at, last_used_at, created_at"),
  of("packageIndexes", "package_indexes", "owner_id", "id, manager, name, url, packages, created_at"),
  of("modelCalls", "llm_calls", "user_id", callColumns),
  {
    name: "modelCallsOfOthers",
    from: "llm_calls",
    where: "(model_owner_id = me or credential_owner_id = me) and user_id <> me",
    key: "id",
    columns: "id, model_id, model_name, status, input_tokens, output_tokens, cost, currency, started_at",
    names: ["llm_calls.model_owner_id", "llm_calls.credential_owner_id"],
  },
  {
    name: "spending",
    from: "spend_counters",
    where: "scope = 'user:' || me or scope in (select 'key:' || id from api_keys where reference_id = me)",
    key: "scope || ' ' || period_start",
    columns: "scope, period_start, spent",
    names: ["spend_counters.scope"],
  },
  of("budgets", "budgets", "owner_id", "id, program_id, amount, stops, is_imposed, created_at, updated_at"),
  of("notifications", "notifications", "user_id", "id, type, title, body, link, details, created_at, read_at"),
  of("notificationPreferences", "notification_preferences", "user_id", "value, updated_at", "user_id"),
  of(
    "quotas",
    "quotas",
    "user_id",
    "concurrent_runs, runs_per_day, cpu_seconds_per_month, storage_mb, executions_per_minute, llm_spend_per_month",
    "user_id",
  ),
  of("quotaWarnings", "quota_warnings", "user_id", "quota, period, created_at", "quota || ' ' || period"),
  of("usage", "usage_days", "user_id", "day, runs, executions, failed, cpu_ms, run_ms, network_bytes, stored_bytes", "day"),
  {
    name: "usageCounts",
    from: `(select user_id, day, what, program_id, model_id, team_id, outcome, sum(ended) as ended, sum(cpu_ms) as cpu_ms,
      sum(duration_ms) as duration_ms, sum(input_tokens) as input_tokens, sum(output_tokens) as output_tokens,
      sum(cached_tokens) as cached_tokens, sum(cost) as cost from usage_counts group by 1, 2, 3, 4, 5, 6, 7) c`,
    where: "c.user_id = me",
    key: "concat_ws(' ', c.day, c.what, c.outcome, c.program_id, c.model_id, c.team_id)",
    columns:
      "c.day, c.what, c.outcome, c.program_id, c.model_id, c.team_id, c.ended, c.cpu_ms, c.duration_ms, c.input_tokens, c.output_tokens, c.cached_tokens, c.cost",
    names: ["usage_counts.user_id"],
  },
  {
    name: "done",
    from: `(${doneQuery}) d`,
    where: "d.who = me",
    key: "concat_ws(' ', d.thing, d.id, d.what)",
    columns: "d.thing, d.id, d.what, d.at",
    names: done.map(([table, column]) => `${table}.${column}`),
  },
  {
    name: "audit",
    from: "audit_events",
    where: "actor_id = me",
    key: "id",
    columns: "id, at, actor_name, action, resource_type, resource_id, outcome, ip, user_agent",
    names: ["audit_events.actor_id", "audit_events.actor_name"],
  },
  of("auditAsOthers", "audit_events", "impersonator_id", "id, at, action, resource_type, resource_id, outcome, ip, user_agent"),
  of("auditOfYou", "audit_events", "resource_id", "id, at, action, outcome"),
];

/** Columns that name people, or may, and are in no part: each with the reason. */
export const notExported: Readonly<Record<string, string>> = {
  "assets.viewers": "follows from owner, grants and teams, which are parts",
  "environments.scope": "whose package indexes it was built from: follows from the indexes, which are a part",
  "idempotent_requests.owner_id": "answers that are kept for a day, to be given again",
  "live_replicas.user_id": "numbers of the editors that somebody had open; what they wrote in them is in `done`",
  "notification_streams.user_id": "a counter",
  "run_tokens.user_id": "the hash of a secret that goes with its run",
  "run_tokens.api_key_id": "the hash of a secret that goes with its run",
  "runs.api_key_id": "a column of the part `runs`",
  "deleted_runs.api_key_id": "a column of the part `deletedRuns`",
  "token_families.api_key_id": "a column of the part `services`",
  "sessions.user_id": "a column of the part `sessions`",
  "tries.key": "guesses of a quarter of an hour, not written ahead",
  "two_factors.user_id": "the sealed secret of an authenticator; that there is one is in `account`",
  "workers.warm": "whose sandboxes are ready, from second to second",
};

/** A row of a part as JSON, and what tells it apart. */
export interface ExportRow {
  readonly id: string;
  readonly row: object;
}

const pageSize = 500;

/** The rows of a part after one, some at a time. */
export async function readPage(
  queries: Queries,
  { from, where, key, columns }: ExportPart,
  userId: string,
  after: string,
): Promise<readonly ExportRow[]> {
  const place = sql.raw(`(${key})::text`);
  const { rows } = await sql<ExportRow>`
    with person as (select id as me, email as my_email from users where id = ${userId})
    select t.row_key as id, to_jsonb(t) - 'row_key' as row
    from (select ${sql.raw(columns)}, ${place} as row_key from person, ${sql.raw(from)}
      where (${sql.raw(where)}) and ${place} > ${after} order by ${place} limit ${pageSize}) t
    order by t.row_key`.execute(queries);
  return rows;
}
