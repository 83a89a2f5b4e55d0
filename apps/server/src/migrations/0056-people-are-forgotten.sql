-- Who has made something is forgotten when they are gone: that is no change of a published version, and of nothing that has a revision.
CREATE OR REPLACE FUNCTION guard_asset_version() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  earlier jsonb := to_jsonb(OLD) - 'created_by';
  later jsonb := to_jsonb(NEW) - 'created_by';
BEGIN
  IF NEW.created_by IS NULL OR NEW.created_by = OLD.created_by THEN
    IF later = earlier AND NEW.created_by IS DISTINCT FROM OLD.created_by THEN
      RETURN NEW;
    END IF;
    IF NEW.metadata IS NOT NULL AND OLD.metadata IS NOT NULL AND (later #- '{metadata,slots}') = (earlier #- '{metadata,slots}') THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'a published version is not changed' USING ERRCODE = 'check_violation';
END $$;

CREATE OR REPLACE TRIGGER credentials_revision BEFORE UPDATE ON credentials FOR EACH ROW
  EXECUTE FUNCTION count_revision('revision', 'created_by', 'data_key', 'key_id', 'warned_at', 'last_used_at');
CREATE OR REPLACE TRIGGER package_indexes_revision BEFORE UPDATE ON package_indexes FOR EACH ROW
  EXECUTE FUNCTION count_revision('revision', 'created_by', 'updated_at');
CREATE OR REPLACE TRIGGER webhooks_revision BEFORE UPDATE ON webhooks FOR EACH ROW
  EXECUTE FUNCTION count_revision('revision', 'created_by', 'failing_since', 'last_taken_at', 'updated_at');

-- Those who were deleted before are named no more either. `deleted` is nobody: what was used stays used.
UPDATE assets SET created_by = NULL WHERE created_by LIKE 'user\_%' AND NOT EXISTS (SELECT FROM users u WHERE u.id = created_by);
UPDATE assets SET updated_by = NULL WHERE updated_by LIKE 'user\_%' AND NOT EXISTS (SELECT FROM users u WHERE u.id = updated_by);
UPDATE assets SET deleted_by = NULL WHERE deleted_by LIKE 'user\_%' AND NOT EXISTS (SELECT FROM users u WHERE u.id = deleted_by);
UPDATE asset_versions SET created_by = NULL WHERE created_by LIKE 'user\_%' AND NOT EXISTS (SELECT FROM users u WHERE u.id = created_by);
UPDATE credentials SET created_by = NULL WHERE created_by LIKE 'user\_%' AND NOT EXISTS (SELECT FROM users u WHERE u.id = created_by);
UPDATE package_indexes SET created_by = NULL WHERE created_by LIKE 'user\_%' AND NOT EXISTS (SELECT FROM users u WHERE u.id = created_by);
UPDATE webhooks SET created_by = NULL WHERE created_by LIKE 'user\_%' AND NOT EXISTS (SELECT FROM users u WHERE u.id = created_by);
UPDATE spend_caps SET updated_by = NULL WHERE updated_by LIKE 'user\_%' AND NOT EXISTS (SELECT FROM users u WHERE u.id = updated_by);
UPDATE storage_jobs SET started_by = NULL WHERE started_by LIKE 'user\_%' AND NOT EXISTS (SELECT FROM users u WHERE u.id = started_by);
