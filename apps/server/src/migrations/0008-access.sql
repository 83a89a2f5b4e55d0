-- Who has redeemed a share link: access for as long as the link lives.
CREATE TABLE share_link_uses (
  link_id text NOT NULL REFERENCES share_links(id) ON DELETE CASCADE,
  user_id text NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (link_id, user_id)
);
CREATE INDEX share_link_uses_user ON share_link_uses (user_id);

-- Whatever may take access away says so on the channel `access_changed`: `user:ID`, `team:ID`, or the thing (`run:ID`). Triggers, so that no
-- statement can forget it. Open streams look again then.
CREATE FUNCTION announce_grant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('access_changed', OLD.resource_type || ':' || OLD.resource_id);
  RETURN NULL;
END $$;
CREATE TRIGGER grants_changed AFTER UPDATE OR DELETE ON grants FOR EACH ROW EXECUTE FUNCTION announce_grant();

CREATE FUNCTION announce_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('access_changed', 'user:' || OLD.user_id);
  RETURN NULL;
END $$;
CREATE TRIGGER team_members_changed AFTER UPDATE OR DELETE ON team_members FOR EACH ROW EXECUTE FUNCTION announce_user();
CREATE TRIGGER share_link_uses_changed AFTER DELETE ON share_link_uses FOR EACH ROW EXECUTE FUNCTION announce_user();
CREATE TRIGGER sessions_ended AFTER DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION announce_user();

CREATE FUNCTION announce_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('access_changed', 'user:' || OLD.reference_id);
  RETURN NULL;
END $$;
CREATE TRIGGER api_keys_deleted AFTER DELETE ON api_keys FOR EACH ROW EXECUTE FUNCTION announce_key();
CREATE TRIGGER api_keys_changed AFTER UPDATE ON api_keys FOR EACH ROW
  WHEN (OLD.enabled IS DISTINCT FROM NEW.enabled OR OLD.expires_at IS DISTINCT FROM NEW.expires_at) EXECUTE FUNCTION announce_key();

CREATE FUNCTION announce_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('access_changed', 'user:' || OLD.id);
  RETURN NULL;
END $$;
CREATE TRIGGER users_changed AFTER UPDATE ON users FOR EACH ROW
  WHEN (OLD.status IS DISTINCT FROM NEW.status OR OLD.role IS DISTINCT FROM NEW.role) EXECUTE FUNCTION announce_account();
CREATE TRIGGER users_deleted AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION announce_account();

CREATE FUNCTION announce_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('access_changed', 'run:' || OLD.id);
  RETURN NULL;
END $$;
CREATE TRIGGER runs_visibility_changed AFTER UPDATE OF visibility ON runs FOR EACH ROW
  WHEN (OLD.visibility IS DISTINCT FROM NEW.visibility) EXECUTE FUNCTION announce_run();
