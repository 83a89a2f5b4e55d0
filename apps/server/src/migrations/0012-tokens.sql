-- Services sign in with short-lived tokens. A family is what began with one sign-in and is renewed by one refresh token after another; a
-- refresh token that comes twice was stolen, so the whole family ends.
CREATE TABLE token_families (
  id text PRIMARY KEY,
  user_id text NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  -- What it began with: a key, which takes the family along when it is revoked, or the token of a trusted issuer.
  api_key_id text REFERENCES api_keys(id) ON DELETE CASCADE,
  issuer text,
  scopes text[] NOT NULL,
  refresh_hash text NOT NULL UNIQUE,
  previous_hash text UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now(),
  refreshed_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX token_families_user ON token_families (user_id);
CREATE INDEX token_families_key ON token_families (api_key_id);
CREATE INDEX token_families_expiry ON token_families (expires_at);

CREATE TRIGGER token_families_ended AFTER DELETE ON token_families FOR EACH ROW EXECUTE FUNCTION announce_user();
