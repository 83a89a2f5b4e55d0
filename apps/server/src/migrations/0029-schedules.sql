-- Runs of programs that begin again and again.
CREATE TABLE schedules (
  id text PRIMARY KEY,
  owner_id text NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  name text NOT NULL,
  program_id text NOT NULL,
  -- what its runs are asked for besides the program
  run jsonb NOT NULL,
  cron text NOT NULL,
  time_zone text NOT NULL,
  overlap text NOT NULL CHECK (overlap IN ('skip', 'queue', 'cancel_previous')),
  missed text NOT NULL CHECK (missed IN ('skip', 'once', 'all')),
  enabled boolean NOT NULL DEFAULT true,
  -- why the server has disabled it: an error code
  disabled_reason text,
  -- the next time that is to be looked at; a time that is over was not yet
  next_at timestamptz NOT NULL,
  -- a time that has come while an earlier run went on, and waits for its end
  pending_at timestamptz,
  -- before this there is no use in trying it
  retry_at timestamptz,
  -- what became of the last time that came: 'started', 'skipped', or an error code
  last_at timestamptz,
  last_outcome text,
  last_run_id text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX schedules_owner ON schedules (owner_id, id DESC);
CREATE INDEX schedules_due ON schedules (next_at) WHERE enabled;
CREATE INDEX schedules_pending ON schedules (id) WHERE pending_at IS NOT NULL AND enabled;

-- The schedule that has begun a run. No reference: a run outlives its schedule.
ALTER TABLE runs ADD COLUMN schedule_id text;
CREATE INDEX runs_schedule ON runs (schedule_id, id DESC) WHERE schedule_id IS NOT NULL;
CREATE INDEX runs_schedule_live ON runs (schedule_id) WHERE schedule_id IS NOT NULL AND finished_at IS NULL;
