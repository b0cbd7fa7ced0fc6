-- Messages of counts that were taken in, each written together with its counts: one
-- that is sent again counts once, also when the object ended in between. `at_ms` is
-- milliseconds since the Unix epoch; rows are used again (`pulse/heard.rs`).
CREATE TABLE heard (slot INTEGER PRIMARY KEY, message TEXT NOT NULL, at_ms INTEGER NOT NULL);
