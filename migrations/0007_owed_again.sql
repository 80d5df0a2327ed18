-- What is needed so that nothing that is owed is lost. Only additions: an older program beside this one reads what it knows.

-- A claimed group was made due again: from when on, and at which tracker. The end of the claim respects it.
ALTER TABLE outbox ADD COLUMN again_at DOUBLE PRECISION;
ALTER TABLE outbox ADD COLUMN again_tracker TEXT;
-- The thresholds within a time that the group has met (JSON).
ALTER TABLE groups ADD COLUMN met TEXT NOT NULL DEFAULT '[]';
-- The route whose limit of new issues keeps a place for the group: its storm released the group.
ALTER TABLE groups ADD COLUMN place TEXT;
UPDATE groups SET place = route WHERE decision_rule = 'let-through';
CREATE INDEX groups_place ON groups (place) WHERE place IS NOT NULL;
