-- The node of a composition that called, as the run itself says: it tells nobody else anything.
ALTER TABLE llm_calls ADD COLUMN node_path text;

-- What making a result that is used again had taken of models.
ALTER TABLE node_runs ADD COLUMN saved_llm jsonb;
