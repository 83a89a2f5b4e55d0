-- How the runs and the sandboxes of a team's members are isolated at least.
ALTER TABLE teams ADD COLUMN least_tier text NOT NULL DEFAULT 'namespace' CHECK (least_tier IN ('namespace', 'microvm'));
