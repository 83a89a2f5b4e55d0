-- Files of workspaces while people edit them together, as Yjs documents. `snapshot` is the document's state at `snapshot_seq`, and its text is that of the
-- file with the hash `base_sha256`; what was written since is in `live_updates`, up to `last_seq`. `line_end`: what the lines of the file end with; in the
-- document it is always a line feed. `detached_at`: since when the file is gone. `problem`: the code of why the text cannot be put into the files.
CREATE TABLE live_documents (
  id text PRIMARY KEY,
  workspace_id text NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  path text NOT NULL,
  base_sha256 text NOT NULL,
  line_end text NOT NULL,
  snapshot bytea NOT NULL,
  snapshot_seq bigint NOT NULL DEFAULT 0,
  last_seq bigint NOT NULL DEFAULT 0,
  pending_bytes bigint NOT NULL DEFAULT 0,
  problem text,
  detached_at timestamptz,
  used_at timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX live_documents_path ON live_documents (workspace_id, path) WHERE detached_at IS NULL;
CREATE INDEX live_documents_unsettled ON live_documents (used_at) WHERE last_seq > snapshot_seq;
CREATE INDEX live_documents_used ON live_documents (used_at);

-- What was written since the snapshot, in an order without gaps.
CREATE TABLE live_updates (
  document_id text NOT NULL REFERENCES live_documents(id) ON DELETE CASCADE,
  seq bigint NOT NULL,
  update bytea NOT NULL,
  user_id text REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (document_id, seq)
);
CREATE INDEX live_updates_user ON live_updates (user_id);

-- Whose a replica of a document is: nobody writes in somebody else's name.
CREATE TABLE live_replicas (
  document_id text NOT NULL REFERENCES live_documents(id) ON DELETE CASCADE,
  client_id bigint NOT NULL,
  user_id text NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  PRIMARY KEY (document_id, client_id)
);
CREATE INDEX live_replicas_user ON live_replicas (user_id);

-- Who wrote what a version holds and the one before it does not; for what is no version yet, under the number of the next one.
CREATE TABLE workspace_authors (
  workspace_id text NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  version integer NOT NULL,
  user_id text NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (workspace_id, version, user_id)
);
CREATE INDEX workspace_authors_user ON workspace_authors (user_id);

-- Whoever writes files, those who have them open are told.
CREATE FUNCTION announce_workspace_files() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('workspace_files', NEW.id);
  RETURN NULL;
END $$;
CREATE TRIGGER workspaces_files_changed AFTER UPDATE OF tree_sha256 ON workspaces FOR EACH ROW
  WHEN (OLD.tree_sha256 IS DISTINCT FROM NEW.tree_sha256) EXECUTE FUNCTION announce_workspace_files();
