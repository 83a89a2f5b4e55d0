-- The connections of runs that had a network, as a document: written once with the end of the run, read whole.
CREATE TABLE run_network (
  run_id text PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
  connections jsonb NOT NULL
);
