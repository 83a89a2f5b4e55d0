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
  created_at: Time;
  updated_at: Time;
}

interface SessionRow {
  id: string;
  user_id: string;
  token: string;
  expires_at: ColumnType<Date, Date, Date>;
  ip_address: string | null;
  user_agent: string | null;
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
}
