-- Counts by every reading: which of them is shown is decided by the notifications of a whole project, and may change.

-- The upper bound of a count, NULL without one; the reading that it was made with; and what every reading needs, as JSON ([] by an older program).
ALTER TABLE groups ADD COLUMN at_most BIGINT;
ALTER TABLE groups ADD COLUMN reading TEXT NOT NULL DEFAULT 'between';
ALTER TABLE groups ADD COLUMN tally TEXT NOT NULL DEFAULT '[]';
ALTER TABLE releases ADD COLUMN at_most BIGINT;
ALTER TABLE releases ADD COLUMN tally TEXT NOT NULL DEFAULT '[]';

-- How the counts of a project are read, and by what evidence. All of its groups behind `recount_after` are still to be read so; NULL if none is.
CREATE TABLE countings (
    universe      TEXT NOT NULL,
    project       TEXT NOT NULL,
    mode          TEXT NOT NULL,
    counting      TEXT NOT NULL,
    evidence      TEXT NOT NULL,
    recount_after BIGINT,
    PRIMARY KEY (universe, project)
);
