-- How often something was tried that people guess or are mailed by: by key, until its window ends. Nothing is lost with it but a few counts, so
-- it need not be written ahead.
CREATE UNLOGGED TABLE tries (
  key text PRIMARY KEY,
  count integer NOT NULL,
  ends_at timestamptz NOT NULL
);
CREATE INDEX tries_end ON tries (ends_at);
