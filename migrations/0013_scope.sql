-- What a failure says about its group and about its tracker. Only additions: an older program beside this one reads what it knows.

-- Whether the group or its project is to blame for a refusal: 'open' until the tracker takes a call of another group, 'own' from then on.
ALTER TABLE outbox ADD COLUMN blame TEXT;
CREATE INDEX outbox_blame ON outbox (tracker, rank) WHERE blame = 'open';
-- Whether syncd ever read the issue in its tracker; the answer to its own create does not count.
ALTER TABLE issues ADD COLUMN is_read INTEGER NOT NULL DEFAULT 0;
UPDATE issues SET is_read = 1 WHERE changed_at IS NOT NULL OR attempt = 0;
