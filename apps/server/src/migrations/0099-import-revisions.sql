-- The revision of the program that an import was held against when it was shown: another one is not overwritten unseen. An import that waits from before
-- has none, and is held against the program anew when it is confirmed.
ALTER TABLE imports ADD COLUMN asset_revision integer;
