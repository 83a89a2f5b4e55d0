-- Accounts: one-time links, what a key may do and how often, and which code of an authenticator was used last.

CREATE TABLE account_links (
  id text PRIMARY KEY,
  purpose text NOT NULL CHECK (purpose IN ('sign_up', 'verify_email', 'reset_password')),
  email text,
  -- null for who has no account yet
  user_id text REFERENCES users(id) ON DELETE CASCADE,
  token_hash text NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  used_at timestamptz
);
CREATE INDEX account_links_user ON account_links (user_id, purpose);
CREATE INDEX account_links_expiry ON account_links (expires_at);

ALTER TABLE api_keys ADD COLUMN scopes text[] NOT NULL DEFAULT '{*}';
ALTER TABLE api_keys ADD COLUMN requests_per_minute integer CHECK (requests_per_minute > 0);

-- A code counts once: the time step of the last one that was accepted.
ALTER TABLE two_factors ADD COLUMN last_step bigint NOT NULL DEFAULT 0;
