-- What operators did: configs that were applied, stops, and the record of all of it.

-- Every config that was routed by. A set is named by the SHA-256 of all its files.
CREATE TABLE config_version (
  number INTEGER PRIMARY KEY,
  set_hash TEXT NOT NULL,
  applied_at INTEGER NOT NULL,
  cause TEXT NOT NULL,
  actor TEXT NOT NULL,
  again_of INTEGER,
  changes TEXT NOT NULL
) STRICT;
CREATE INDEX config_version_by_set ON config_version (set_hash, number);

-- The files of a set, each content once. What is dropped to stay under the limit is gone for good.
CREATE TABLE config_file (
  set_hash TEXT NOT NULL,
  name TEXT NOT NULL,
  content TEXT NOT NULL REFERENCES config_content (hash),
  PRIMARY KEY (set_hash, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX config_file_by_content ON config_file (content);
CREATE TABLE config_content (
  hash TEXT PRIMARY KEY,
  text TEXT NOT NULL,
  bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who is stopped now: at most one stop for a subject. One whose time has passed stops nothing.
CREATE TABLE stop (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  force TEXT NOT NULL,
  since INTEGER NOT NULL,
  until INTEGER,
  why TEXT NOT NULL,
  actor TEXT NOT NULL,
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

-- Only ever added to.
CREATE TABLE audit (
  number INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
BEGIN SELECT raise(ABORT, 'the record of operators is only added to'); END;
CREATE TRIGGER audit_never_shrinks BEFORE DELETE ON audit
BEGIN SELECT raise(ABORT, 'the record of operators is only added to'); END;
