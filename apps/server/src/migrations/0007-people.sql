-- People, teams, permission, the audit trail, quotas and notifications.

-- The columns that the authentication library's plugins (admin, two-factor) own, and what we know of a person besides.
ALTER TABLE users ADD COLUMN status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended'));
ALTER TABLE users ADD COLUMN suspended_reason text;
ALTER TABLE users ADD COLUMN two_factor_enabled boolean NOT NULL DEFAULT false;
ALTER TABLE users ADD COLUMN time_zone text NOT NULL DEFAULT 'UTC';
ALTER TABLE users ADD COLUMN last_seen_at timestamptz;
ALTER TABLE sessions ADD COLUMN impersonated_by text REFERENCES users(id) ON DELETE CASCADE;
ALTER TABLE sessions ADD COLUMN impersonation_reason text;

CREATE TABLE two_factors (
  id text PRIMARY KEY,
  user_id text NOT NULL UNIQUE REFERENCES users(id) ON DELETE CASCADE,
  secret text NOT NULL,
  backup_codes text NOT NULL,
  verified boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

-- The CLI's sign-in: a code that is shown in the terminal and confirmed in the browser.
CREATE TABLE device_codes (
  id text PRIMARY KEY,
  device_code_hash text NOT NULL UNIQUE,
  user_code text NOT NULL UNIQUE,
  user_id text REFERENCES users(id) ON DELETE CASCADE,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'approved', 'denied', 'used')),
  client_name text NOT NULL,
  ip_address text,
  expires_at timestamptz NOT NULL,
  last_polled_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- Invitations by e-mail: to the installation, and to a team when there is one.
