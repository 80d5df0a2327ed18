-- What hooks of trackers report. Only additions: an older program beside this one reads what it knows.

-- When each hook was heard last, for each tracker whose changes it reports; `reported_at` is when it last named something of that tracker.
CREATE TABLE hooks (
    name TEXT NOT NULL,
    tracker TEXT NOT NULL,
    heard_at DOUBLE PRECISION NOT NULL,
    reported_at DOUBLE PRECISION,
    PRIMARY KEY (name, tracker)
);

-- Digests of the latest reports that led to a look, and of their ids: the same report leads to none again. Nothing else of a report is stored.
CREATE TABLE hook_reports (
    id   {identity},
    mark TEXT NOT NULL UNIQUE
);

-- From when on the latest look is due that a hook asked for.
ALTER TABLE issues ADD COLUMN hooked_at DOUBLE PRECISION;
-- The latest change that a hook has named, by the tracker's clock, until a look has shown it.
ALTER TABLE issues ADD COLUMN news_at DOUBLE PRECISION;
