-- What people edit together is a file of a workspace, or the graph of a composition. Of a graph `base_sha256` is the tree of the draft that the snapshot
-- is equal to, `path` the name of its file, and `line_end` means nothing.
ALTER TABLE live_documents ALTER COLUMN workspace_id DROP NOT NULL;
ALTER TABLE live_documents ADD COLUMN asset_id text REFERENCES assets(id) ON DELETE CASCADE;
ALTER TABLE live_documents ADD CONSTRAINT live_documents_of_one CHECK ((workspace_id IS NULL) <> (asset_id IS NULL));
CREATE UNIQUE INDEX live_documents_asset ON live_documents (asset_id) WHERE asset_id IS NOT NULL;

-- Whoever saves a draft, those who have it open are told.
CREATE FUNCTION announce_composition_graph() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('composition_graphs', NEW.id);
  RETURN NULL;
END $$;
CREATE TRIGGER compositions_graph_changed AFTER UPDATE OF tree_sha256 ON assets FOR EACH ROW
  WHEN (NEW.type = 'composition' AND OLD.tree_sha256 IS DISTINCT FROM NEW.tree_sha256) EXECUTE FUNCTION announce_composition_graph();
