-- Since when a head is no longer what is there: long ago, it is the base of nobody's work.
ALTER TABLE workspace_heads ADD COLUMN superseded_at timestamptz;
UPDATE workspace_heads h SET superseded_at = now() WHERE EXISTS (
  SELECT FROM workspace_heads n WHERE n.workspace_id = h.workspace_id AND n.revision > h.revision);
CREATE INDEX workspace_heads_superseded ON workspace_heads (superseded_at) WHERE superseded_at IS NOT NULL;
