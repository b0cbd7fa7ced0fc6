-- Where a batch goes: it keeps the object it was first sent to, so that one that
-- was applied there and not acknowledged can never be applied elsewhere as well.
-- Batches from before there were shards went to the one tally.
ALTER TABLE outbox ADD COLUMN receiver TEXT NOT NULL DEFAULT 'tally';
