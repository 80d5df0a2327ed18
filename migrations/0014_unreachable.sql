-- When a tracker cannot be reached, and since when each group owes its call. Only additions: an older program beside this one calls as it
-- always did, and what it makes due has no age.

-- Since when the group owes the call: a back-off moves when the next try is due, and not this.
ALTER TABLE outbox ADD COLUMN owed_since DOUBLE PRECISION;
UPDATE outbox SET owed_since = due_at;
CREATE INDEX outbox_owed ON outbox (owed_since) WHERE state <> 'dead';
-- Calls in a row that the tracker's API did not answer, and the time of the first of them.
ALTER TABLE trackers ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE trackers ADD COLUMN failing_since DOUBLE PRECISION;
-- The latest groups whose calls failed like this since one last succeeded, each with the time (JSON).
ALTER TABLE trackers ADD COLUMN failed_groups TEXT NOT NULL DEFAULT '[]';
