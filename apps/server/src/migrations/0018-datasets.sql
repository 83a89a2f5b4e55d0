-- The datasets of a run, so that those that used one can be found.
ALTER TABLE runs ADD COLUMN dataset_ids text[];
