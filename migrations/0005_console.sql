-- What the console asks for. Only additions: an older program beside this one reads what it knows.

-- Why an operator holds the group back, whatever its route says; NULL where none does.
ALTER TABLE groups ADD COLUMN on_hold TEXT;
-- Lists of groups, paged by key, stay fast with a million of them.
CREATE INDEX groups_last_seen ON groups ((COALESCE(last_seen, 0)), id) WHERE kind = 'crash';
CREATE INDEX groups_first_seen ON groups ((COALESCE(first_seen, 0)), id) WHERE kind = 'crash';
CREATE INDEX groups_occurrences ON groups (occurrences, id) WHERE kind = 'crash';
CREATE INDEX groups_users ON groups ((COALESCE(users, 0)), id) WHERE kind = 'crash';
CREATE INDEX deliveries_group ON deliveries (group_id, id) WHERE group_id IS NOT NULL;
-- Whether a tracker took what was decided.
ALTER TABLE history ADD COLUMN done INTEGER NOT NULL DEFAULT 0;
