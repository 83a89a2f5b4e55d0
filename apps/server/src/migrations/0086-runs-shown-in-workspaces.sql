-- Whether whoever may see the workspace that a run is in may see the run.
ALTER TABLE runs ADD COLUMN shown_in_workspace boolean NOT NULL DEFAULT false;
