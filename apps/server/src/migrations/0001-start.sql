-- Accounts. The authentication library owns the rows of users, sessions, accounts, verifications and api_keys.
CREATE TABLE users (
  id text PRIMARY KEY,
  name text NOT NULL,
  -- null until the first admin has been set up
  email text UNIQUE,
  email_verified boolean NOT NULL DEFAULT false,
  image text,
  role text NOT NULL DEFAULT 'developer' CHECK (role IN ('end_user', 'developer', 'admin')),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sessions (
  id text PRIMARY KEY,
  user_id text NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  token text NOT NULL UNIQUE,
  expires_at timestamptz NOT NULL,
  ip_address text,
  user_agent text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE accounts (
  id text PRIMARY KEY,
  user_id text NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  account_id text NOT NULL,
  provider_id text NOT NULL,
  access_token text,
  refresh_token text,
  id_token text,
  access_token_expires_at timestamptz,
  refresh_token_expires_at timestamptz,
  scope text,
  password text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (provider_id, account_id)
);
CREATE INDEX accounts_user ON accounts (user_id);

CREATE TABLE verifications (
  id text PRIMARY KEY,
  identifier text NOT NULL,
  value text NOT NULL,
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX verifications_identifier ON verifications (identifier);

CREATE TABLE api_keys (
  id text PRIMARY KEY,
  config_id text NOT NULL DEFAULT 'default',
  name text,
  start text,
  -- the user that the key belongs to
  reference_id text NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  prefix text,
  -- a hash of the key
  key text NOT NULL UNIQUE,
  refill_interval integer,
  refill_amount integer,
  last_refill_at timestamptz,
  enabled boolean NOT NULL DEFAULT true,
  rate_limit_enabled boolean NOT NULL DEFAULT false,
  rate_limit_time_window integer,
  rate_limit_max integer,
  request_count integer NOT NULL DEFAULT 0,
  remaining integer,
  last_request timestamptz,
  expires_at timestamptz,
  permissions text,
  metadata text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX api_keys_reference ON api_keys (reference_id, id DESC);

-- Facts about the installation, e.g. who its first admin is.
CREATE TABLE settings (
  key text PRIMARY KEY,
  value jsonb NOT NULL
);

-- Runs
CREATE TABLE workers (
  id text PRIMARY KEY,
  hostname text NOT NULL,
  pid integer NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  lease_until timestamptz NOT NULL,
  stopped_at timestamptz
);

CREATE TABLE uploads (
  owner_id text NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  sha256 text NOT NULL,
  size bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (owner_id, sha256)
);

CREATE TABLE runs (
  id text PRIMARY KEY,
  kind text NOT NULL,
  status text NOT NULL CHECK (status IN ('queued','starting','running','waiting','succeeded','failed','cancelled','timed_out')),
  phase text,
  owner_id text NOT NULL REFERENCES users(id),
  visibility text NOT NULL DEFAULT 'private',
  language text NOT NULL,
  entrypoint text NOT NULL,
  -- what was asked for: files (path, size, sha256), args, env, stdin, limits, tier, network
  config jsonb NOT NULL,
  request_hash text NOT NULL,
  idempotency_key text,
  retry_of text REFERENCES runs(id) ON DELETE SET NULL,
  parent_run_id text REFERENCES runs(id) ON DELETE SET NULL,
  priority smallint NOT NULL DEFAULT 5,
  attempt smallint NOT NULL DEFAULT 1,
  available_at timestamptz NOT NULL DEFAULT now(),
  worker_id text REFERENCES workers(id),
  cancel_requested_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  claimed_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  -- how it ended: exit code, signal, error, timings, limits in force, usage, output counts, skipped artifacts
  exit_code integer,
  signal text,
  error jsonb,
  result jsonb,
  log_sha256 text,
  artifact_count integer NOT NULL DEFAULT 0
);
CREATE INDEX runs_queue ON runs (priority DESC, available_at, id) WHERE status = 'queued';
CREATE INDEX runs_live ON runs (worker_id) WHERE status IN ('starting','running','waiting');
CREATE INDEX runs_owner ON runs (owner_id, id DESC);
CREATE INDEX runs_owner_status ON runs (owner_id, status, id DESC);
CREATE UNIQUE INDEX runs_idempotency ON runs (owner_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE artifacts (
  id text PRIMARY KEY,
  run_id text NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
  path text NOT NULL,
  size bigint NOT NULL,
  sha256 text NOT NULL,
  mime_type text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (run_id, path)
);

-- Terminal is terminal: the database itself refuses to change the state of a run that has ended, or an illegal step.
CREATE FUNCTION check_run_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status = OLD.status THEN
    RETURN NEW;
  END IF;
  IF (OLD.status = 'queued' AND NEW.status IN ('starting','failed','cancelled'))
    OR (OLD.status = 'starting' AND NEW.status IN ('running','queued','failed','cancelled','timed_out'))
    OR (OLD.status = 'running' AND NEW.status IN ('waiting','queued','succeeded','failed','cancelled','timed_out'))
    OR (OLD.status = 'waiting' AND NEW.status IN ('running','failed','cancelled','timed_out')) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'illegal run transition % -> %', OLD.status, NEW.status USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER runs_transition BEFORE UPDATE OF status ON runs FOR EACH ROW EXECUTE FUNCTION check_run_transition();
