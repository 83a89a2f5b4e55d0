-- The server that a git credential is for: `github.com`, `git.example.org:8443`, or with `http://` before it. It is sent nowhere else.
ALTER TABLE credentials ADD COLUMN host text;
-- Which programs were read with a credential.
CREATE INDEX assets_import_credential ON assets ((import_source ->> 'credentialId')) WHERE import_source ? 'credentialId';
