-- Notifications are numbered for each person in the order in which they become visible, so that whoever follows them misses none.
CREATE TABLE notification_streams (
  user_id text PRIMARY KEY REFERENCES users(id) ON DELETE CASCADE,
  last_seq bigint NOT NULL
);
ALTER TABLE notifications ADD COLUMN seq bigint;
UPDATE notifications n SET seq = o.seq
  FROM (SELECT id, row_number() OVER (PARTITION BY user_id ORDER BY id) AS seq FROM notifications) o WHERE o.id = n.id;
INSERT INTO notification_streams (user_id, last_seq) SELECT user_id, max(seq) FROM notifications GROUP BY user_id;
ALTER TABLE notifications ALTER COLUMN seq SET NOT NULL;
CREATE UNIQUE INDEX notifications_seq ON notifications (user_id, seq);
-- False: sent by e-mail or webhook only, as the person wants it.
ALTER TABLE notifications ADD COLUMN in_app boolean NOT NULL DEFAULT true;

-- When the next digest is due, and up to which number of the stream the last one went.
ALTER TABLE notification_preferences ADD COLUMN digest_due_at timestamptz;
ALTER TABLE notification_preferences ADD COLUMN digest_seq bigint NOT NULL DEFAULT 0;
CREATE INDEX notification_preferences_digest ON notification_preferences (digest_due_at) WHERE digest_due_at IS NOT NULL;

-- A banner for everybody.
CREATE TABLE announcements (
  id text PRIMARY KEY,
  title text NOT NULL,
  body text NOT NULL DEFAULT '',
  level text NOT NULL CHECK (level IN ('info', 'warning')),
  ends_at timestamptz,
  created_by text REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX deliveries_state ON deliveries (state, id DESC);
