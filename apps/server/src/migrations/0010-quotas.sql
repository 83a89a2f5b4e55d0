-- The chain of the audit trail, what refuses to change it, and what quotas are counted from.

-- The primary key serves the same order.
DROP INDEX audit_events_time;

-- Which events a batch has, so that one that is missing can be named.
ALTER TABLE audit_seals ADD COLUMN event_ids text[] NOT NULL DEFAULT '{}';

-- Where the chain begins and ends. The anchor is the last seal that retention has removed.
CREATE TABLE audit_chain (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  anchor_seq bigint NOT NULL DEFAULT 0,
  anchor_hash text NOT NULL DEFAULT repeat('0', 64),
  head_seq bigint NOT NULL DEFAULT 0,
  head_hash text NOT NULL DEFAULT repeat('0', 64)
);
INSERT INTO audit_chain DEFAULT VALUES;

-- An event is sealed once; nothing else of it changes. Only retention removes sealed ones, and says so for its transaction.
CREATE FUNCTION guard_audit_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  unsealed audit_events;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    unsealed := NEW;
    unsealed.seal_seq := NULL;
    IF NEW.seal_seq IS NOT NULL AND unsealed = OLD THEN
      RETURN NEW;
    END IF;
  ELSIF TG_OP = 'DELETE' THEN
    IF OLD.seal_seq IS NOT NULL AND current_setting('syla.audit_retention', true) = 'on' THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION 'the audit trail is not changed' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER audit_events_guard BEFORE UPDATE OR DELETE ON audit_events FOR EACH ROW EXECUTE FUNCTION guard_audit_event();
CREATE TRIGGER audit_events_keep BEFORE TRUNCATE ON audit_events FOR EACH STATEMENT EXECUTE FUNCTION guard_audit_event();

CREATE FUNCTION guard_audit_seal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('syla.audit_retention', true) = 'on' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'the seals of the audit trail are not changed' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER audit_seals_guard BEFORE UPDATE OR DELETE ON audit_seals FOR EACH ROW EXECUTE FUNCTION guard_audit_seal();
CREATE TRIGGER audit_seals_keep BEFORE TRUNCATE ON audit_seals FOR EACH STATEMENT EXECUTE FUNCTION guard_audit_seal();

-- What somebody has stored more on a day; less when it is negative. All days together are what they have.
ALTER TABLE usage_days ADD COLUMN stored_bytes bigint NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN log_size bigint NOT NULL DEFAULT 0;

-- What there was before is counted to the day on which it came.
INSERT INTO usage_days (user_id, day, stored_bytes)
SELECT owner_id, day, sum(size) FROM (
  SELECT owner_id, (created_at AT TIME ZONE 'UTC')::date AS day, size FROM uploads
  UNION ALL
  SELECT r.owner_id, (a.created_at AT TIME ZONE 'UTC')::date, a.size FROM artifacts a JOIN runs r ON r.id = a.run_id
) stored GROUP BY owner_id, day
ON CONFLICT (user_id, day) DO UPDATE SET stored_bytes = excluded.stored_bytes;

-- Which warnings have been given, once for each period.
CREATE TABLE quota_warnings (
  user_id text NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  quota text NOT NULL,
  period text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, quota, period)
);

-- The queue by person: whose turn it is follows from how many of theirs run.
CREATE INDEX runs_queue_owner ON runs (owner_id, priority DESC, available_at, id) WHERE status = 'queued';
-- What is counted by day.
CREATE INDEX runs_by_day ON runs (owner_id, id) WHERE kind IN ('program', 'composition');

-- Gives up to `wanted` queued runs to a worker. No person gets more at once than their quota says, over all workers: their row in `users`
-- is locked while it is counted. Among people, who has fewest running comes first; among one's own runs, the highest priority, then the
-- longest waiting. `defaults`: what a role may have at once, -1 for as many as there are slots.
CREATE FUNCTION claim_runs(worker text, wanted integer, defaults jsonb) RETURNS SETOF runs LANGUAGE plpgsql AS $$
DECLARE
  owners text[];
BEGIN
  WITH RECURSIVE waiting AS (
    (SELECT owner_id FROM runs WHERE status = 'queued' ORDER BY owner_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.owner_id FROM runs r WHERE r.status = 'queued' AND r.owner_id > w.owner_id ORDER BY r.owner_id LIMIT 1)
    FROM waiting w WHERE w.owner_id IS NOT NULL
  )
  SELECT array_agg(owner_id) INTO owners FROM waiting WHERE owner_id IS NOT NULL;
  IF owners IS NULL THEN
    RETURN;
  END IF;
  PERFORM 1 FROM users u LEFT JOIN quotas q ON q.user_id = u.id
    WHERE u.id = ANY(owners) AND coalesce(q.concurrent_runs, (defaults->>u.role)::integer) >= 0
    ORDER BY u.id FOR NO KEY UPDATE OF u;
  RETURN QUERY
    WITH people AS (
      SELECT u.id, coalesce(q.concurrent_runs, (defaults->>u.role)::integer) AS most,
        (SELECT count(*)::integer FROM runs r WHERE r.owner_id = u.id AND r.status IN ('starting', 'running', 'waiting')) AS live
      FROM users u LEFT JOIN quotas q ON q.user_id = u.id WHERE u.id = ANY(owners)
    ), candidates AS (
      SELECT mine.id, p.live + mine.place AS turn, mine.priority, mine.available_at
      FROM people p CROSS JOIN LATERAL (
        SELECT locked.*, row_number() OVER (ORDER BY locked.priority DESC, locked.available_at, locked.id) AS place FROM (
          SELECT r.id, r.priority, r.available_at FROM runs r
          WHERE r.owner_id = p.id AND r.status = 'queued' AND r.available_at <= now()
          ORDER BY r.priority DESC, r.available_at, r.id
          LIMIT CASE WHEN p.most < 0 THEN wanted ELSE greatest(least(p.most - p.live, wanted), 0) END
          FOR UPDATE SKIP LOCKED
        ) locked
      ) mine
    ), chosen AS (
      SELECT c.id FROM candidates c ORDER BY c.turn, c.priority DESC, c.available_at, c.id LIMIT wanted
    )
    UPDATE runs SET status = 'starting', phase = 'waiting_for_sandbox', worker_id = worker, claimed_at = now()
    FROM chosen WHERE runs.id = chosen.id
    RETURNING runs.*;
END $$;
