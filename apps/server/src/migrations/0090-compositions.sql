-- What compositions use is asked for by what is used, of drafts and of published versions.
CREATE INDEX assets_references ON assets USING gin ((config->'references') jsonb_path_ops) WHERE config ? 'references';
CREATE INDEX asset_versions_references ON asset_versions USING gin ((config->'references') jsonb_path_ops) WHERE config ? 'references';
