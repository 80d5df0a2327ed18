-- What rules set on an issue, so that it is raised later, and never against what a person changed.

-- JSON with `set`, what syncd set so far, and `judged`, what the rules asked for when they were compared with the issue last; NULL where syncd
-- did not file the issue.
ALTER TABLE issues ADD COLUMN settings TEXT;
