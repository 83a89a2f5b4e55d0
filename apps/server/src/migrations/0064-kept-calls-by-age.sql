-- What is kept of calls is removed by its age, of all models or of one, and counted and forgotten by whose the model is.
CREATE INDEX llm_calls_texts_age ON llm_calls (started_at) WHERE request_text IS NOT NULL OR response_text IS NOT NULL;
CREATE INDEX llm_calls_kept ON llm_calls (model_id, started_at)
  WHERE request_sha256 IS NOT NULL OR response_sha256 IS NOT NULL OR request_text IS NOT NULL OR response_text IS NOT NULL;
CREATE INDEX llm_calls_owner ON llm_calls (model_owner_id);
