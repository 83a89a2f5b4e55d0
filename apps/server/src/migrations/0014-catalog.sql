-- The catalog: file trees, assets and their versions.

-- A tree is a manifest, stored as a blob under the same hash.
CREATE TABLE trees (
  sha256 text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  file_count integer NOT NULL,
  total_bytes bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- `owner_id` is a user, a team or `system`: its prefix tells. `name_key` is the name as it is compared. `search` is made by the server:
-- names weigh A, tags and slots B, the description C.
CREATE TABLE assets (
  id text PRIMARY KEY,
  type text NOT NULL CHECK (type IN ('program', 'model', 'dataset', 'composition')),
  name text NOT NULL,
  name_key text NOT NULL,
  slug text NOT NULL,
  description text NOT NULL DEFAULT '',
  tags text[] NOT NULL DEFAULT '{}',
  slots text[] NOT NULL DEFAULT '{}',
  owner_id text NOT NULL,
  visibility text NOT NULL DEFAULT 'private' CHECK (visibility IN ('private', 'public')),
  tree_sha256 text REFERENCES trees(sha256),
  config jsonb NOT NULL,
  revision integer NOT NULL DEFAULT 1,
  version text,
  cloned_from jsonb,
  import_source jsonb,
  last_run_id text,
  last_run_status text,
  last_run_at timestamptz,
  search tsvector NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text,
  updated_at timestamptz NOT NULL DEFAULT now(),
  updated_by text,
  deleted_at timestamptz,
  deleted_by text
);
CREATE UNIQUE INDEX assets_name ON assets (owner_id, type, name_key) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX assets_slug ON assets (owner_id, type, slug) WHERE deleted_at IS NULL;
CREATE INDEX assets_owner ON assets (owner_id, updated_at DESC, id DESC);
CREATE INDEX assets_public ON assets (updated_at DESC, id DESC) WHERE visibility = 'public';
CREATE INDEX assets_updated ON assets (updated_at DESC, id DESC);
CREATE INDEX assets_created ON assets (created_at DESC, id DESC);
CREATE INDEX assets_names ON assets ((name_key COLLATE "C"), id);
CREATE INDEX assets_last_run ON assets ((coalesce(last_run_at, '-infinity')) DESC, id DESC);
CREATE INDEX assets_search ON assets USING gin (search);
CREATE INDEX assets_tags ON assets USING gin (tags);
CREATE INDEX assets_tree ON assets (tree_sha256);
CREATE INDEX assets_deleted ON assets (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE asset_versions (
  asset_id text NOT NULL REFERENCES assets(id) ON DELETE CASCADE,
  version text NOT NULL,
  -- the order of semantic versions, as text that sorts
  version_key text NOT NULL COLLATE "C",
  tree_sha256 text REFERENCES trees(sha256),
  config jsonb NOT NULL,
  message text NOT NULL DEFAULT '',
  created_by text,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (asset_id, version)
);
CREATE INDEX asset_versions_order ON asset_versions (asset_id, version_key DESC);
CREATE INDEX asset_versions_tree ON asset_versions (tree_sha256);

-- A published version stays as it is; it goes with its asset alone.
CREATE FUNCTION guard_asset_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a published version is not changed' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER asset_versions_guard BEFORE UPDATE ON asset_versions FOR EACH ROW EXECUTE FUNCTION guard_asset_version();

-- Whatever changes who may see an asset is told to what is open on it; what changes in a list is told to lists.
CREATE FUNCTION announce_asset() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND (OLD.visibility IS DISTINCT FROM NEW.visibility OR OLD.owner_id IS DISTINCT FROM NEW.owner_id
      OR OLD.deleted_at IS DISTINCT FROM NEW.deleted_at) THEN
    PERFORM pg_notify('access_changed', 'asset:' || OLD.id);
  END IF;
  PERFORM pg_notify('assets_changed', coalesce(NEW.id, OLD.id));
  RETURN NULL;
END $$;
CREATE TRIGGER assets_changed AFTER INSERT OR UPDATE OR DELETE ON assets FOR EACH ROW EXECUTE FUNCTION announce_asset();

-- What is shared newly appears in lists; what is taken back is announced by `grants_changed` as for all things.
CREATE FUNCTION announce_asset_grant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('assets_changed', NEW.resource_id);
  RETURN NULL;
END $$;
CREATE TRIGGER asset_grants_added AFTER INSERT ON grants FOR EACH ROW
  WHEN (NEW.resource_type = 'asset') EXECUTE FUNCTION announce_asset_grant();
