-- Many reports to an object, each as canonical JSON under its id; `expires_ms` is
-- milliseconds since the Unix epoch. An object of the earlier layout bears one report
-- and its alarm, which deletes both; nothing is ever put there again.
DROP TABLE report;
CREATE TABLE kept (id TEXT PRIMARY KEY, json TEXT NOT NULL, expires_ms INTEGER NOT NULL);
CREATE INDEX kept_until ON kept (expires_ms);
