-- What was compiled, by the hash of everything that it was made from. Never shared between owners: whoever can ask whether something is
-- there learns what others compile.
CREATE TABLE compilations (
  owner_id text NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  key text NOT NULL,
  language text NOT NULL,
  runtime_version text,
  -- [{path, size, sha256}]
  files jsonb NOT NULL,
  -- what the compiler said, warnings for one
  messages text NOT NULL,
  size bigint NOT NULL,
  compile_ms real NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  used_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (owner_id, key)
);
CREATE INDEX compilations_used ON compilations (owner_id, used_at);
