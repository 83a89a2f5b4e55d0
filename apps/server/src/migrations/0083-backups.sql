-- What is done to backups: the backups themselves are in their repository. While a job goes on nothing is deleted from the store of content.
CREATE TABLE backup_jobs (
  id text PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('create', 'verify', 'delete', 'restore')),
  state text NOT NULL CHECK (state IN ('running', 'done', 'failed', 'stopped')),
  -- the backup that it makes, or is about
  backup_id text,
  -- null: of the whole installation
  workspace_id text,
  is_automatic boolean NOT NULL DEFAULT false,
  -- null: the server itself
  started_by text,
  -- in which process
  worker_id text NOT NULL REFERENCES workers(id),
  started_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  stop_requested_at timestamptz,
  -- how far it is, and what it found
  report jsonb NOT NULL
);
CREATE INDEX backup_jobs_newest ON backup_jobs (id DESC);
-- One at a time: what one removes another may be about to name.
CREATE UNIQUE INDEX backup_jobs_running ON backup_jobs ((true)) WHERE state = 'running';
