-- What is for later gets its turn in a transaction of its own, before a claim: claims lock people first, and whoever else has locked a person may wait for their runs.
CREATE FUNCTION give_turns() RETURNS void LANGUAGE sql AS $$
  UPDATE runs SET turn_at = available_at - priority * interval '1 minute'
    WHERE id IN (SELECT r.id FROM runs r WHERE r.status = 'queued' AND r.turn_at = 'infinity' AND r.available_at <= now()
      ORDER BY r.available_at LIMIT 200 FOR NO KEY UPDATE SKIP LOCKED)
$$;

-- As before, without that. The other `claim_runs` calls this one.
CREATE OR REPLACE FUNCTION claim_runs(worker text, wanted integer, defaults jsonb, most integer, except_owner text) RETURNS SETOF runs LANGUAGE plpgsql AS $$
DECLARE
  owners text[];
  live_now integer := (SELECT count(*) FROM runs WHERE status IN ('starting','running','waiting'));
  first_place integer := floor(random() * 4294967296.0 - 2147483648.0);
BEGIN
  IF most >= 0 THEN
    PERFORM pg_advisory_xact_lock(7878002);
    live_now := (SELECT count(*) FROM runs WHERE status IN ('starting','running','waiting'));
    wanted := least(wanted, most - live_now);
    IF wanted <= 0 THEN
      RETURN;
    END IF;
  END IF;
  WITH RECURSIVE after_first AS (
    (SELECT r.owner_id FROM runs r WHERE r.status = 'queued' AND r.turn_at < 'infinity' AND hashtext(r.owner_id) >= first_place ORDER BY hashtext(r.owner_id), r.owner_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.owner_id FROM runs r WHERE r.status = 'queued' AND r.turn_at < 'infinity' AND (hashtext(r.owner_id), r.owner_id) > (hashtext(w.owner_id), w.owner_id)
      ORDER BY hashtext(r.owner_id), r.owner_id LIMIT 1)
    FROM after_first w WHERE w.owner_id IS NOT NULL
  ), before_first AS (
    (SELECT r.owner_id FROM runs r WHERE r.status = 'queued' AND r.turn_at < 'infinity' AND hashtext(r.owner_id) < first_place ORDER BY hashtext(r.owner_id), r.owner_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.owner_id FROM runs r WHERE r.status = 'queued' AND r.turn_at < 'infinity' AND (hashtext(r.owner_id), r.owner_id) > (hashtext(w.owner_id), w.owner_id)
      AND hashtext(r.owner_id) < first_place ORDER BY hashtext(r.owner_id), r.owner_id LIMIT 1)
    FROM before_first w WHERE w.owner_id IS NOT NULL
  ), waiting AS (
    (SELECT owner_id FROM after_first WHERE owner_id IS NOT NULL) UNION ALL (SELECT owner_id FROM before_first WHERE owner_id IS NOT NULL)
  )
  SELECT array_agg(owner_id) INTO owners FROM (SELECT owner_id FROM waiting WHERE owner_id IS DISTINCT FROM except_owner LIMIT live_now + 64) AS looked_at;
  IF owners IS NULL THEN
    RETURN;
  END IF;
  PERFORM 1 FROM users u LEFT JOIN quotas q ON q.user_id = u.id
    WHERE u.id = ANY(owners) AND (coalesce(q.concurrent_runs, (defaults->>u.role)::integer) >= 0
      OR EXISTS (SELECT FROM key_quotas kq JOIN api_keys k ON k.id = kq.api_key_id WHERE k.reference_id = u.id AND kq.concurrent_runs IS NOT NULL))
    ORDER BY u.id FOR NO KEY UPDATE OF u;
  PERFORM 1 FROM teams t WHERE t.concurrent_runs IS NOT NULL
      AND EXISTS (SELECT FROM team_members m WHERE m.team_id = t.id AND m.user_id = ANY(owners))
    ORDER BY t.id FOR NO KEY UPDATE OF t;
  RETURN QUERY
    WITH team_rooms AS (
      SELECT t.id, greatest(t.concurrent_runs - (SELECT count(*)::integer FROM team_members m JOIN runs r ON r.owner_id = m.user_id
        WHERE m.team_id = t.id AND r.status IN ('starting', 'running', 'waiting')), 0) AS room
      FROM teams t WHERE t.concurrent_runs IS NOT NULL
    ), people AS (
      SELECT u.id, coalesce(q.concurrent_runs, (defaults->>u.role)::integer) AS most,
        (SELECT count(*)::integer FROM runs r WHERE r.owner_id = u.id AND r.status IN ('starting', 'running', 'waiting')) AS live,
        coalesce((SELECT min(tr.room) FROM team_members m JOIN team_rooms tr ON tr.id = m.team_id WHERE m.user_id = u.id), wanted) AS team_room
      FROM users u LEFT JOIN quotas q ON q.user_id = u.id WHERE u.id = ANY(owners) AND u.status = 'active'
    ), rooms AS (
      SELECT p.*, least(p.team_room, CASE WHEN p.most < 0 THEN wanted ELSE greatest(least(p.most - p.live, wanted), 0) END) AS room FROM people p
    ), lanes AS (
      SELECT p.id AS owner, p.live, p.room, NULL::text AS lane_key, p.room AS lane_room FROM rooms p
      UNION ALL
      SELECT p.id, p.live, p.room, kq.api_key_id, greatest(least(p.room, kq.concurrent_runs
        - (SELECT count(*)::integer FROM runs r WHERE r.api_key_id = kq.api_key_id AND r.status IN ('starting', 'running', 'waiting'))), 0)
      FROM rooms p JOIN api_keys k ON k.reference_id = p.id JOIN key_quotas kq ON kq.api_key_id = k.id WHERE kq.concurrent_runs IS NOT NULL
    ), locked AS (
      SELECT l.owner, l.live, l.room, mine.id, mine.turn_at
      FROM lanes l CROSS JOIN LATERAL (
        SELECT r.id, r.turn_at FROM runs r
        WHERE l.lane_key IS NULL AND hashtext(r.owner_id) = hashtext(l.owner) AND r.owner_id = l.owner AND r.status = 'queued' AND r.turn_at < 'infinity' AND r.turn_at <= now() AND r.available_at <= now()
          AND (r.api_key_id IS NULL
            OR NOT EXISTS (SELECT FROM key_quotas kq WHERE kq.api_key_id = r.api_key_id AND kq.concurrent_runs IS NOT NULL))
        ORDER BY r.turn_at, r.id
        LIMIT CASE WHEN l.lane_key IS NULL THEN l.lane_room ELSE 0 END
        FOR UPDATE OF r SKIP LOCKED
      ) mine
      UNION ALL
      SELECT l.owner, l.live, l.room, mine.id, mine.turn_at
      FROM lanes l CROSS JOIN LATERAL (
        SELECT r.id, r.turn_at FROM runs r
        WHERE r.api_key_id = l.lane_key AND r.owner_id = l.owner AND r.status = 'queued' AND r.turn_at < 'infinity' AND r.turn_at <= now() AND r.available_at <= now()
        ORDER BY r.turn_at, r.id
        LIMIT l.lane_room
        FOR UPDATE OF r SKIP LOCKED
      ) mine WHERE l.lane_key IS NOT NULL
    ), placed AS (
      SELECT c.*, row_number() OVER (PARTITION BY c.owner ORDER BY c.turn_at, c.id) AS place FROM locked c
    ), candidates AS (
      SELECT p.id, p.owner, p.turn_at, row_number() OVER (ORDER BY p.live + p.place, p.turn_at, p.id) AS turn FROM placed p WHERE p.place <= p.room
    ), over_team AS (
      SELECT DISTINCT s.id FROM (
        SELECT c.id, tr.room, row_number() OVER (PARTITION BY tr.id ORDER BY c.turn) AS place
        FROM candidates c JOIN team_members m ON m.user_id = c.owner JOIN team_rooms tr ON tr.id = m.team_id
      ) s WHERE s.place > s.room
    ), chosen AS (
      SELECT c.id FROM candidates c WHERE NOT EXISTS (SELECT FROM over_team o WHERE o.id = c.id) ORDER BY c.turn LIMIT wanted
    )
    UPDATE runs SET status = 'starting', phase = 'waiting_for_sandbox', worker_id = worker, claimed_at = now(), cause = NULL
    FROM chosen WHERE runs.id = chosen.id
    RETURNING runs.*;
END $$;
