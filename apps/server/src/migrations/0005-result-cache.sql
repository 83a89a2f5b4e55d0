-- Results that answer equal runs of the same owner. A row is made by the run that is to produce the result, before it ends:
-- until it is ready, equal requests wait for that run.
CREATE TABLE cached_results (
  -- SHA-256 over the owner and everything that the result depends on
  key text PRIMARY KEY,
  owner_id text NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  run_id text NOT NULL,
  ready boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX cached_results_owner ON cached_results (owner_id);
CREATE INDEX cached_results_run ON cached_results (run_id);
CREATE INDEX cached_results_expiry ON cached_results (expires_at);
