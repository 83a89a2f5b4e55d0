-- A program's interactive environment: a sandbox that somebody works on a program in, at most one of each person and program at once.
ALTER TABLE sandboxes
  ADD COLUMN program_id text,
  -- What it has of the program, as it was when it began.
  ADD COLUMN program jsonb,
  ADD COLUMN on_idle text NOT NULL DEFAULT 'pause' CHECK (on_idle IN ('pause', 'end')),
  -- Why it could not be started.
  ADD COLUMN error jsonb;
CREATE UNIQUE INDEX sandboxes_program_live ON sandboxes (owner_id, program_id) WHERE program_id IS NOT NULL AND ended_at IS NULL;
CREATE INDEX sandboxes_program ON sandboxes (owner_id, program_id, id DESC) WHERE program_id IS NOT NULL;

-- A token is a run's or a sandbox's. That of a sandbox counts until the sandbox has ended.
ALTER TABLE run_tokens
  ALTER COLUMN run_id DROP NOT NULL,
  ADD COLUMN sandbox_id text REFERENCES sandboxes(id) ON DELETE CASCADE,
  ADD CONSTRAINT run_tokens_holder CHECK (num_nonnulls(run_id, sandbox_id) = 1);
CREATE INDEX run_tokens_sandbox ON run_tokens (sandbox_id) WHERE sandbox_id IS NOT NULL;

ALTER TABLE llm_calls ADD COLUMN sandbox_id text;
