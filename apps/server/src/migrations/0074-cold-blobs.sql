-- Content that lies in a bucket because nobody has read it for long. What is in the data directory as well is read there.
CREATE TABLE cold_blobs (
  sha256 text PRIMARY KEY,
  size bigint NOT NULL,
  -- which bucket
  store text NOT NULL,
  moved_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX cold_blobs_store ON cold_blobs (store);
ALTER TABLE storage_jobs DROP CONSTRAINT storage_jobs_kind_check;
ALTER TABLE storage_jobs ADD CONSTRAINT storage_jobs_kind_check CHECK (kind IN ('check', 'repair', 'collect', 'measure', 'copy', 'cool', 'recall'));
