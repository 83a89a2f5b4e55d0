-- A link may be for people with an account alone, also where an administrator lets links be opened without signing in. Until now only those to runs
-- were: whoever made one to anything else was told so, and it stays that way.
ALTER TABLE share_links ADD COLUMN needs_account boolean NOT NULL DEFAULT false;
UPDATE share_links SET needs_account = true WHERE id IN (SELECT subject_id FROM grants WHERE subject_type = 'link' AND resource_type <> 'run');
