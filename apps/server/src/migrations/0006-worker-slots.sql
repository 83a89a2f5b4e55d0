-- What administrators are shown of a worker. Null: it is of a version that did not say.
ALTER TABLE workers ADD COLUMN slots integer;
ALTER TABLE workers ADD COLUMN version text;
ALTER TABLE workers ADD COLUMN draining boolean NOT NULL DEFAULT false;
-- It did not leave in order: somebody else found it dead.
ALTER TABLE workers ADD COLUMN lost boolean NOT NULL DEFAULT false;
