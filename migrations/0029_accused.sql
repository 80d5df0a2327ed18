-- Groups after whose call the tracker rests: blame = 'rest'. A call that the tracker takes finds them, and the refused ones, without
-- reading the whole outbox. An older program beside this one does not know the value, and leaves it.

DROP INDEX outbox_blame;
CREATE INDEX outbox_blame ON outbox (tracker, rank) WHERE blame IS NOT NULL;
