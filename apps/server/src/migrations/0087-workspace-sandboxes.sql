-- A sandbox that is in a workspace: its files came from there, and go back there.
ALTER TABLE sandboxes
  ADD COLUMN workspace_id text,
  -- What it is in, as it was when it began.
  ADD COLUMN workspace jsonb,
  -- What became of what was changed in it, the last time.
  ADD COLUMN saved jsonb;
CREATE INDEX sandboxes_workspace ON sandboxes (owner_id, workspace_id, id DESC) WHERE workspace_id IS NOT NULL;

-- What is archived is told to what is open on it, as what is deleted is.
CREATE TRIGGER workspaces_archived AFTER UPDATE OF state ON workspaces FOR EACH ROW
  WHEN (OLD.state IS DISTINCT FROM NEW.state AND NEW.state = 'archived') EXECUTE FUNCTION announce_workspace();
