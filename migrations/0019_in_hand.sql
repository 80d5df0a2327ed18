-- A delivery that ends the process goes to the quarantine instead of ending it again after each start. Only additions: an older program
-- sets and reads none of it.

-- The process that has the delivery in hand alone; an empty text while it waits for that; NULL for one that is not suspected of anything.
ALTER TABLE deliveries ADD COLUMN in_hand TEXT;
-- How many processes died while they had it in hand alone.
ALTER TABLE deliveries ADD COLUMN deaths BIGINT NOT NULL DEFAULT 0;
CREATE INDEX deliveries_in_hand ON deliveries (id) WHERE in_hand IS NOT NULL;
