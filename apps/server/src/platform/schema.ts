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
  concurrent_runs: Generated<number | null>;
  least_tier: Generated<"namespace" | "microvm">;
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
  needs_account: Generated<boolean>;
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
  llm_spend_per_month: Generated<number | null>;
  executions_per_minute: number | null;
  updated_by: string | null;
  updated_at: Time;
}

interface KeyQuotaRow {
  api_key_id: string;
  concurrent_runs: number | null;
  runs_per_day: number | null;
  cpu_seconds_per_month: number | null;
  storage_mb: number | null;
  executions_per_minute: number | null;
  llm_spend_per_month: Generated<number | null>;
  updated_by: string | null;
  updated_at: Time;
}

interface KeyUsageDayRow {
  api_key_id: string;
  day: string;
  cpu_ms: Generated<number>;
  stored_bytes: Generated<number>;
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
  webhook_id: string | null;
  owner_id: Generated<string>;
  event_type: string | null;
  message: Json;
  tries: ColumnType<object, string | undefined, string>;
  tries_from: Time;
  state: Generated<"due" | "sent" | "failed">;
  attempts: Generated<number>;
  due_at: Time;
  lease_until: OptionalTime;
  last_error: string | null;
  created_at: Time;
  sent_at: OptionalTime;
}

interface WebhookRow {
  id: string;
  owner_id: string;
  name: string;
  url: string;
  events: string[];
  program_ids: string[] | null;
  run_statuses: string[] | null;
  asset_types: string[] | null;
  secret_generation: Generated<number>;
  previous_secret_until: OptionalTime;
  enabled: Generated<boolean>;
  disabled_reason: Generated<string | null>;
  failing_since: OptionalTime;
  last_taken_at: OptionalTime;
  created_by: string | null;
  created_at: Time;
  updated_at: Time;
  revision: Generated<number>;
}

interface TriggerRow {
  id: string;
  owner_id: string;
  program_id: string;
  version: string | null;
  name: string;
  auth: "standard" | "github" | "bearer";
  input: "stdin" | "file";
  headers: string[];
  rate_per_minute: number;
  secret_generation: Generated<number>;
  previous_secret_until: OptionalTime;
  enabled: Generated<boolean>;
  disabled_reason: Generated<string | null>;
  last_called_at: OptionalTime;
  created_at: Time;
  updated_at: Time;
  revision: Generated<number>;
}

interface TriggerCallRow {
  id: string;
  trigger_id: string;
  at: Time;
  outcome: "started" | "duplicate" | "refused" | "unauthenticated";
  delivery_id: string | null;
  body_sha256: string | null;
  run_id: string | null;
  error_code: string | null;
  ip: string;
  bytes: number;
}

interface TriggerBodyRow {
  trigger_id: string;
  body_sha256: string;
  delivery_id: string;
  at: Time;
}

interface WebhookEventRow {
  id: Generated<number>;
  type: string;
  owner_ids: string[];
  program_id: string | null;
  run_status: string | null;
  asset_type: string | null;
  data: Json;
  created_at: Time;
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
  process: Generated<string | null>;
  started_at: Time;
  lease_until: ColumnType<Date, Date, Date>;
  stopped_at: OptionalTime;
  slots: number | null;
  version: string | null;
  draining: Generated<boolean>;
  lost: Generated<boolean>;
  drained_at: OptionalTime;
  warm: Generated<string[]>;
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
  schedule_id: Generated<string | null>;
  api_key_id: Generated<string | null>;
  parent_run_id: string | null;
  asset_id: string | null;
  asset_version: string | null;
  team_id: Generated<string | null>;
  dataset_ids: string[] | null;
  tree_sha256: string | null;
  workspace_id: string | null;
  shown_in_workspace: Generated<boolean>;
  priority: Generated<number>;
  attempt: Generated<number>;
  spared: Generated<number>;
  available_at: Time;
  turn_at: Time;
  cause: Generated<string | null>;
  history: OptionalJson;
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
  pinned_at: OptionalTime;
  expired_at: OptionalTime;
  requeued_at: OptionalTime;
}

