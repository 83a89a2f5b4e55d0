-- Runs that are kept for good, and those whose log and artifacts have been removed; what has been deleted counts for its day all the same.
ALTER TABLE runs ADD COLUMN pinned_at timestamptz;
ALTER TABLE runs ADD COLUMN expired_at timestamptz;
-- Where the run that repeated it has been deleted: it goes on being one that was run again.
ALTER TABLE runs ADD COLUMN requeued_at timestamptz;
-- What retention goes through: of runs that have ended, only those that still have what it removes.
CREATE INDEX runs_unexpired ON runs (id)
  WHERE expired_at IS NULL AND pinned_at IS NULL AND status IN ('succeeded', 'failed', 'cancelled', 'timed_out');

CREATE TABLE deleted_runs (
  id text PRIMARY KEY,
  owner_id text NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  kind text NOT NULL,
  api_key_id text
);
CREATE INDEX deleted_runs_owner ON deleted_runs (owner_id, id);
