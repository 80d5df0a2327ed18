-- New groups that come at once are gathered, and a portion of the route's limit is filed at a time.

-- The route whose new issue the group waits for; NULL for other calls.
ALTER TABLE outbox ADD COLUMN route TEXT;
CREATE INDEX outbox_route ON outbox (route) WHERE rank = 0 AND route IS NOT NULL;

-- When the storm released the latest portion; NULL before.
ALTER TABLE storms ADD COLUMN portioned_at DOUBLE PRECISION;
-- 0 as long as all groups that it holds back fit into the limit: no issue reports it.
ALTER TABLE storms ADD COLUMN reported INTEGER NOT NULL DEFAULT 1;

-- 1 where an operator separated the group from those that it looks merged of.
ALTER TABLE groups ADD COLUMN apart INTEGER NOT NULL DEFAULT 0;
