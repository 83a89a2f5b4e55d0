-- What has no duration did not run: it counted as a millisecond, and made others look quicker than they were.
CREATE OR REPLACE FUNCTION usage_bucket(ms double precision) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN ms IS NULL THEN -1 ELSE round(8 * ln(greatest(ms, 1)) / ln(2::double precision)) END::smallint
$$;

-- Of what is gone, only the sum is known.
UPDATE usage_counts SET bucket = -1 WHERE what = 'run' AND is_deleted AND bucket = 0 AND duration_ms = 0;

WITH differing AS (
  SELECT user_id, day, what, program_id, model_id, team_id, outcome, bucket, is_deleted, sum(ended)::bigint AS ended, sum(cpu_ms)::bigint AS cpu_ms,
    sum(duration_ms)::bigint AS duration_ms
  FROM (
    SELECT user_id, day, what, program_id, model_id, team_id, outcome, bucket, is_deleted, ended, cpu_ms, duration_ms FROM usage_recounted
    UNION ALL
    SELECT user_id, day, what, program_id, model_id, team_id, outcome, bucket, is_deleted, -ended, -cpu_ms, -duration_ms FROM usage_counts WHERE NOT is_deleted
  ) AS both_counts
  WHERE what = 'run' AND bucket IN (-1, 0)
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 HAVING sum(ended) <> 0 OR sum(cpu_ms) <> 0 OR sum(duration_ms) <> 0 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9
)
INSERT INTO usage_counts (user_id, day, what, program_id, model_id, team_id, outcome, bucket, is_deleted, ended, cpu_ms, duration_ms)
SELECT * FROM differing
ON CONFLICT (user_id, day, what, program_id, model_id, team_id, outcome, bucket, is_deleted) DO UPDATE SET ended = usage_counts.ended + excluded.ended,
  cpu_ms = usage_counts.cpu_ms + excluded.cpu_ms, duration_ms = usage_counts.duration_ms + excluded.duration_ms;