interface NodeRunRow {
  run_id: string;
  path: string;
  attempt: number;
  seq: number;
  state: "running" | "waiting" | "succeeded" | "failed" | "skipped" | "cancelled" | "reused";
  attempts: Generated<number>;
  started_at: OptionalTime;
  ended_at: OptionalTime;
  inputs: string | null;
  inputs_sha256: string | null;
  inputs_bytes: number | null;
  output: string | null;
  output_sha256: string | null;
  output_bytes: number | null;
  error: OptionalJson;
  result_key: string | null;
  source_run_id: string | null;
  pinned: Generated<boolean>;
  saved_ms: number | null;
  saved_llm: OptionalJson;
  message: string | null;
  approved: boolean | null;
  comment: string | null;
  decided_by: string | null;
  decided_at: OptionalTime;
}

interface DeletedRunRow {
  id: string;
  owner_id: string;
  kind: string;
  api_key_id: string | null;
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
  paused_by: "cgroup" | "signals" | "machine" | null;
  requested_limits: Json;
  limits: OptionalJson;
  idle_timeout_ms: number;
  created_at: Time;
  last_active_at: Time;
  expires_at: ColumnType<Date, Date, Date>;
  ended_at: OptionalTime;
  end_reason: string | null;
  worker_id: string;
  program_id: Generated<string | null>;
  program: OptionalJson;
  on_idle: Generated<"pause" | "end">;
  error: OptionalJson;
  workspace_id: Generated<string | null>;
  workspace: OptionalJson;
  saved: OptionalJson;
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

interface ArtifactLinkEndRow {
  run_id: string;
  ended_at: Time;
}

interface EnvironmentRow {
  id: string;
  key: string;
  request_key: string;
  base_key: string | null;
  scope: string | null;
  manager: "uv" | "npm" | "go";
  language: string;
  runtime_version: string;
  platform: string;
  source: string;
  dependencies: Json;
  request_sha256: string;
  state: Generated<"none" | "building" | "ready" | "failed">;
  phase: "resolve" | "download" | "install" | "verify" | null;
  worker_id: string | null;
  error: OptionalJson;
  lock_sha256: string | null;
  log_sha256: string | null;
  packages: Generated<unknown>;
  size: number | null;
  build_count: Generated<number>;
  build_ms: number | null;
  created_at: Time;
  building_since: OptionalTime;
  built_at: OptionalTime;
  used_at: Time;
}

interface EnvironmentLayerRow {
  name: string;
  environment_id: string;
  store_id: string;
  size: number;
  file_count: number;
  digest: string;
  created_at: Time;
  used_at: Time;
  verified_at: Time;
}

interface EnvironmentUserRow {
  environment_id: string;
  user_id: string;
  used_at: Time;
  kept_warm_at: Date | null;
}

interface EnvironmentBuildRecordRow {
  environment_id: string;
  seq: number;
  record: string;
}

interface EnvironmentPinRow {
  asset_id: string;
  version: string;
  request_key: string;
  environment_id: string;
  pinned_at: Time;
}

interface ScheduleRow {
  id: string;
  owner_id: string;
  name: string;
  program_id: string;
  run: Json;
  cron: string;
  time_zone: string;
  overlap: "skip" | "queue" | "cancel_previous";
  missed: "skip" | "once" | "all";
  enabled: Generated<boolean>;
  disabled_reason: Generated<string | null>;
  next_at: ColumnType<Date, Date, Date>;
  pending_at: OptionalTime;
  retry_at: OptionalTime;
  last_at: OptionalTime;
  last_outcome: Generated<string | null>;
  last_run_id: Generated<string | null>;
  created_at: Time;
  updated_at: Time;
  revision: Generated<number>;
}

interface PackageIndexRow {
  id: string;
  owner_id: string;
  manager: "uv" | "npm" | "go";
  name: string;
  url: string;
  packages: Json;
  credential_id: string | null;
  created_by: string | null;
  created_at: Time;
  updated_at: Time;
  revision: Generated<number>;
}

interface EnvironmentImageRow {
  environment_id: string;
  state: "building" | "built" | "pushed" | "failed";
  phase: "environment" | "assemble" | "push" | null;
  worker_id: string | null;
  error: OptionalJson;
  image_id: string | null;
  reference: string | null;
  digest: string | null;
  size: number | null;
  log_sha256: string | null;
  built_at: OptionalTime;
  pushed_at: OptionalTime;
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

interface TreeRow {
  sha256: string;
  file_count: number;
  total_bytes: number;
  created_at: Time;
}

interface AssetRow {
  id: string;
  type: "program" | "model" | "composition" | "dataset";
  name: string;
  name_key: string;
  slug: string;
  description: Generated<string>;
  tags: Generated<string[]>;
  slots: Generated<string[]>;
  owner_id: string;
  visibility: Generated<"private" | "public">;
  tree_sha256: string | null;
  config: Json;
  revision: Generated<number>;
  version: Generated<string | null>;
  cloned_from: OptionalJson;
  import_source: OptionalJson;
  last_run_id: Generated<string | null>;
  last_run_status: Generated<string | null>;
  last_run_at: OptionalTime;
  /** Who sees it; kept by triggers. */
  viewers: Generated<string[]>;
  /** Lexemes as PostgreSQL writes them; made by the server. */
  search: string;
  created_at: Time;
  created_by: string | null;
  updated_at: Time;
  updated_by: string | null;
  deleted_at: OptionalTime;
  deleted_by: Generated<string | null>;
}

interface AssetVersionRow {
  asset_id: string;
  version: string;
  version_key: string;
  tree_sha256: string | null;
  config: Json;
  metadata: Json | null;
  message: Generated<string>;
  created_by: string | null;
  created_at: Time;
}

interface BlobGarbageRow {
  store: string;
  sha256: string;
  since: Time;
}

interface ColdBlobRow {
  sha256: string;
  size: number;
  store: string;
  moved_at: Time;
}

interface TreeBlobRow {
  tree_sha256: string;
  sha256: string;
  size: number;
}

interface ImportRow {
  id: string;
  owner_id: string;
  state: "fetching" | "analysing" | "review" | "creating" | "created" | "failed" | "cancelled" | "expired";
  source: Json;
  archive_sha256: string | null;
  asset_id: string | null;
  tree_sha256: string | null;
  whole_tree_sha256: string | null;
  folder: string | null;
  analysis_sha256: string | null;
  gather_problems: JSONColumnType<object, string | undefined>;
  phase: "fetch" | "limits" | "analyse" | null;
  files: Generated<number>;
  bytes: Generated<number>;
  progress_seq: Generated<number>;
  problems: JSONColumnType<object, string | undefined>;
  suggestion: OptionalJson;
  confirmation: OptionalJson;
  error: OptionalJson;
  worker_id: string | null;
  created_at: Time;
  updated_at: Time;
  expires_at: ColumnType<Date, Date, Date>;
}

interface TreeAnalysisRow {
  tree_sha256: string;
  analyser: string;
  state: "running" | "done" | "failed";
  document_sha256: string | null;
  is_complete: Generated<boolean>;
  slots: Generated<string[]>;
  error: OptionalJson;
  worker_id: string | null;
  started_at: Time;
  finished_at: Date | null;
}

interface StorageJobRow {
  id: string;
  kind: "check" | "repair" | "collect" | "measure" | "copy" | "cool" | "recall";
  state: "running" | "done" | "failed" | "stopped";
  stop_requested_at: OptionalTime;
  started_by: string | null;
  worker_id: string;
  started_at: Time;
  finished_at: OptionalTime;
  report: JSONColumnType<object>;
}

interface BackupJobRow {
  id: string;
  kind: "create" | "verify" | "delete" | "restore";
  state: "running" | "done" | "failed" | "stopped";
  backup_id: string | null;
  workspace_id: string | null;
  is_automatic: Generated<boolean>;
  started_by: string | null;
  worker_id: string;
  started_at: Time;
  finished_at: OptionalTime;
  stop_requested_at: OptionalTime;
  report: JSONColumnType<object>;
}

/** `bytea`. */
type Bytes = ColumnType<Buffer, Uint8Array, Uint8Array>;

interface CredentialRow {
  id: string;
  owner_id: string;
  kind: string;
  name: string;
  username: string | null;
  host: Generated<string | null>;
  sealed: Bytes;
  data_key: Bytes;
  key_id: string;
  expires_at: OptionalTime;
  warned_at: OptionalTime;
  last_used_at: OptionalTime;
  value_changed_at: Time;
  created_by: string | null;
  created_at: Time;
  revision: Generated<number>;
}

interface RunTokenRow {
  hash: string;
  run_id: Generated<string | null>;
  sandbox_id: Generated<string | null>;
  user_id: string;
  model_ids: string[];
  program_id: string | null;
  api_key_id: Generated<string | null>;
  expires_at: ColumnType<Date, Date, Date>;
}

interface IdempotentRequestRow {
  owner_id: string;
  key_hash: string;
  request_hash: string;
  worker_id: string;
  started_at: ColumnType<Date, never, never>;
  status: number | null;
  answer: string | null;
  headers: ColumnType<Record<string, string>, string | undefined, string>;
  made: string | null;
}

interface SpendCapRow {
  model_id: string;
  subject: string;
  amount: number;
  period: "day" | "month" | "total";
  updated_by: string | null;
  updated_at: Time;
  revision: Generated<number>;
}

interface BudgetRow {
  id: string;
  owner_id: string;
  program_id: string | null;
  amount: number;
  stops: boolean;
  is_imposed: boolean;
  created_by: string | null;
  created_at: Time;
  updated_at: Time;
}

interface SpendCounterRow {
  scope: string;
  period_start: ColumnType<Date, Date, Date>;
  spent: Generated<number>;
  reserved: Generated<number>;
}

interface LlmCallRow {
  id: string;
  run_id: string | null;
  sandbox_id: Generated<string | null>;
  node_path: Generated<string | null>;
  user_id: string;
  model_id: string;
  model_name: string;
  model_owner_id: string;
  team_id: Generated<string | null>;
  provider: string;
  upstream_model: string;
  credential_id: string | null;
  credential_owner_id: string | null;
  program_id: string | null;
  protocol: string;
  operation: string;
  streamed: boolean;
  status: "running" | "succeeded" | "failed" | "cancelled" | "refused" | "lost";
  http_status: Generated<number | null>;
  error_code: Generated<string | null>;
  error_message: Generated<string | null>;
  attempts: Generated<number>;
  attempt_log: OptionalJson;
  cached: Generated<boolean>;
  input_tokens: Generated<number | null>;
  output_tokens: Generated<number | null>;
  cached_tokens: Generated<number | null>;
  reasoning_tokens: Generated<number | null>;
  is_estimate: Generated<boolean>;
  cost: Generated<number | null>;
  currency: Generated<string | null>;
  price_version: Generated<number | null>;
  reserved: Generated<number>;
  scopes: Json;
  request_sha256: Generated<string | null>;
  response_sha256: Generated<string | null>;
  request_text: Generated<string | null>;
  response_text: Generated<string | null>;
  trace_id: Generated<string | null>;
  started_at: Time;
  first_byte_ms: Generated<number | null>;
  total_ms: Generated<number | null>;
}

interface TryRow {
  key: string;
  count: number;
  ends_at: Date;
}

interface WorkspaceRow {
  id: string;
  kind: "ephemeral" | "session" | "persistent" | "collaborative";
  name: string;
  name_key: string;
  description: Generated<string>;
  owner_id: string;
  state: Generated<"active" | "suspended" | "archived">;
  tree_sha256: string;
  revision: Generated<number>;
  last_version: Generated<number>;
  network: Json;
  keep_on_exit: Generated<boolean>;
  cloned_from: OptionalJson;
  last_used_at: Time;
  archived_at: OptionalTime;
  warned_at: OptionalTime;
  created_at: Time;
  created_by: string | null;
  updated_at: Time;
  updated_by: string | null;
  deleted_at: OptionalTime;
  deleted_by: Generated<string | null>;
}

interface WorkspaceVersionRow {
  workspace_id: string;
  number: number;
  tree_sha256: string;
  message: Generated<string>;
  cause: string;
  run_id: string | null;
  created_by: string | null;
  created_at: Time;
  commit_id: Generated<string | null>;
  author: Generated<string | null>;
}

interface WorkspaceRepositoryRow {
  workspace_id: string;
  tip: string;
  tree_sha256: string;
  last_version: number;
  updated_at: Time;
}

interface WorkspacePackRow {
  workspace_id: string;
  sha256: string;
  size: number;
  index_sha256: string;
  index_size: number;
  created_at: Time;
}

interface WorkspaceMirrorRow {
  workspace_id: string;
  url: string;
  ref: string | null;
  path: string | null;
  credential_id: string | null;
  every_minutes: number;
  created_by: string | null;
  commit_id: Generated<string | null>;
  tree_sha256: Generated<string | null>;
  changed_at: OptionalTime;
  checked_at: OptionalTime;
  next_at: OptionalTime;
  failures: Generated<number>;
  problem_code: Generated<string | null>;
  problem_message: Generated<string | null>;
  problem_paths: Generated<string[]>;
  taken_until: OptionalTime;
}

interface WorkspaceHeadRow {
  workspace_id: string;
  revision: number;
  tree_sha256: string;
  created_at: Time;
  /** Since when it is no longer what is there. */
  superseded_at: OptionalTime;
}

interface LiveDocumentRow {
  id: string;
  /** What it is of: a workspace's file, or a composition's graph. */
  workspace_id: string | null;
  asset_id: Generated<string | null>;
  path: string;
  base_sha256: string;
  line_end: string;
  snapshot: Buffer;
  snapshot_seq: Generated<number>;
  last_seq: Generated<number>;
  pending_bytes: Generated<number>;
  problem: Generated<string | null>;
  detached_at: OptionalTime;
  used_at: Time;
  created_at: Time;
}

interface LiveUpdateRow {
  document_id: string;
  seq: number;
  update: Buffer;
  user_id: string | null;
  created_at: Time;
}

interface LiveReplicaRow {
  document_id: string;
  client_id: number;
  user_id: string;
}

interface WorkspaceAuthorRow {
  workspace_id: string;
  version: number;
  user_id: string;
  created_at: Time;
}

export interface Schema {
  workspaces: WorkspaceRow;
  workspace_authors: WorkspaceAuthorRow;
  live_documents: LiveDocumentRow;
  live_updates: LiveUpdateRow;
  live_replicas: LiveReplicaRow;
  workspace_versions: WorkspaceVersionRow;
  workspace_heads: WorkspaceHeadRow;
  workspace_repositories: WorkspaceRepositoryRow;
  workspace_packs: WorkspacePackRow;
  workspace_mirrors: WorkspaceMirrorRow;
  tries: TryRow;
  blob_garbage: BlobGarbageRow;
  cold_blobs: ColdBlobRow;
  storage_jobs: StorageJobRow;
  backup_jobs: BackupJobRow;
  imports: ImportRow;
  tree_blobs: TreeBlobRow;
  tree_analyses: TreeAnalysisRow;
  users: UserRow;
  credentials: CredentialRow;
  run_tokens: RunTokenRow;
  idempotent_requests: IdempotentRequestRow;
  spend_caps: SpendCapRow;
  spend_counters: SpendCounterRow;
  budgets: BudgetRow;
  llm_calls: LlmCallRow;
  sessions: SessionRow;
  accounts: AccountRow;
  api_keys: ApiKeyRow;
  settings: SettingRow;
  workers: WorkerRow;
  uploads: UploadRow;
  runs: RunRow;
  node_runs: NodeRunRow;
  artifacts: ArtifactRow;
  artifact_link_ends: ArtifactLinkEndRow;
  cached_results: CachedResultRow;
  compilations: CompilationRow;
  environments: EnvironmentRow;
  environment_layers: EnvironmentLayerRow;
  environment_users: EnvironmentUserRow;
  environment_pins: EnvironmentPinRow;
  environment_build_records: EnvironmentBuildRecordRow;
  environment_images: EnvironmentImageRow;
  package_indexes: PackageIndexRow;
  schedules: ScheduleRow;
  run_network: RunNetworkRow;
  deleted_runs: DeletedRunRow;
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
  key_quotas: KeyQuotaRow;
  usage_days: UsageDayRow;
  key_usage_days: KeyUsageDayRow;
  quota_warnings: QuotaWarningRow;
  notifications: NotificationRow;
  notification_preferences: NotificationPreferencesRow;
  deliveries: DeliveryRow;
  webhooks: WebhookRow;
  webhook_events: WebhookEventRow;
  triggers: TriggerRow;
  trigger_calls: TriggerCallRow;
  trigger_bodies: TriggerBodyRow;
  notification_streams: NotificationStreamRow;
  announcements: AnnouncementRow;
  trees: TreeRow;
  assets: AssetRow;
  asset_versions: AssetVersionRow;
}
