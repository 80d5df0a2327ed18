-- Aliases give back the issue that they gave up.

-- The alias's own issue, given up when it became an alias; NULL if it had none.
ALTER TABLE aliases ADD COLUMN issue_id BIGINT;
-- The marker of the target's issue if that is the alias's own one, handed over because the target had none; NULL if not.
ALTER TABLE aliases ADD COLUMN handed TEXT;
