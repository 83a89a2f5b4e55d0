-- What a build has said so far, for those who follow it at another server; goes when the build has ended and its log is stored.
CREATE TABLE environment_build_records (
  environment_id text NOT NULL REFERENCES environments(id) ON DELETE CASCADE,
  seq integer NOT NULL,
  -- a line of a log
  record text NOT NULL,
  PRIMARY KEY (environment_id, seq)
);

-- Grows with each step of an import that its followers are told of: who comes back says which they have seen.
ALTER TABLE imports ADD COLUMN progress_seq integer NOT NULL DEFAULT 1;
CREATE FUNCTION count_import_progress() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.state, NEW.phase, NEW.files, NEW.bytes) IS DISTINCT FROM (OLD.state, OLD.phase, OLD.files, OLD.bytes) THEN
    NEW.progress_seq := OLD.progress_seq + 1;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER imports_progress BEFORE UPDATE ON imports FOR EACH ROW EXECUTE FUNCTION count_import_progress();

-- What a request with an idempotency key has made: written by the very statement that makes it. Its id, or '' where it has none.
ALTER TABLE idempotent_requests ADD COLUMN made text;
