-- What trees of files are, as an analyser told it: each tree is read once by each analyser, whoever asked.
CREATE TABLE tree_analyses (
  tree_sha256 text NOT NULL REFERENCES trees(sha256) ON DELETE CASCADE,
  -- hash of the analyser
  analyser text NOT NULL,
  state text NOT NULL CHECK (state IN ('running', 'done', 'failed')),
  document_sha256 text,
  -- there was time for all files
  is_complete boolean NOT NULL DEFAULT false,
  -- names that programs are found by
  slots text[] NOT NULL DEFAULT '{}',
  error jsonb,
  -- the process that works on it
  worker_id text REFERENCES workers(id),
  started_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  PRIMARY KEY (tree_sha256, analyser),
  CHECK ((state = 'done') = (document_sha256 IS NOT NULL))
);
CREATE INDEX tree_analyses_document ON tree_analyses (document_sha256) WHERE document_sha256 IS NOT NULL;

-- An import may be narrowed to a folder of what came in, and is looked at again then.
ALTER TABLE imports
  ADD COLUMN folder text,
  ADD COLUMN whole_tree_sha256 text REFERENCES trees(sha256),
  -- what bringing the files in has told; `problems` are these and those of the analysis
  ADD COLUMN gather_problems jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN phase text CHECK (phase IN ('fetch', 'limits', 'analyse'));

CREATE OR REPLACE FUNCTION check_import_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state = OLD.state
    OR (OLD.state = 'fetching' AND NEW.state IN ('analysing', 'failed', 'cancelled'))
    OR (OLD.state = 'analysing' AND NEW.state IN ('review', 'failed', 'cancelled'))
    OR (OLD.state = 'review' AND NEW.state IN ('analysing', 'creating', 'cancelled', 'expired'))
    OR (OLD.state = 'creating' AND NEW.state IN ('review', 'created', 'failed')) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'illegal import transition % -> %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
END $$;

-- Whoever watches an import is told of each change.
CREATE FUNCTION announce_import() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('imports_changed', NEW.id);
  RETURN NULL;
END $$;
CREATE TRIGGER imports_changed AFTER UPDATE ON imports FOR EACH ROW EXECUTE FUNCTION announce_import();
