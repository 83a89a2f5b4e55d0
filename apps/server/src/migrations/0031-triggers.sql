-- Addresses whose calls start runs of a program, as the person who made them.
CREATE TABLE triggers (
  id text PRIMARY KEY,
  owner_id text NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  program_id text NOT NULL,
  -- a published version; null: the working tree
  version text,
  name text NOT NULL,
  auth text NOT NULL CHECK (auth IN ('standard', 'github', 'bearer')),
  input text NOT NULL CHECK (input IN ('stdin', 'file')),
  headers text[] NOT NULL DEFAULT '{}',
  rate_per_minute integer NOT NULL,
  -- which of the secrets that can be derived is good; the one before is good as well until then
  secret_generation integer NOT NULL DEFAULT 0,
  previous_secret_until timestamptz,
  enabled boolean NOT NULL DEFAULT true,
  disabled_reason text,
  last_called_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX triggers_owner ON triggers (owner_id, id DESC);
CREATE INDEX triggers_program ON triggers (program_id);

-- The last calls: nothing of what they said.
CREATE TABLE trigger_calls (
  id text PRIMARY KEY,
  trigger_id text NOT NULL REFERENCES triggers(id) ON DELETE CASCADE,
  at timestamptz NOT NULL DEFAULT now(),
  outcome text NOT NULL CHECK (outcome IN ('started', 'duplicate', 'refused', 'unauthenticated')),
  delivery_id text,
  -- of the body of a call whose id is not signed: the same again under another id is the same call, for a while
  body_sha256 text,
  run_id text,
  error_code text,
  ip text NOT NULL,
  bytes integer NOT NULL
);
CREATE INDEX trigger_calls_trigger ON trigger_calls (trigger_id, id DESC);
CREATE INDEX trigger_calls_delivery ON trigger_calls (trigger_id, delivery_id) WHERE outcome = 'started';

-- Under which name a body first came, where anybody could have changed the name: kept for minutes.
CREATE TABLE trigger_bodies (
  trigger_id text NOT NULL REFERENCES triggers(id) ON DELETE CASCADE,
  body_sha256 text NOT NULL,
  delivery_id text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (trigger_id, body_sha256)
);
