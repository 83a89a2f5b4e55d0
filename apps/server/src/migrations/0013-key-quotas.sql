-- Quotas of an API key's own, besides those of its person. NULL: only the person's holds.
CREATE TABLE key_quotas (
  api_key_id text PRIMARY KEY REFERENCES api_keys(id) ON DELETE CASCADE,
  concurrent_runs integer CHECK (concurrent_runs >= 0),
  runs_per_day integer CHECK (runs_per_day >= 0),
  cpu_seconds_per_month integer CHECK (cpu_seconds_per_month >= 0),
  storage_mb integer CHECK (storage_mb >= 0),
  executions_per_minute integer CHECK (executions_per_minute >= 0),
  updated_by text REFERENCES users(id) ON DELETE SET NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);

-- Who uses the key is looked at again.
CREATE FUNCTION announce_key_quotas() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('access_changed', 'user:' || reference_id) FROM api_keys WHERE id = NEW.api_key_id;
  RETURN NULL;
END $$;
CREATE TRIGGER key_quotas_changed AFTER INSERT OR UPDATE ON key_quotas FOR EACH ROW EXECUTE FUNCTION announce_key_quotas();

-- The key whose quotas a run counts against; null where there are none. It outlives the key.
ALTER TABLE runs ADD COLUMN api_key_id text;
CREATE INDEX runs_key ON runs (api_key_id, id) WHERE api_key_id IS NOT NULL;
CREATE INDEX runs_key_live ON runs (api_key_id) WHERE api_key_id IS NOT NULL AND status IN ('starting', 'running', 'waiting');
CREATE INDEX runs_key_queue ON runs (api_key_id, priority DESC, available_at, id) WHERE api_key_id IS NOT NULL AND status = 'queued';

-- What such a key has used, by UTC day. No reference to the key: a run of one that is gone must still be able to end.
CREATE TABLE key_usage_days (
  api_key_id text NOT NULL,
  day date NOT NULL,
  cpu_ms bigint NOT NULL DEFAULT 0,
  stored_bytes bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (api_key_id, day)
);
CREATE FUNCTION forget_key_usage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM key_usage_days WHERE api_key_id = OLD.id;
  RETURN NULL;
END $$;
CREATE TRIGGER api_keys_forget_usage AFTER DELETE ON api_keys FOR EACH ROW EXECUTE FUNCTION forget_key_usage();

-- As before, and of no key more at once than its own quota says. Each key that has one is a lane of its person's queue, everything else of theirs
-- is one more: so a key that is full keeps nothing else of its person waiting.
CREATE OR REPLACE FUNCTION claim_runs(worker text, wanted integer, defaults jsonb) RETURNS SETOF runs LANGUAGE plpgsql AS $$
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
    WHERE u.id = ANY(owners) AND (coalesce(q.concurrent_runs, (defaults->>u.role)::integer) >= 0
      OR EXISTS (SELECT FROM key_quotas kq JOIN api_keys k ON k.id = kq.api_key_id WHERE k.reference_id = u.id AND kq.concurrent_runs IS NOT NULL))
    ORDER BY u.id FOR NO KEY UPDATE OF u;
  RETURN QUERY
    WITH people AS (
      SELECT u.id, coalesce(q.concurrent_runs, (defaults->>u.role)::integer) AS most,
        (SELECT count(*)::integer FROM runs r WHERE r.owner_id = u.id AND r.status IN ('starting', 'running', 'waiting')) AS live
      FROM users u LEFT JOIN quotas q ON q.user_id = u.id WHERE u.id = ANY(owners)
    ), rooms AS (
      SELECT p.*, CASE WHEN p.most < 0 THEN wanted ELSE greatest(least(p.most - p.live, wanted), 0) END AS room FROM people p
    ), lanes AS (
      SELECT p.id AS owner, p.live, p.room, NULL::text AS lane_key, p.room AS lane_room FROM rooms p
      UNION ALL
      SELECT p.id, p.live, p.room, kq.api_key_id, greatest(least(p.room, kq.concurrent_runs
        - (SELECT count(*)::integer FROM runs r WHERE r.api_key_id = kq.api_key_id AND r.status IN ('starting', 'running', 'waiting'))), 0)
      FROM rooms p JOIN api_keys k ON k.reference_id = p.id JOIN key_quotas kq ON kq.api_key_id = k.id WHERE kq.concurrent_runs IS NOT NULL
    ), locked AS (
      SELECT l.owner, l.live, l.room, mine.id, mine.priority, mine.available_at
      FROM lanes l CROSS JOIN LATERAL (
        SELECT r.id, r.priority, r.available_at FROM runs r
        WHERE l.lane_key IS NULL AND r.owner_id = l.owner AND r.status = 'queued' AND r.available_at <= now()
          AND (r.api_key_id IS NULL
            OR NOT EXISTS (SELECT FROM key_quotas kq WHERE kq.api_key_id = r.api_key_id AND kq.concurrent_runs IS NOT NULL))
        ORDER BY r.priority DESC, r.available_at, r.id
        LIMIT CASE WHEN l.lane_key IS NULL THEN l.lane_room ELSE 0 END
        FOR UPDATE OF r SKIP LOCKED
      ) mine
      UNION ALL
      SELECT l.owner, l.live, l.room, mine.id, mine.priority, mine.available_at
      FROM lanes l CROSS JOIN LATERAL (
        SELECT r.id, r.priority, r.available_at FROM runs r
        WHERE r.api_key_id = l.lane_key AND r.owner_id = l.owner AND r.status = 'queued' AND r.available_at <= now()
        ORDER BY r.priority DESC, r.available_at, r.id
        LIMIT l.lane_room
        FOR UPDATE OF r SKIP LOCKED
      ) mine WHERE l.lane_key IS NOT NULL
    ), candidates AS (
      SELECT c.id, c.room, c.priority, c.available_at, c.live,
        row_number() OVER (PARTITION BY c.owner ORDER BY c.priority DESC, c.available_at, c.id) AS place
      FROM locked c
    ), chosen AS (
      SELECT c.id FROM candidates c WHERE c.place <= c.room ORDER BY c.live + c.place, c.priority DESC, c.available_at, c.id LIMIT wanted
    )
    UPDATE runs SET status = 'starting', phase = 'waiting_for_sandbox', worker_id = worker, claimed_at = now()
    FROM chosen WHERE runs.id = chosen.id
    RETURNING runs.*;
END $$;
