-- Apart from the change of the table, whose lock would keep runs waiting while the index is made.
CREATE INDEX runs_datasets ON runs USING gin (dataset_ids) WHERE dataset_ids IS NOT NULL;
