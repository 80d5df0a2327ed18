-- Aliases give back the issue that they gave up; an operator lets a group through.

-- The alias's own issue, given up when it became an alias; NULL if it had none.
ALTER TABLE aliases ADD COLUMN issue_id BIGINT;
-- The marker of the target's issue if that is the alias's own one, handed over because the target had none; NULL if not.
ALTER TABLE aliases ADD COLUMN handed TEXT;

-- The reason of an operator's order to file the group past thresholds and the route's limit; NULL without one.
ALTER TABLE groups ADD COLUMN ordered TEXT;
