-- Secrets of people, teams and the system. `sealed` is encrypted with a key of the row's own, which `data_key` holds, encrypted with the
-- key `key_id` of the key file; both are bound to the row's id, kind and owner.
CREATE TABLE credentials (
  id text PRIMARY KEY,
  owner_id text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('model', 'git', 'index', 'registry', 'program')),
  name text NOT NULL,
  username text,
  sealed bytea NOT NULL,
  data_key bytea NOT NULL,
  key_id text NOT NULL,
  expires_at timestamptz,
  warned_at timestamptz,
  last_used_at timestamptz,
  value_changed_at timestamptz NOT NULL DEFAULT now(),
  created_by text,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (owner_id, name)
);
CREATE INDEX credentials_key ON credentials (key_id);
CREATE INDEX credentials_expiry ON credentials (expires_at) WHERE expires_at IS NOT NULL AND warned_at IS NULL;

-- What somebody leaves behind goes with them.
CREATE FUNCTION forget_credentials() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM credentials WHERE owner_id = OLD.id;
  RETURN NULL;
END $$;
CREATE TRIGGER users_credentials AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION forget_credentials();
CREATE TRIGGER teams_credentials AFTER DELETE ON teams FOR EACH ROW EXECUTE FUNCTION forget_credentials();

-- What a run shows the model gateway. The token is stored as its hash, and gone with the run.
CREATE TABLE run_tokens (
  hash text PRIMARY KEY,
  run_id text NOT NULL,
  user_id text NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  -- Ids of the models that the run may call; the first one answers to names that nobody knows.
  model_ids text[] NOT NULL,
  program_id text,
  expires_at timestamptz NOT NULL
);
CREATE INDEX run_tokens_run ON run_tokens (run_id);
CREATE INDEX run_tokens_expiry ON run_tokens (expires_at);

-- Leave to spend on a model: by a grant (`subject` is its id), or by everybody (`public`). Amounts are in billionths of the currency.
CREATE TABLE spend_caps (
  model_id text NOT NULL,
  subject text NOT NULL,
  amount bigint NOT NULL CHECK (amount >= 0),
  period text NOT NULL CHECK (period IN ('day', 'month', 'total')),
  updated_by text,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (model_id, subject)
);

-- What was spent, and what calls in progress may spend, within a period. `scope`: `cap:MODEL:SUBJECT` or `user:ID`.
CREATE TABLE spend_counters (
  scope text NOT NULL,
  period_start timestamptz NOT NULL,
  spent bigint NOT NULL DEFAULT 0,
  reserved bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (scope, period_start)
);

-- Each call of a model. Numbers that nobody knows are null.
CREATE TABLE llm_calls (
  id text PRIMARY KEY,
  run_id text,
  user_id text NOT NULL,
  model_id text NOT NULL,
  model_name text NOT NULL,
  model_owner_id text NOT NULL,
  provider text NOT NULL,
  upstream_model text NOT NULL,
  credential_id text,
  credential_owner_id text,
  -- The program that called, when the run was of one.
  program_id text,
  protocol text NOT NULL,
  operation text NOT NULL,
  streamed boolean NOT NULL,
  status text NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'cancelled', 'refused', 'lost')),
  http_status integer,
  error_code text,
  error_message text,
  attempts integer NOT NULL DEFAULT 0,
  cached boolean NOT NULL DEFAULT false,
  input_tokens bigint,
  output_tokens bigint,
  cached_tokens bigint,
  reasoning_tokens bigint,
  is_estimate boolean NOT NULL DEFAULT false,
  cost bigint,
  currency text,
  price_version integer,
  -- What is held back while the call goes on, and where.
  reserved bigint NOT NULL DEFAULT 0,
  scopes jsonb NOT NULL DEFAULT '[]',
  request_sha256 text,
  response_sha256 text,
  request_text text,
  response_text text,
  trace_id text,
  started_at timestamptz NOT NULL DEFAULT now(),
  first_byte_ms double precision,
  total_ms double precision
);
CREATE INDEX llm_calls_run ON llm_calls (run_id, id) WHERE run_id IS NOT NULL;
CREATE INDEX llm_calls_model ON llm_calls (model_id, id);
CREATE INDEX llm_calls_user ON llm_calls (user_id, id);
CREATE INDEX llm_calls_running ON llm_calls (started_at) WHERE status = 'running';

ALTER TABLE quotas ADD COLUMN llm_spend_per_month integer;

-- Every set of prices that calls of a model were counted with.
CREATE TABLE model_prices (
  model_id text NOT NULL,
  version integer NOT NULL,
  prices jsonb NOT NULL,
  since timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (model_id, version),
  UNIQUE (model_id, prices)
);
