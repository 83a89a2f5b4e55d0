-- Content that nothing refers to, and since when that is known. Whoever puts it again takes its row away first; who deletes it holds the row.
CREATE TABLE blob_garbage (
  -- the store that it is in: servers with directories of their own may share a database
  store text NOT NULL,
  sha256 text NOT NULL,
  since timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (store, sha256)
);
CREATE INDEX blob_garbage_since ON blob_garbage (store, since);

-- The content of each tree, so that it is found without reading manifests. A tree goes with its manifest.
CREATE TABLE tree_blobs (
  tree_sha256 text NOT NULL REFERENCES trees(sha256) ON DELETE CASCADE,
  sha256 text NOT NULL,
  size bigint NOT NULL,
  PRIMARY KEY (tree_sha256, sha256)
);
CREATE INDEX tree_blobs_content ON tree_blobs (sha256);

-- What was done to the store: looked through, repaired, collected.
CREATE TABLE storage_jobs (
  id text PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('check', 'repair', 'collect')),
  state text NOT NULL CHECK (state IN ('running', 'done', 'failed')),
  -- null: the server itself
  started_by text,
  -- in which process
  worker_id text NOT NULL REFERENCES workers(id),
  started_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  -- how far it is, what it found and what it did about it
  report jsonb NOT NULL
);
CREATE INDEX storage_jobs_newest ON storage_jobs (id DESC);
-- One at a time: repairing and deleting do not go together.
CREATE UNIQUE INDEX storage_jobs_running ON storage_jobs ((true)) WHERE state = 'running';

-- Programs on their way in: fetched, looked at, and made when their owner says so.
CREATE TABLE imports (
  id text PRIMARY KEY,
  owner_id text NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  state text NOT NULL CHECK (state IN ('fetching', 'analysing', 'review', 'creating', 'created', 'failed', 'cancelled', 'expired')),
  -- kind, address, branch, folder; never a credential
  source jsonb NOT NULL,
  -- the archive, which is kept until it has been read
  archive_sha256 text,
  -- the program that is to be replaced, then the one that was made
  asset_id text,
  -- what came in
  tree_sha256 text REFERENCES trees(sha256),
  analysis_sha256 text,
  files integer NOT NULL DEFAULT 0,
  bytes bigint NOT NULL DEFAULT 0,
  problems jsonb NOT NULL DEFAULT '[]',
  suggestion jsonb,
  -- how it was confirmed
  confirmation jsonb,
  error jsonb,
  -- the process that works on it
  worker_id text REFERENCES workers(id),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX imports_owner ON imports (owner_id, id DESC);
CREATE INDEX imports_open ON imports (state) WHERE state IN ('fetching', 'analysing', 'review', 'creating');

CREATE FUNCTION check_import_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state = OLD.state
    OR (OLD.state = 'fetching' AND NEW.state IN ('analysing', 'failed', 'cancelled'))
    OR (OLD.state = 'analysing' AND NEW.state IN ('review', 'failed', 'cancelled'))
    OR (OLD.state = 'review' AND NEW.state IN ('creating', 'cancelled', 'expired'))
    OR (OLD.state = 'creating' AND NEW.state IN ('review', 'created', 'failed')) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'illegal import transition % -> %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER imports_transition BEFORE UPDATE OF state ON imports FOR EACH ROW EXECUTE FUNCTION check_import_transition();
