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
