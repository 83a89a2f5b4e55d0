-- The nodes of runs of compositions: each as it stands now. What a graph that repeats does has a row for each turn.
CREATE TABLE node_runs (
  run_id text NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  path text NOT NULL,
  -- the report that the row is from: an earlier one changes nothing
  attempt smallint NOT NULL,
  seq integer NOT NULL,
  state text NOT NULL CHECK (state IN ('running', 'waiting', 'succeeded', 'failed', 'skipped', 'cancelled', 'reused')),
  attempts smallint NOT NULL DEFAULT 0,
  started_at timestamptz,
  ended_at timestamptz,
  -- JSON as it came, so that it can be given back as it was; its beginning where it is content of its own
  inputs text,
  inputs_sha256 text,
  inputs_bytes bigint,
  output text,
  output_sha256 text,
  output_bytes bigint,
  error jsonb,
  -- what the result is found again by: what made it, of what, for whom, and for what has effects in which runs; null: it is not
  result_key text,
  source_run_id text,
  pinned boolean NOT NULL DEFAULT false,
  saved_ms double precision,
  message text,
  approved boolean,
  comment text,
  decided_by text,
  decided_at timestamptz,
  PRIMARY KEY (run_id, path)
);
CREATE INDEX node_runs_results ON node_runs (result_key) WHERE result_key IS NOT NULL;
CREATE INDEX node_runs_decided_by ON node_runs (decided_by) WHERE decided_by IS NOT NULL;

-- A run that waits for a person has no sandbox: it is queued again when they have decided.
CREATE OR REPLACE FUNCTION check_run_transition() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  past jsonb := coalesce(OLD.history, '[]');
BEGIN
  IF NEW.status = OLD.status THEN
    RETURN NEW;
  END IF;
  IF NOT ((OLD.status = 'queued' AND NEW.status IN ('starting','failed','cancelled'))
    OR (OLD.status = 'starting' AND NEW.status IN ('running','queued','failed','cancelled','timed_out'))
    OR (OLD.status = 'running' AND NEW.status IN ('waiting','queued','succeeded','failed','cancelled','timed_out'))
    OR (OLD.status = 'waiting' AND NEW.status IN ('running','queued','failed','cancelled','timed_out'))) THEN
    RAISE EXCEPTION 'illegal run transition % -> %', OLD.status, NEW.status USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.attempt <> OLD.attempt + (NEW.status = 'queued')::integer THEN
    RAISE EXCEPTION 'illegal attempt % -> % of a run that becomes %', OLD.attempt, NEW.attempt, NEW.status USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.status = 'queued' THEN
    past := past || jsonb_build_object('status', 'starting', 'at', OLD.claimed_at, 'attempt', OLD.attempt, 'workerId', OLD.worker_id);
    IF OLD.started_at IS NOT NULL THEN
      past := past || jsonb_build_object('status', 'running', 'at', OLD.started_at, 'attempt', OLD.attempt, 'workerId', OLD.worker_id);
    END IF;
    NEW.history := past || jsonb_build_object('status', 'queued', 'at', clock_timestamp(), 'attempt', NEW.attempt, 'cause', NEW.cause);
  ELSIF NEW.status = 'waiting' OR OLD.status = 'waiting' AND NEW.status = 'running' THEN
    NEW.history := past || jsonb_build_object('status', NEW.status, 'at', clock_timestamp(), 'attempt', NEW.attempt,
      'workerId', NEW.worker_id, 'cause', NEW.cause);
  END IF;
  RETURN NEW;
END $$;

-- Who waits for a person runs nothing: of what somebody may run at once it takes none.
DO $$
DECLARE
  text text := pg_get_functiondef('claim_runs(text, integer, jsonb, integer, text)'::regprocedure);
BEGIN
  EXECUTE regexp_replace(text, '\(''starting'', ?''running'', ?''waiting''\)', '(''starting'', ''running'')', 'g');
END $$;
