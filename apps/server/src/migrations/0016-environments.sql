-- Built dependencies. One row for each set of dependencies that somebody asked for, whoever it was: only packages of the public index are in
-- one, so programs with the same key share it.
CREATE TABLE environments (
  id text PRIMARY KEY,
  -- hash of what was asked for, and of the day on which it was first chosen what that means
  key text NOT NULL UNIQUE,
  -- the same without the day: what programs look for
  request_key text NOT NULL,
  manager text NOT NULL CHECK (manager IN ('uv','npm','go')),
  language text NOT NULL,
  runtime_version text NOT NULL,
  platform text NOT NULL,
  source text NOT NULL,
  -- the dependencies as they were written
  dependencies jsonb NOT NULL,
  -- the files that it is built from, a JSON object in the blob store
  request_sha256 text NOT NULL,
  state text NOT NULL DEFAULT 'none' CHECK (state IN ('none','building','ready','failed')),
  phase text CHECK (phase IN ('resolve','download','install','verify')),
  -- who builds it
  worker_id text,
  error jsonb,
  -- exact versions and hashes, written by the first build and used by every later one
  lock_sha256 text,
  log_sha256 text,
  -- [{name, version, license}]
  packages jsonb NOT NULL DEFAULT '[]',
  size bigint,
  build_count integer NOT NULL DEFAULT 0,
  build_ms real,
  created_at timestamptz NOT NULL DEFAULT now(),
  building_since timestamptz,
  built_at timestamptz,
  used_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((state = 'building') = (worker_id IS NOT NULL))
);
CREATE INDEX environments_request ON environments (request_key, id DESC);
CREATE INDEX environments_building ON environments (worker_id) WHERE worker_id IS NOT NULL;

-- The folders that hold them. Each data directory has its own; `store_id` tells which.
CREATE TABLE environment_layers (
  -- nobody can guess it: who knows the name of a folder can read what is in it
  name text PRIMARY KEY,
  environment_id text NOT NULL REFERENCES environments(id) ON DELETE CASCADE,
  store_id text NOT NULL,
  size bigint NOT NULL,
  file_count integer NOT NULL,
  -- SHA-256 over every path, mode and content
  digest text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  used_at timestamptz NOT NULL DEFAULT now(),
  verified_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (environment_id, store_id)
);
CREATE INDEX environment_layers_used ON environment_layers (store_id, used_at);

-- Whose programs use which: they may see it.
CREATE TABLE environment_users (
  environment_id text NOT NULL REFERENCES environments(id) ON DELETE CASCADE,
  user_id text NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  used_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (environment_id, user_id)
);
CREATE INDEX environment_users_user ON environment_users (user_id, environment_id DESC);

-- Which one a version of a program has, for good; version '' is the working tree.
CREATE TABLE environment_pins (
  asset_id text NOT NULL,
  version text NOT NULL,
  request_key text NOT NULL,
  environment_id text NOT NULL REFERENCES environments(id) ON DELETE CASCADE,
  pinned_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (asset_id, version)
);
CREATE INDEX environment_pins_environment ON environment_pins (environment_id);

-- What a run of a program ran; null for runs of code that was sent along.
ALTER TABLE runs
  ADD COLUMN asset_id text,
  ADD COLUMN asset_version text,
  ADD COLUMN tree_sha256 text;
CREATE INDEX runs_asset ON runs (asset_id, id DESC) WHERE asset_id IS NOT NULL;
