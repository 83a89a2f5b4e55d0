-- Environments that somebody wants built at any time, and since when.
ALTER TABLE environment_users ADD COLUMN kept_warm_at timestamptz;
CREATE INDEX environment_users_kept_warm ON environment_users (environment_id) WHERE kept_warm_at IS NOT NULL;
