-- Workers that are to take nothing for a while; what each of them has ready; attempts that are none of a run's tries.
ALTER TABLE workers
  -- since when an administrator wants it to take nothing; null: nobody does
  ADD COLUMN drained_at timestamptz,
  -- what it has sandboxes ready for, as of its last sign of life: see runs/warmth.ts
  ADD COLUMN warm text[] NOT NULL DEFAULT '{}';

-- Attempts that the installation took back by itself, in order or for want of its database.
ALTER TABLE runs ADD COLUMN spared smallint NOT NULL DEFAULT 0;
