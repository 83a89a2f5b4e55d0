-- What is sent to a webhook that somebody made: its tries are kept, and it can be sent again.
ALTER TABLE deliveries
  ADD COLUMN webhook_id text,
  -- whose turn it is: a person or a team; empty: nobody's in particular
  ADD COLUMN owner_id text NOT NULL DEFAULT '',
  ADD COLUMN event_type text,
  -- the newest last: when, where, how long, status, and the beginning of the answer
  ADD COLUMN tries jsonb NOT NULL DEFAULT '[]',
  -- since when it is being tried: the day of tries begins here
  ADD COLUMN tries_from timestamptz NOT NULL DEFAULT now();
UPDATE deliveries SET owner_id = user_id WHERE user_id IS NOT NULL AND state = 'due';
CREATE INDEX deliveries_turns ON deliveries (channel, owner_id, due_at) WHERE state = 'due';
CREATE INDEX deliveries_webhook ON deliveries (webhook_id, id DESC) WHERE webhook_id IS NOT NULL;
CREATE INDEX deliveries_webhook_due ON deliveries (webhook_id) WHERE webhook_id IS NOT NULL AND state = 'due';

-- Where a person or a team wants to be told of what happens.
CREATE TABLE webhooks (
  id text PRIMARY KEY,
  owner_id text NOT NULL,
  name text NOT NULL,
  url text NOT NULL,
  events text[] NOT NULL,
  -- null: whatever it is
  program_ids text[],
  run_statuses text[],
  asset_types text[],
  -- which of the secrets that can be derived signs; the one before signs as well until then
  secret_generation integer NOT NULL DEFAULT 0,
  previous_secret_until timestamptz,
  enabled boolean NOT NULL DEFAULT true,
  disabled_reason text,
  failing_since timestamptz,
  last_taken_at timestamptz,
  created_by text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX webhooks_owner ON webhooks (owner_id, id DESC);
ALTER TABLE deliveries ADD CONSTRAINT deliveries_webhook_id FOREIGN KEY (webhook_id) REFERENCES webhooks(id) ON DELETE CASCADE;

CREATE FUNCTION forget_webhooks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM webhooks WHERE owner_id = OLD.id;
  RETURN NULL;
END $$;
CREATE TRIGGER users_webhooks AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION forget_webhooks();
CREATE TRIGGER teams_webhooks AFTER DELETE ON teams FOR EACH ROW EXECUTE FUNCTION forget_webhooks();

-- What has happened and is not handed to the webhooks yet. Written in the transaction in which it happens, and only where somebody wants it.
CREATE TABLE webhook_events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  type text NOT NULL,
  owner_ids text[] NOT NULL,
  program_id text,
  run_status text,
  asset_type text,
  data jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION record_event(event_type text, owners text[], program text, ended text, kind_of_asset text, said jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO webhook_events (type, owner_ids, program_id, run_status, asset_type, data)
  SELECT event_type, owners, program, ended, kind_of_asset, said
  WHERE EXISTS (SELECT FROM webhooks WHERE owner_id = ANY (owners) AND enabled AND event_type = ANY (events));
  IF FOUND THEN PERFORM pg_notify('webhook_events', ''); END IF;
END $$;

-- As JSON has it, whatever the time zone of the session.
CREATE FUNCTION iso_time(at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- Whoever has no webhook pays for one look into an index, and nothing is put together for nobody.
CREATE FUNCTION record_run_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  owners text[] := ARRAY[NEW.owner_id];
  said jsonb;
BEGIN
  IF NEW.kind IN ('analysis', 'build') THEN RETURN NULL; END IF;
  -- A team is told of its members' runs of its programs.
  IF NEW.asset_id IS NOT NULL THEN
    owners := owners || ARRAY(
      SELECT a.owner_id FROM assets a JOIN team_members m ON m.team_id = a.owner_id AND m.user_id = NEW.owner_id WHERE a.id = NEW.asset_id);
  END IF;
  IF NOT EXISTS (SELECT FROM webhooks WHERE owner_id = ANY (owners)) THEN RETURN NULL; END IF;
  said := jsonb_build_object('runId', NEW.id, 'kind', NEW.kind, 'ownerId', NEW.owner_id, 'language', NEW.language, 'entrypoint', NEW.entrypoint,
    'attempt', NEW.attempt, 'createdAt', iso_time(NEW.created_at), 'startedAt', iso_time(NEW.started_at),
    'program', CASE WHEN NEW.asset_id IS NOT NULL THEN
      jsonb_build_object('id', NEW.asset_id, 'name', coalesce(NEW.config #>> '{program,name}', ''), 'version', NEW.asset_version) END);
  IF (NEW.status IN ('running', 'waiting') OR NEW.started_at IS NOT NULL) AND (TG_OP = 'INSERT' OR OLD.status IN ('queued', 'starting')) THEN
    PERFORM record_event('run.started', owners, NEW.asset_id, NULL, NULL, said);
  END IF;
  IF NEW.finished_at IS NOT NULL THEN
    PERFORM record_event('run.finished', owners, NEW.asset_id, NEW.status, NULL, said || jsonb_build_object('status', NEW.status,
      'finishedAt', iso_time(NEW.finished_at), 'exitCode', NEW.exit_code, 'signal', NEW.signal, 'errorCode', NEW.error ->> 'code'));
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER runs_inserted_event AFTER INSERT ON runs FOR EACH ROW
  WHEN (NEW.status NOT IN ('queued', 'starting')) EXECUTE FUNCTION record_run_event();
CREATE TRIGGER runs_updated_event AFTER UPDATE OF status ON runs FOR EACH ROW
  WHEN (OLD.status IS DISTINCT FROM NEW.status AND NEW.status NOT IN ('queued', 'starting')) EXECUTE FUNCTION record_run_event();

CREATE FUNCTION record_asset_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  happened text;
BEGIN
  IF TG_OP = 'INSERT' THEN happened := 'asset.created';
  ELSIF OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL THEN happened := 'asset.deleted';
  ELSIF OLD.revision IS DISTINCT FROM NEW.revision AND OLD.version IS NOT DISTINCT FROM NEW.version THEN happened := 'asset.updated';
  ELSE RETURN NULL;
  END IF;
  PERFORM record_event(happened, ARRAY[NEW.owner_id], CASE WHEN NEW.type = 'program' THEN NEW.id END, NULL, NEW.type,
    jsonb_build_object('assetId', NEW.id, 'assetType', NEW.type, 'name', NEW.name, 'ownerId', NEW.owner_id, 'revision', NEW.revision,
      'by', CASE happened WHEN 'asset.created' THEN NEW.created_by WHEN 'asset.deleted' THEN NEW.deleted_by ELSE NEW.updated_by END));
  RETURN NULL;
END $$;
CREATE TRIGGER assets_event AFTER INSERT OR UPDATE ON assets FOR EACH ROW EXECUTE FUNCTION record_asset_event();

CREATE FUNCTION record_version_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  asset assets;
BEGIN
  SELECT * INTO asset FROM assets WHERE id = NEW.asset_id;
  PERFORM record_event('asset.published', ARRAY[asset.owner_id], CASE WHEN asset.type = 'program' THEN asset.id END, NULL, asset.type,
    jsonb_build_object('assetId', asset.id, 'assetType', asset.type, 'name', asset.name, 'ownerId', asset.owner_id, 'revision', asset.revision,
      'version', NEW.version, 'by', NEW.created_by));
  RETURN NULL;
END $$;
CREATE TRIGGER asset_versions_event AFTER INSERT ON asset_versions FOR EACH ROW EXECUTE FUNCTION record_version_event();

CREATE FUNCTION record_quota_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM record_event(replace(NEW.type, 'quota_', 'quota.'), ARRAY[NEW.user_id], NULL, NULL, NULL,
    NEW.details || jsonb_build_object('userId', NEW.user_id));
  RETURN NULL;
END $$;
CREATE TRIGGER notifications_event AFTER INSERT ON notifications FOR EACH ROW
  WHEN (NEW.type IN ('quota_warning', 'quota_exceeded')) EXECUTE FUNCTION record_quota_event();
