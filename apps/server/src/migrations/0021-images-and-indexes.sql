-- Environments as OCI images: one row for each environment that somebody wanted as one.
CREATE TABLE environment_images (
  environment_id text PRIMARY KEY REFERENCES environments(id) ON DELETE CASCADE,
  state text NOT NULL CHECK (state IN ('building','built','pushed','failed')),
  phase text CHECK (phase IN ('environment','assemble','push')),
  -- who builds or pushes it
  worker_id text,
  error jsonb,
  -- SHA-256 of the image's configuration, which names its content: equal for equal content
  image_id text,
  -- where it was pushed to, and what the registry calls it
  reference text,
  digest text,
  -- bytes, unpacked
  size bigint,
  log_sha256 text,
  built_at timestamptz,
  pushed_at timestamptz,
  CHECK ((state = 'building') = (worker_id IS NOT NULL))
);
CREATE INDEX environment_images_building ON environment_images (worker_id) WHERE worker_id IS NOT NULL;

-- Package indexes of people, teams and the system (`owner_id`), beside the one that the server is set up with.
CREATE TABLE package_indexes (
  id text PRIMARY KEY,
  owner_id text NOT NULL,
  manager text NOT NULL CHECK (manager IN ('uv','npm','go')),
  name text NOT NULL,
  url text NOT NULL,
  -- the packages that come from it and from nowhere else: names, or what they begin with and a star
  packages jsonb NOT NULL,
  credential_id text,
  created_by text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (owner_id, manager, name)
);
CREATE FUNCTION forget_package_indexes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM package_indexes WHERE owner_id = OLD.id;
  RETURN NULL;
END $$;
CREATE TRIGGER users_package_indexes AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION forget_package_indexes();
CREATE TRIGGER teams_package_indexes AFTER DELETE ON teams FOR EACH ROW EXECUTE FUNCTION forget_package_indexes();

-- Whose package indexes an environment is built with; null: the server's alone, and everybody shares it. Without that, it is asked for by `base_key`.
ALTER TABLE environments
  ADD COLUMN scope text,
  ADD COLUMN base_key text;
