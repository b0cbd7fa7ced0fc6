-- A shard gathers what it applied and sends it on as a client's object does.
CREATE TABLE pending (day TEXT, tool TEXT, counter TEXT NOT NULL, PRIMARY KEY (day, tool)) WITHOUT ROWID;
CREATE TABLE outbox (number INTEGER PRIMARY KEY, deltas TEXT NOT NULL, receiver TEXT NOT NULL);

-- When the alarm rang that wrote a row to KV: those written longest ago go first,
-- so that none starves when the day's writes run short. The row with an empty day
-- stands for the record of the last hours; its `counter` is a revision number.
ALTER TABLE counter ADD COLUMN written_ms INTEGER NOT NULL DEFAULT 0;
