-- What an asset was called and how it was described when a version was published; null: nobody wrote it down.
ALTER TABLE asset_versions ADD COLUMN metadata jsonb;

-- A published version is not changed, but for its slots, which its files' analysis may tell later.
CREATE OR REPLACE FUNCTION guard_asset_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.metadata IS NOT NULL AND OLD.metadata IS NOT NULL
    AND (to_jsonb(NEW) #- '{metadata,slots}') = (to_jsonb(OLD) #- '{metadata,slots}') THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a published version is not changed' USING ERRCODE = 'check_violation';
END $$;

-- What people change has a revision, which counts what they change; the columns that are named to the trigger change by themselves.
CREATE FUNCTION count_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (to_jsonb(NEW) - TG_ARGV) IS DISTINCT FROM (to_jsonb(OLD) - TG_ARGV) THEN
    NEW.revision := OLD.revision + 1;
  END IF;
  RETURN NEW;
END $$;
ALTER TABLE credentials ADD COLUMN revision integer NOT NULL DEFAULT 1;
ALTER TABLE package_indexes ADD COLUMN revision integer NOT NULL DEFAULT 1;
ALTER TABLE schedules ADD COLUMN revision integer NOT NULL DEFAULT 1;
ALTER TABLE spend_caps ADD COLUMN revision integer NOT NULL DEFAULT 1;
ALTER TABLE triggers ADD COLUMN revision integer NOT NULL DEFAULT 1;
ALTER TABLE webhooks ADD COLUMN revision integer NOT NULL DEFAULT 1;
CREATE TRIGGER credentials_revision BEFORE UPDATE ON credentials FOR EACH ROW
  EXECUTE FUNCTION count_revision('revision', 'data_key', 'key_id', 'warned_at', 'last_used_at');
CREATE TRIGGER package_indexes_revision BEFORE UPDATE ON package_indexes FOR EACH ROW EXECUTE FUNCTION count_revision('revision', 'updated_at');
CREATE TRIGGER schedules_revision BEFORE UPDATE ON schedules FOR EACH ROW
  EXECUTE FUNCTION count_revision('revision', 'next_at', 'pending_at', 'retry_at', 'last_at', 'last_outcome', 'last_run_id', 'updated_at');
CREATE TRIGGER spend_caps_revision BEFORE UPDATE ON spend_caps FOR EACH ROW EXECUTE FUNCTION count_revision('revision', 'updated_by', 'updated_at');
CREATE TRIGGER triggers_revision BEFORE UPDATE ON triggers FOR EACH ROW EXECUTE FUNCTION count_revision('revision', 'last_called_at', 'updated_at');
CREATE TRIGGER webhooks_revision BEFORE UPDATE ON webhooks FOR EACH ROW
  EXECUTE FUNCTION count_revision('revision', 'failing_since', 'last_taken_at', 'updated_at');

-- What a program is, is kept by its files (tree_analyses). The blob that imports noted in its configuration was read by nobody.
ALTER TABLE asset_versions DISABLE TRIGGER asset_versions_guard;
UPDATE asset_versions SET config = config - 'analysis' WHERE config ? 'analysis';
ALTER TABLE asset_versions ENABLE TRIGGER asset_versions_guard;
UPDATE assets SET config = config - 'analysis' WHERE config ? 'analysis';
