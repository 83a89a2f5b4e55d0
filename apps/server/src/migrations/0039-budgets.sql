-- What somebody means to spend on models in a month: a person, a team, or the installation (`system`). What was spent is in `spend_counters`,
-- under the scope `budget:ID`.
CREATE TABLE budgets (
  id text PRIMARY KEY,
  owner_id text NOT NULL,
  -- null: on whatever it is spent
  program_id text,
  -- billionths of a dollar
  amount bigint NOT NULL CHECK (amount > 0),
  -- calls that would pass it are refused
  stops boolean NOT NULL,
  -- set by an administrator, and changed by administrators alone
  is_imposed boolean NOT NULL,
  created_by text REFERENCES users(id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX budgets_owner ON budgets (owner_id, coalesce(program_id, ''), is_imposed);

CREATE FUNCTION forget_budgets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM budgets WHERE owner_id = OLD.id;
  RETURN NULL;
END $$;
CREATE TRIGGER users_budgets AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION forget_budgets();
CREATE TRIGGER teams_budgets AFTER DELETE ON teams FOR EACH ROW EXECUTE FUNCTION forget_budgets();

-- What was counted for one goes with it.
CREATE FUNCTION forget_budget_counters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM spend_counters WHERE scope = 'budget:' || OLD.id;
  RETURN NULL;
END $$;
CREATE TRIGGER budgets_counters AFTER DELETE ON budgets FOR EACH ROW EXECUTE FUNCTION forget_budget_counters();
