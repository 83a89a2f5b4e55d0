import type { ColumnType, Generated, JSONColumnType } from "kysely";

/** A timestamp: read as a Date, written as one or left to the database. */
type Time = ColumnType<Date, Date | undefined, Date>;
type OptionalTime = ColumnType<Date | null, Date | null | undefined, Date | null>;
/** A JSON document; who reads it parses it with its own schema. Written as JSON text. */
type Json = JSONColumnType<object>;
type OptionalJson = ColumnType<object | null, string | null | undefined, string | null>;

interface UserRow {
  id: string;
  name: string;
  email: string | null;
  email_verified: Generated<boolean>;
  image: string | null;
  role: Generated<"end_user" | "developer" | "admin">;
  status: Generated<"active" | "suspended">;
  suspended_reason: string | null;
  two_factor_enabled: Generated<boolean>;
  time_zone: Generated<string>;
  last_seen_at: OptionalTime;
  created_at: Time;
  updated_at: Time;
}

interface TwoFactorRow {
  id: string;
  user_id: string;
  secret: string;
  backup_codes: string;
  verified: Generated<boolean>;
  last_step: Generated<number>;
  created_at: Time;
  updated_at: Time;
}

interface AccountLinkRow {
  id: string;
  purpose: "sign_up" | "verify_email" | "reset_password";
  email: string | null;
  user_id: string | null;
  token_hash: string;
  created_at: Time;
  expires_at: ColumnType<Date, Date, Date>;
  used_at: OptionalTime;
}

interface TokenFamilyRow {
  id: string;
  user_id: string;
  api_key_id: string | null;
  issuer: string | null;
  scopes: string[];
  refresh_hash: string;
  previous_hash: Generated<string | null>;
  created_at: Time;
  refreshed_at: ColumnType<Date, Date | undefined, Date>;
  expires_at: ColumnType<Date, Date, Date>;
}

interface DeviceCodeRow {
  id: string;
  device_code_hash: string;
  user_code: string;
  user_id: string | null;
  status: Generated<"pending" | "approved" | "denied" | "used">;
  client_name: string;
  ip_address: string | null;
  expires_at: ColumnType<Date, Date, Date>;
  last_polled_at: OptionalTime;
  created_at: Time;
}

interface TeamRow {
  id: string;
  name: string;
  slug: string;
  description: Generated<string>;
  created_by: string | null;
  created_at: Time;
  updated_at: Time;
}

interface TeamMemberRow {
  team_id: string;
  user_id: string;
  role: "owner" | "member";
  created_at: Time;
}

interface InvitationRow {
  id: string;
  email: string;
  role: Generated<"end_user" | "developer" | "admin">;
  team_id: string | null;
  team_role: "owner" | "member" | null;
  token_hash: string;
  invited_by: string | null;
  created_at: Time;
  expires_at: ColumnType<Date, Date, Date>;
  accepted_at: OptionalTime;
  revoked_at: OptionalTime;
}

interface ShareLinkRow {
  id: string;
  token_hash: string;
  start: string;
  created_by: string | null;
  created_at: Time;
  last_used_at: OptionalTime;
  use_count: Generated<number>;
}

interface ShareLinkUseRow {
  link_id: string;
  user_id: string;
  created_at: Time;
}

interface GrantRow {
  id: string;
  resource_type: string;
  resource_id: string;
  subject_type: "user" | "team" | "email" | "link";
  subject_id: string;
  level: "view" | "run" | "edit" | "admin";
  created_by: string | null;
  created_at: Time;
  expires_at: OptionalTime;
}

interface AuditEventRow {
  id: string;
  at: ColumnType<Date, Date, never>;
  actor_id: string | null;
  actor_name: string;
  actor_role: string | null;
  via: string;
  impersonator_id: string | null;
  action: string;
  resource_type: string | null;
  resource_id: string | null;
  outcome: "ok" | "denied" | "failed";
  error_code: string | null;
  ip: string | null;
  user_agent: string | null;
  request_id: string | null;
  details: Json;
  seal_seq: number | null;
}

interface AuditSealRow {
  seq: number;
  at: Time;
  count: number;
  first_id: string;
  last_id: string;
  hash: string;
  previous_hash: string;
  event_hashes: string[];
  event_ids: string[];
}

interface AuditChainRow {
  only_row: Generated<boolean>;
  anchor_seq: Generated<number>;
  anchor_hash: Generated<string>;
  head_seq: Generated<number>;
  head_hash: Generated<string>;
}

interface QuotaRow {
  user_id: string;
  concurrent_runs: number | null;
  runs_per_day: number | null;
  cpu_seconds_per_month: number | null;
  storage_mb: number | null;
  spend_per_month_usd: string | null;
  executions_per_minute: number | null;
  updated_by: string | null;
  updated_at: Time;
}

interface UsageDayRow {
  user_id: string;
  day: ColumnType<Date, Date | string, never>;
  runs: Generated<number>;
  executions: Generated<number>;
  failed: Generated<number>;
  cpu_ms: Generated<number>;
  run_ms: Generated<number>;
  network_bytes: Generated<number>;
  llm_tokens: Generated<number>;
  cost_usd: Generated<string>;
  stored_bytes: Generated<number>;
}

interface QuotaWarningRow {
  user_id: string;
  quota: string;
  period: string;
  created_at: Time;
}

interface NotificationRow {
  id: string;
  user_id: string;
  type: string;
  title: string;
  body: Generated<string>;
  link: string | null;
  details: Json;
  created_at: Time;
  read_at: OptionalTime;
  seq: number;
  in_app: Generated<boolean>;
}

