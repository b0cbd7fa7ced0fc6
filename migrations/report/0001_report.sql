-- One report, as canonical JSON; `expires_ms` is milliseconds since the Unix epoch.
CREATE TABLE report (json TEXT NOT NULL, expires_ms INTEGER NOT NULL);