CREATE TABLE teams (
  id text PRIMARY KEY,
  name text NOT NULL,
  slug text NOT NULL UNIQUE,
  description text NOT NULL DEFAULT '',
  created_by text REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE team_members (
  team_id text NOT NULL REFERENCES teams(id) ON DELETE CASCADE,
  user_id text NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  role text NOT NULL CHECK (role IN ('owner', 'member')),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (team_id, user_id)
);
CREATE INDEX team_members_user ON team_members (user_id);

CREATE TABLE invitations (
  id text PRIMARY KEY,
  email text NOT NULL,
  role text NOT NULL DEFAULT 'developer' CHECK (role IN ('end_user', 'developer', 'admin')),
  team_id text REFERENCES teams(id) ON DELETE CASCADE,
  team_role text CHECK (team_role IN ('owner', 'member')),
  token_hash text NOT NULL UNIQUE,
  invited_by text REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  accepted_at timestamptz,
  revoked_at timestamptz
);
CREATE INDEX invitations_email ON invitations (email);

-- Who may do what with one thing. The subject of `email` is somebody who has no account yet: it becomes a user's when that address is
-- confirmed. The subject of `link` is the row of share_links.
CREATE TABLE share_links (
  id text PRIMARY KEY,
  token_hash text NOT NULL UNIQUE,
  -- the first characters, to tell links apart
  start text NOT NULL,
  created_by text REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz,
  use_count integer NOT NULL DEFAULT 0
);

CREATE TABLE grants (
  id text PRIMARY KEY,
  resource_type text NOT NULL,
  resource_id text NOT NULL,
  subject_type text NOT NULL CHECK (subject_type IN ('user', 'team', 'email', 'link')),
  subject_id text NOT NULL,
  level text NOT NULL CHECK (level IN ('view', 'run', 'edit', 'admin')),
  created_by text REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  UNIQUE (resource_type, resource_id, subject_type, subject_id)
);
CREATE INDEX grants_subject ON grants (subject_type, subject_id, resource_type, resource_id);

-- Runs that a team owns come later; a run's visibility may be changed by who owns it.
ALTER TABLE runs ADD CONSTRAINT runs_visibility CHECK (visibility IN ('private', 'public')) NOT VALID;
CREATE INDEX runs_public ON runs (id DESC) WHERE visibility = 'public';

-- The audit trail: rows are only added. A sealer chains them in batches; `seal_seq` says in which.
CREATE TABLE audit_events (
  id text PRIMARY KEY,
  at timestamptz NOT NULL,
  actor_id text,
  actor_name text NOT NULL,
  actor_role text,
  via text NOT NULL,
  impersonator_id text,
  action text NOT NULL,
  resource_type text,
  resource_id text,
  outcome text NOT NULL CHECK (outcome IN ('ok', 'denied', 'failed')),
  error_code text,
  ip text,
  user_agent text,
  request_id text,
  details jsonb NOT NULL DEFAULT '{}',
  seal_seq bigint
);
CREATE INDEX audit_events_time ON audit_events (id DESC);
CREATE INDEX audit_events_actor ON audit_events (actor_id, id DESC);
CREATE INDEX audit_events_resource ON audit_events (resource_type, resource_id, id DESC);
CREATE INDEX audit_events_action ON audit_events (action, id DESC);
CREATE INDEX audit_events_unsealed ON audit_events (id) WHERE seal_seq IS NULL;

CREATE TABLE audit_seals (
  seq bigint PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  count integer NOT NULL,
  first_id text NOT NULL,
  last_id text NOT NULL,
  -- SHA-256 over the hashes of the batch's events, in order, and the hash of the seal before
  hash text NOT NULL,
  previous_hash text NOT NULL,
  -- one hash for each event of the batch, so that the changed one can be named
  event_hashes text[] NOT NULL
);

-- What differs from the defaults of a person's role. NULL: the default; -1: no limit.
CREATE TABLE quotas (
  user_id text PRIMARY KEY REFERENCES users(id) ON DELETE CASCADE,
  concurrent_runs integer,
  runs_per_day integer,
  cpu_seconds_per_month integer,
  storage_mb integer,
  spend_per_month_usd numeric(12, 4),
  executions_per_minute integer,
  updated_by text REFERENCES users(id) ON DELETE SET NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);

-- What each person has used, by UTC day.
CREATE TABLE usage_days (
  user_id text NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  day date NOT NULL,
  runs integer NOT NULL DEFAULT 0,
  executions integer NOT NULL DEFAULT 0,
  failed integer NOT NULL DEFAULT 0,
  cpu_ms bigint NOT NULL DEFAULT 0,
  run_ms bigint NOT NULL DEFAULT 0,
  network_bytes bigint NOT NULL DEFAULT 0,
  llm_tokens bigint NOT NULL DEFAULT 0,
  cost_usd numeric(14, 6) NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id, day)
);

-- Notifications and where they are sent besides the list.
CREATE TABLE notifications (
  id text PRIMARY KEY,
  user_id text NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  type text NOT NULL,
  title text NOT NULL,
  body text NOT NULL DEFAULT '',
  -- a path inside the product
  link text,
  details jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  read_at timestamptz
);
CREATE INDEX notifications_user ON notifications (user_id, id DESC);
CREATE INDEX notifications_unread ON notifications (user_id) WHERE read_at IS NULL;

CREATE TABLE notification_preferences (
  user_id text PRIMARY KEY REFERENCES users(id) ON DELETE CASCADE,
  -- by type and channel, the digest, quiet hours and the address of a webhook
  value jsonb NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE deliveries (
  id text PRIMARY KEY,
  channel text NOT NULL CHECK (channel IN ('email', 'webhook')),
  user_id text REFERENCES users(id) ON DELETE CASCADE,
  notification_id text REFERENCES notifications(id) ON DELETE CASCADE,
  -- address or URL, subject, text, HTML or JSON
  message jsonb NOT NULL,
  state text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'sent', 'failed')),
  attempts integer NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL DEFAULT now(),
  -- whose it is while it is being sent
  lease_until timestamptz,
  last_error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  sent_at timestamptz
);
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state = 'due';