interface NotificationStreamRow {
  user_id: string;
  last_seq: number;
}

interface AnnouncementRow {
  id: string;
  title: string;
  body: Generated<string>;
  level: "info" | "warning";
  ends_at: OptionalTime;
  created_by: string | null;
  created_at: Time;
}

interface NotificationPreferencesRow {
  user_id: string;
  value: Json;
  updated_at: Time;
  digest_due_at: OptionalTime;
  digest_seq: Generated<number>;
}

interface DeliveryRow {
  id: string;
  channel: "email" | "webhook";
  user_id: string | null;
  notification_id: string | null;
  message: Json;
  state: Generated<"due" | "sent" | "failed">;
  attempts: Generated<number>;
  due_at: Time;
  lease_until: OptionalTime;
  last_error: string | null;
  created_at: Time;
  sent_at: OptionalTime;
}

interface SessionRow {
  id: string;
  user_id: string;
  token: string;
  expires_at: ColumnType<Date, Date, Date>;
  ip_address: string | null;
  user_agent: string | null;
  impersonated_by: string | null;
  impersonation_reason: string | null;
  created_at: Time;
  updated_at: Time;
}

interface AccountRow {
  id: string;
  user_id: string;
  account_id: string;
  provider_id: string;
  password: string | null;
  created_at: Time;
  updated_at: Time;
}

interface ApiKeyRow {
  id: string;
  name: string | null;
  start: string | null;
  reference_id: string;
  key: string;
  enabled: Generated<boolean>;
  last_request: OptionalTime;
  expires_at: OptionalTime;
  scopes: Generated<string[]>;
  requests_per_minute: number | null;
  created_at: Time;
  updated_at: Time;
}

interface SettingRow {
  key: string;
  value: Json;
}

interface WorkerRow {
  id: string;
  hostname: string;
  pid: number;
  started_at: Time;
  lease_until: ColumnType<Date, Date, Date>;
  stopped_at: OptionalTime;
  slots: number | null;
  version: string | null;
  draining: Generated<boolean>;
  lost: Generated<boolean>;
}

interface UploadRow {
  owner_id: string;
  sha256: string;
  size: number;
  created_at: Time;
}

interface RunRow {
  id: string;
  kind: string;
  status: "queued" | "starting" | "running" | "waiting" | "succeeded" | "failed" | "cancelled" | "timed_out";
  phase: string | null;
  owner_id: string;
  visibility: Generated<string>;
  language: string;
  entrypoint: string;
  config: Json;
  request_hash: string;
  idempotency_key: string | null;
  retry_of: string | null;
  parent_run_id: string | null;
  priority: Generated<number>;
  attempt: Generated<number>;
  available_at: Time;
  worker_id: string | null;
  cancel_requested_at: OptionalTime;
  created_at: Time;
  claimed_at: OptionalTime;
  started_at: OptionalTime;
  finished_at: OptionalTime;
  exit_code: number | null;
  signal: string | null;
  error: OptionalJson;
  result: OptionalJson;
  log_sha256: string | null;
  log_size: Generated<number>;
  artifact_count: Generated<number>;
}

interface SandboxRow {
  id: string;
  owner_id: string;
  name: string;
  language: string;
  tier: string;
  network: string;
  status: "starting" | "running" | "paused" | "stopped" | "failed";
  pause_reason: "user" | "idle" | null;
  paused_by: "cgroup" | "signals" | null;
  requested_limits: Json;
  limits: OptionalJson;
  idle_timeout_ms: number;
  created_at: Time;
  last_active_at: Time;
  expires_at: ColumnType<Date, Date, Date>;
  ended_at: OptionalTime;
  end_reason: string | null;
  worker_id: string;
}

interface ArtifactRow {
  id: string;
  run_id: string;
  path: string;
  size: number;
  sha256: string;
  mime_type: string;
  created_at: Time;
}

interface CompilationRow {
  owner_id: string;
  key: string;
  language: string;
  runtime_version: string | null;
  files: Json;
  messages: string;
  size: number;
  compile_ms: number;
  created_at: Time;
  used_at: Time;
}

interface RunNetworkRow {
  run_id: string;
  connections: Json;
}

/** Every table that our own queries touch, by name. */
interface CachedResultRow {
  key: string;
  owner_id: string;
  run_id: string;
  ready: Generated<boolean>;
  created_at: Time;
  expires_at: ColumnType<Date, Date, Date>;
}

export interface Schema {
  users: UserRow;
  sessions: SessionRow;
  accounts: AccountRow;
  api_keys: ApiKeyRow;
  settings: SettingRow;
  workers: WorkerRow;
  uploads: UploadRow;
  runs: RunRow;
  artifacts: ArtifactRow;
  cached_results: CachedResultRow;
  compilations: CompilationRow;
  run_network: RunNetworkRow;
  sandboxes: SandboxRow;
  two_factors: TwoFactorRow;
  account_links: AccountLinkRow;
  device_codes: DeviceCodeRow;
  token_families: TokenFamilyRow;
  teams: TeamRow;
  team_members: TeamMemberRow;
  invitations: InvitationRow;
  share_links: ShareLinkRow;
  share_link_uses: ShareLinkUseRow;
  grants: GrantRow;
  audit_events: AuditEventRow;
  audit_seals: AuditSealRow;
  audit_chain: AuditChainRow;
  quotas: QuotaRow;
  usage_days: UsageDayRow;
  quota_warnings: QuotaWarningRow;
  notifications: NotificationRow;
  notification_preferences: NotificationPreferencesRow;
  deliveries: DeliveryRow;
  notification_streams: NotificationStreamRow;
  announcements: AnnouncementRow;
}
