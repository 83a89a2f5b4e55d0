-- Which process of which machine a worker is, by nothing that depends on a clock; null for one that cannot tell.
ALTER TABLE workers ADD COLUMN process text;
