-- Links to a run's artifacts are signed and kept nowhere; what was signed until then is worth nothing any more.
CREATE TABLE artifact_link_ends (
  run_id text PRIMARY KEY REFERENCES runs(id) ON DELETE CASCADE,
  ended_at timestamptz NOT NULL
);
