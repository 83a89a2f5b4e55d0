-- Which repository a workspace follows. It is fetched as the person who set it, with what they may do then.
CREATE TABLE workspace_mirrors (
  workspace_id text PRIMARY KEY REFERENCES workspaces(id) ON DELETE CASCADE,
  url text NOT NULL,
  ref text,
  path text,
  credential_id text,
  every_minutes integer NOT NULL,
  -- null: they have no account any more
  created_by text REFERENCES users(id) ON DELETE SET NULL,
  -- what came in last: on it the next change is put together with what is here
  commit_id text,
  tree_sha256 text REFERENCES trees(sha256),
  changed_at timestamptz,
  checked_at timestamptz,
  -- null: when somebody asks for it
  next_at timestamptz DEFAULT now(),
  -- so many times in a row it has failed, and how the last time
  failures integer NOT NULL DEFAULT 0,
  problem_code text,
  problem_message text,
  problem_paths text[] NOT NULL DEFAULT '{}',
  -- a server fetches it, at most until then
  taken_until timestamptz
);
CREATE INDEX workspace_mirrors_due ON workspace_mirrors (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX workspace_mirrors_tree ON workspace_mirrors (tree_sha256) WHERE tree_sha256 IS NOT NULL;
CREATE INDEX workspace_mirrors_by ON workspace_mirrors (created_by);
