-- What lists of groups ask for: closed issues, and the storms among the groups. Indexes only.

-- `condition` is JSON with its keys in order; a quotation mark within a text of it has a backslash.
CREATE INDEX issues_closed ON issues (group_id) WHERE state = 'linked' AND replace(condition, '"closed": true', '') <> condition;
CREATE INDEX groups_storms ON groups (id) WHERE kind = 'storm';
