-- The deliveries of a group keep their order when a new group goes first. Only additions: what an older program accepted has no number,
-- and nothing overtakes it.

-- A number that all deliveries of one group have.
ALTER TABLE deliveries ADD COLUMN identity BIGINT;
DROP INDEX deliveries_waiting;
-- Read in the order of arrival, also for the deliveries of a few groups: an index by group would cost a page for each delivery of a commit.
CREATE INDEX deliveries_waiting ON deliveries (id, identity) WHERE state = 'waiting';
