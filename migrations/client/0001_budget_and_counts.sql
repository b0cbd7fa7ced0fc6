-- One client's (or one target's) budgets: GCRA's theoretical arrival time in
-- microseconds since the Unix epoch, rounded up.
CREATE TABLE budget (name TEXT PRIMARY KEY, tat_us INTEGER NOT NULL) WITHOUT ROWID;

-- Calls counted and not yet put into a batch; `counter` is the JSON of KV's value.
CREATE TABLE pending (day TEXT, tool TEXT, counter TEXT NOT NULL, PRIMARY KEY (day, tool)) WITHOUT ROWID;

-- Batches under way to the tally, oldest first; a row leaves when it was acknowledged.
CREATE TABLE outbox (number INTEGER PRIMARY KEY, deltas TEXT NOT NULL);
