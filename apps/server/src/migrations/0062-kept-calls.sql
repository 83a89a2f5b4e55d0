-- What is kept of prompts and answers goes when its time is over, and counts with what the owner of the model has stored.
CREATE INDEX llm_calls_texts ON llm_calls (model_owner_id, started_at) WHERE request_text IS NOT NULL OR response_text IS NOT NULL;
CREATE INDEX llm_calls_hashes ON llm_calls (started_at) WHERE request_sha256 IS NOT NULL OR response_sha256 IS NOT NULL;
