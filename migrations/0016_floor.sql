-- The time from which on it is certain that the tracker had given the number of its floor; NULL where the floor was lowered since. A tracker
-- that was restored from a backup gives the number once more, at a later time.
ALTER TABLE trackers ADD COLUMN floor_since DOUBLE PRECISION;
ALTER TABLE issues ADD COLUMN floor_since DOUBLE PRECISION;
