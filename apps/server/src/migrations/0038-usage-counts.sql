-- For which team a run or a call of a model was: that of the model, else that of the program, as it was then.
CREATE FUNCTION team_of(model_owner text, program text) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN model_owner LIKE 'team\_%' THEN model_owner ELSE (SELECT owner_id FROM assets WHERE id = program AND owner_id LIKE 'team\_%') END
$$;
ALTER TABLE runs ADD COLUMN team_id text;
ALTER TABLE llm_calls ADD COLUMN team_id text;
UPDATE runs SET team_id = a.owner_id FROM assets a WHERE a.id = runs.asset_id AND a.owner_id LIKE 'team\_%';
UPDATE llm_calls SET team_id = team_of(model_owner_id, program_id) WHERE team_of(model_owner_id, program_id) IS NOT NULL;

CREATE FUNCTION usage_outcome(status text, error jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN status IN ('succeeded', 'cancelled') THEN status ELSE coalesce(error ->> 'class', 'user_code') END
$$;
-- How long something took, in steps of an eighth of a doubling: 8 * log2(ms). -1: it did not run.
CREATE FUNCTION usage_bucket(ms double precision) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(round(8 * ln(greatest(ms, 1)) / ln(2::double precision)), -1)::smallint
$$;

-- What has ended, counted by the statement that ends it. What is not there is ''. No reference to anything: what was used stays used.
CREATE TABLE usage_counts (
  user_id text NOT NULL,
  -- of UTC: when a run ended, when a call began
  day date NOT NULL,
  what text NOT NULL CHECK (what IN ('run', 'call')),
  program_id text NOT NULL,
  model_id text NOT NULL,
  team_id text NOT NULL,
  -- of a run: succeeded, cancelled, or the class of its error; of a call: its status
  outcome text NOT NULL,
  bucket smallint NOT NULL,
  -- of runs that are gone, and so cannot be counted again
  is_deleted boolean NOT NULL DEFAULT false,
  ended bigint NOT NULL DEFAULT 0,
  cpu_ms bigint NOT NULL DEFAULT 0,
  duration_ms bigint NOT NULL DEFAULT 0,
  input_tokens bigint NOT NULL DEFAULT 0,
  output_tokens bigint NOT NULL DEFAULT 0,
  cached_tokens bigint NOT NULL DEFAULT 0,
  -- billionths of a dollar
  cost bigint NOT NULL DEFAULT 0,
  unknown_costs bigint NOT NULL DEFAULT 0,
  estimates bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id, day, what, program_id, model_id, team_id, outcome, bucket, is_deleted)
) WITH (fillfactor = 70);
CREATE INDEX usage_counts_day ON usage_counts (day);
CREATE INDEX usage_counts_team ON usage_counts (team_id, day) WHERE team_id <> '';

-- The same, counted from what is there.
CREATE VIEW usage_recounted AS
SELECT owner_id AS user_id, (finished_at AT TIME ZONE 'UTC')::date AS day, 'run' AS what, coalesce(asset_id, '') AS program_id, '' AS model_id,
  coalesce(team_id, '') AS team_id, usage_outcome(status, error) AS outcome, usage_bucket((result ->> 'runMs')::double precision) AS bucket,
  false AS is_deleted, count(*) AS ended, coalesce(sum(round((result #>> '{usage,cpuMs}')::numeric)), 0)::bigint AS cpu_ms,
  coalesce(sum(round((result ->> 'runMs')::numeric)), 0)::bigint AS duration_ms, 0::bigint AS input_tokens, 0::bigint AS output_tokens,
  0::bigint AS cached_tokens, 0::bigint AS cost, 0::bigint AS unknown_costs, 0::bigint AS estimates
FROM runs WHERE finished_at IS NOT NULL GROUP BY 1, 2, 4, 6, 7, 8
UNION ALL
SELECT user_id, (started_at AT TIME ZONE 'UTC')::date, 'call', coalesce(program_id, ''), model_id, coalesce(team_id, ''), status,
  CASE WHEN cached OR status = 'refused' THEN -1 ELSE usage_bucket(total_ms) END, false, count(*), 0,
  coalesce(sum(round(total_ms::numeric)), 0)::bigint, coalesce(sum(input_tokens), 0)::bigint, coalesce(sum(output_tokens), 0)::bigint,
  coalesce(sum(cached_tokens), 0)::bigint, coalesce(sum(cost), 0)::bigint, count(*) FILTER (WHERE cost IS NULL AND status = 'succeeded'),
  count(*) FILTER (WHERE is_estimate)
FROM llm_calls WHERE status <> 'running' GROUP BY 1, 2, 4, 5, 6, 7, 8;

INSERT INTO usage_counts SELECT * FROM usage_recounted;
