-- Webhooks are told of a time of a schedule that could not begin its run.

CREATE FUNCTION record_schedule_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM record_event('schedule.failed', ARRAY[NEW.owner_id], NEW.program_id, NULL, NULL,
    jsonb_build_object('scheduleId', NEW.id, 'name', NEW.name, 'ownerId', NEW.owner_id, 'programId', NEW.program_id, 'at', iso_time(NEW.last_at),
      'errorCode', NEW.last_outcome, 'willRetry', NEW.pending_at IS NOT NULL, 'disabled', NOT NEW.enabled));
  RETURN NULL;
END $$;
CREATE TRIGGER schedules_event AFTER UPDATE OF last_at, last_outcome ON schedules FOR EACH ROW
  WHEN (NEW.last_outcome NOT IN ('started', 'skipped', 'missed', 'waiting') AND (OLD.last_at, OLD.last_outcome) IS DISTINCT FROM (NEW.last_at, NEW.last_outcome))
  EXECUTE FUNCTION record_schedule_event();
