-- Whoever may decide finds where runs wait.
CREATE INDEX node_runs_waiting ON node_runs (run_id) WHERE state = 'waiting';

CREATE OR REPLACE FUNCTION record_run_event() RETURNS trigger LANGUAGE plpgsql AS $$
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
  IF NEW.status = 'waiting' THEN
    PERFORM record_event('run.waiting', owners, NEW.asset_id, NULL, NULL, said || jsonb_build_object('nodes', coalesce((
      SELECT jsonb_agg(path) FROM (
        SELECT path FROM node_runs WHERE run_id = NEW.id AND state = 'waiting' ORDER BY path COLLATE "C" LIMIT 20) AS first), '[]')));
  END IF;
  IF NEW.finished_at IS NOT NULL THEN
    PERFORM record_event('run.finished', owners, NEW.asset_id, NEW.status, NULL, said || jsonb_build_object('status', NEW.status,
      'finishedAt', iso_time(NEW.finished_at), 'exitCode', NEW.exit_code, 'signal', NEW.signal, 'errorCode', NEW.error ->> 'code'));
  END IF;
  RETURN NULL;
END $$;
