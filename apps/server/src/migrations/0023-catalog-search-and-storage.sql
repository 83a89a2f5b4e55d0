-- Who sees an asset, as an array that an index serves together with the words and tags of what is looked for: its owner, `public`, and to whom
-- it is granted (users, teams, links). Grants that end by themselves are not among them: lists add those.
CREATE FUNCTION asset_viewers(asset_id text, owner_id text, visibility text) RETURNS text[] LANGUAGE sql STABLE AS $$
  SELECT array_agg(viewer ORDER BY viewer) FROM (
    SELECT owner_id
    UNION SELECT visibility WHERE visibility = 'public'
    UNION SELECT subject_id FROM grants WHERE resource_type = 'asset' AND resource_id = asset_id AND expires_at IS NULL
  ) AS every(viewer)
$$;

ALTER TABLE assets ADD COLUMN viewers text[] NOT NULL DEFAULT '{}';
ALTER TABLE assets DISABLE TRIGGER assets_changed;
UPDATE assets SET viewers = asset_viewers(id, owner_id, visibility);
ALTER TABLE assets ENABLE TRIGGER assets_changed;

-- The functions are volatile on purpose: each of their statements sees what was committed while the row was waited for.
CREATE FUNCTION set_asset_viewers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.viewers := asset_viewers(NEW.id, NEW.owner_id, NEW.visibility);
  RETURN NEW;
END $$;
CREATE TRIGGER assets_viewers BEFORE INSERT OR UPDATE OF owner_id, visibility ON assets FOR EACH ROW EXECUTE FUNCTION set_asset_viewers();

CREATE FUNCTION set_granted_viewers() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  granted text := CASE WHEN TG_OP = 'DELETE' THEN OLD.resource_id ELSE NEW.resource_id END;
BEGIN
  PERFORM FROM assets WHERE id = granted FOR NO KEY UPDATE;
  UPDATE assets SET viewers = asset_viewers(id, owner_id, visibility) WHERE id = granted;
  RETURN NULL;
END $$;
CREATE TRIGGER asset_viewers_granted AFTER INSERT ON grants FOR EACH ROW
  WHEN (NEW.resource_type = 'asset') EXECUTE FUNCTION set_granted_viewers();
CREATE TRIGGER asset_viewers_changed AFTER UPDATE OR DELETE ON grants FOR EACH ROW
  WHEN (OLD.resource_type = 'asset') EXECUTE FUNCTION set_granted_viewers();

DROP INDEX assets_search, assets_tags;
CREATE INDEX assets_found ON assets USING gin (viewers, search, tags) WITH (gin_pending_list_limit = 256);

-- The words of all assets, among which those are found that are like a mistyped one.
CREATE TABLE asset_words (word text COLLATE "C" PRIMARY KEY);
INSERT INTO asset_words SELECT DISTINCT word FROM assets, unnest(tsvector_to_array(search)) AS word WHERE length(word) >= 4;

CREATE FUNCTION note_asset_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO asset_words SELECT word FROM unnest(tsvector_to_array(NEW.search)) AS word
    WHERE length(word) >= 4 ORDER BY word ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER asset_words_added AFTER INSERT OR UPDATE OF search ON assets FOR EACH ROW EXECUTE FUNCTION note_asset_words();

-- More kinds of jobs on the store (see `contracts/storage.ts`), and jobs that are stopped.
ALTER TABLE storage_jobs DROP CONSTRAINT storage_jobs_kind_check, DROP CONSTRAINT storage_jobs_state_check;
ALTER TABLE storage_jobs ADD CHECK (kind IN ('check', 'repair', 'collect', 'measure', 'copy')),
  ADD CHECK (state IN ('running', 'done', 'failed', 'stopped')),
  ADD COLUMN stop_requested_at timestamptz;
