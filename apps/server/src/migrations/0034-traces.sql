-- When each attempt at a model call began, how long it took until the provider answered, and with what.
ALTER TABLE llm_calls ADD COLUMN attempt_log jsonb;
