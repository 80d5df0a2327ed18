-- What `syncd status` shows of work in progress and of work left to people. Only additions: an older program beside this one shows and
-- clears none of it.

-- Why people have to do what the tracker did not let syncd do, such as a reopening; NULL as soon as they change anything on the issue.
ALTER TABLE issues ADD COLUMN by_hand TEXT;
CREATE INDEX issues_by_hand ON issues (group_id) WHERE by_hand IS NOT NULL;
-- Deliveries that the process folds in a second, measured between its latest heartbeats.
ALTER TABLE instances ADD COLUMN folds DOUBLE PRECISION NOT NULL DEFAULT 0;
