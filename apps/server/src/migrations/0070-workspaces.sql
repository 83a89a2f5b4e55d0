-- Workspaces: trees of files with a life of their own. `owner_id` is a user or a team. `name_key` is the name as it is compared.
CREATE TABLE workspaces (
  id text PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('ephemeral', 'session', 'persistent', 'collaborative')),
  name text NOT NULL,
  name_key text NOT NULL,
  description text NOT NULL DEFAULT '',
  owner_id text NOT NULL,
  state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended', 'archived')),
  tree_sha256 text NOT NULL REFERENCES trees(sha256),
  revision integer NOT NULL DEFAULT 1,
  last_version integer NOT NULL DEFAULT 0,
  network jsonb NOT NULL,
  keep_on_exit boolean NOT NULL DEFAULT false,
  cloned_from jsonb,
  last_used_at timestamptz NOT NULL DEFAULT now(),
  archived_at timestamptz,
  warned_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text,
  updated_at timestamptz NOT NULL DEFAULT now(),
  updated_by text,
  deleted_at timestamptz,
  deleted_by text
);
CREATE UNIQUE INDEX workspaces_name ON workspaces (owner_id, name_key) WHERE deleted_at IS NULL;
CREATE INDEX workspaces_used ON workspaces (last_used_at DESC, id DESC);
CREATE INDEX workspaces_tree ON workspaces (tree_sha256);
CREATE INDEX workspaces_deleted ON workspaces (deleted_at) WHERE deleted_at IS NOT NULL;

-- The files as they were at some time; a version never changes.
CREATE TABLE workspace_versions (
  workspace_id text NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  number integer NOT NULL,
  tree_sha256 text NOT NULL REFERENCES trees(sha256),
  message text NOT NULL DEFAULT '',
  cause text NOT NULL,
  run_id text,
  created_by text,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (workspace_id, number)
);
CREATE INDEX workspace_versions_tree ON workspace_versions (tree_sha256);

-- What the files were at each revision, for a while: what somebody writes who has seen an earlier one is put together with what others wrote since.
CREATE TABLE workspace_heads (
  workspace_id text NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  revision integer NOT NULL,
  tree_sha256 text NOT NULL REFERENCES trees(sha256),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (workspace_id, revision)
);
CREATE INDEX workspace_heads_tree ON workspace_heads (tree_sha256);

-- The workspace that a run is in.
ALTER TABLE runs ADD COLUMN workspace_id text;
CREATE INDEX runs_workspace ON runs (workspace_id, id DESC) WHERE workspace_id IS NOT NULL;

-- Whatever changes who may see a workspace is told to what is open on it.
CREATE FUNCTION announce_workspace() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('access_changed', 'workspace:' || OLD.id);
  RETURN NULL;
END $$;
CREATE TRIGGER workspaces_changed AFTER UPDATE OF owner_id, deleted_at ON workspaces FOR EACH ROW
  WHEN (OLD.owner_id IS DISTINCT FROM NEW.owner_id OR OLD.deleted_at IS DISTINCT FROM NEW.deleted_at) EXECUTE FUNCTION announce_workspace();
