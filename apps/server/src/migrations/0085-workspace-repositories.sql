-- What git knows of a workspace: where its one branch is, which files that is, and up to which version there are commits.
CREATE TABLE workspace_repositories (
  workspace_id text PRIMARY KEY REFERENCES workspaces(id) ON DELETE CASCADE,
  tip text NOT NULL,
  tree_sha256 text NOT NULL REFERENCES trees(sha256),
  last_version integer NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX workspace_repositories_tree ON workspace_repositories (tree_sha256);

-- The packs that hold its commits, as git wrote them, each with its index.
CREATE TABLE workspace_packs (
  workspace_id text NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  sha256 text NOT NULL,
  size bigint NOT NULL,
  index_sha256 text NOT NULL,
  index_size bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (workspace_id, sha256)
);

-- The commit that a version is, and who wrote that, as the commit names them.
ALTER TABLE workspace_versions ADD COLUMN commit_id text, ADD COLUMN author text;
