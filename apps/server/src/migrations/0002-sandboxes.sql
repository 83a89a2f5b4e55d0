-- Long-lived sandboxes. What is in one lives on its worker and ends with it.
CREATE TABLE sandboxes (
  id text PRIMARY KEY,
  owner_id text NOT NULL REFERENCES users(id),
  name text NOT NULL,
  language text NOT NULL,
  tier text NOT NULL,
  network text NOT NULL,
  status text NOT NULL CHECK (status IN ('starting','running','paused','stopped','failed')),
  pause_reason text CHECK (pause_reason IN ('user','idle')),
  paused_by text,
  requested_limits jsonb NOT NULL,
  limits jsonb,
  idle_timeout_ms bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_active_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  ended_at timestamptz,
  end_reason text,
  worker_id text NOT NULL REFERENCES workers(id)
);
CREATE INDEX sandboxes_owner ON sandboxes (owner_id, id DESC);
CREATE INDEX sandboxes_live ON sandboxes (worker_id) WHERE ended_at IS NULL;
