-- Requests that create something, by the key that their client gave them: sent again they are answered with what the first one made. Of the key
-- only a hash is here, and the hash of the request is made with the key, so that what stood in the request cannot be guessed from it.
CREATE TABLE idempotent_requests (
  owner_id text NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  key_hash text NOT NULL,
  request_hash text NOT NULL,
  worker_id text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  -- Null while it is being worked on.
  status integer,
  -- Null where it was shown once, and holds a secret.
  answer text,
  headers jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (owner_id, key_hash)
);
CREATE INDEX idempotent_requests_started ON idempotent_requests (started_at);

-- What a key may have models cost in a month, in dollars; null: only its person's quota holds.
ALTER TABLE key_quotas ADD COLUMN llm_spend_per_month integer CHECK (llm_spend_per_month >= 0);
-- The key that a run's calls count against, besides its person; null where it has no quotas of its own.
ALTER TABLE run_tokens ADD COLUMN api_key_id text;
CREATE OR REPLACE FUNCTION forget_key_usage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM key_usage_days WHERE api_key_id = OLD.id;
  DELETE FROM spend_counters WHERE scope = 'key:' || OLD.id;
  RETURN NULL;
END $$;
