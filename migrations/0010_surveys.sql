-- Readings of issues and their order. Only additions: an older program beside this one looks as it always did.

-- How many looks were asked for since the latest one began; until they are made, the issue's group is due.
ALTER TABLE issues ADD COLUMN looks_owed INTEGER NOT NULL DEFAULT 0;
-- When the issue was last changed in its tracker, by the tracker's clock, as the latest look read it.
ALTER TABLE issues ADD COLUMN changed_at DOUBLE PRECISION;
