-- The last batch applied of each sender: a batch that comes twice counts once.
CREATE TABLE applied (sender TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;

-- The truth that KV mirrors; `dirty` until KV has this very text.
CREATE TABLE counter (
  day TEXT, tool TEXT, counter TEXT NOT NULL, dirty INTEGER NOT NULL,
  PRIMARY KEY (day, tool)
) WITHOUT ROWID;

-- The budget of KV writes: GCRA's theoretical arrival time in microseconds.
CREATE TABLE kv_budget (name TEXT PRIMARY KEY, tat_us INTEGER NOT NULL) WITHOUT ROWID;
