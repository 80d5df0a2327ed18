-- What is needed to follow a crash across releases, to hold groups back by rule, and to explain every decision. Only
-- additions: an older program beside this one reads what it knows.

-- What routes may ask for: the commonest values of each attribute, how the group grew, what looks alike.
ALTER TABLE groups ADD COLUMN attributes TEXT NOT NULL DEFAULT '[]';
ALTER TABLE groups ADD COLUMN trail TEXT NOT NULL DEFAULT '[]';
ALTER TABLE groups ADD COLUMN signature TEXT;
-- A storm is a group too, so that its issue is created exactly once like any other: 'crash', 'storm'.
ALTER TABLE groups ADD COLUMN kind TEXT NOT NULL DEFAULT 'crash';
-- Which rule decided last, and the route it belongs to.
ALTER TABLE groups ADD COLUMN decision_rule TEXT;
ALTER TABLE groups ADD COLUMN route TEXT;
CREATE INDEX groups_signature ON groups (signature) WHERE signature IS NOT NULL;
-- The largest are let through first.
CREATE INDEX groups_storm ON groups (route, users, occurrences) WHERE decision_rule = 'storm';
CREATE INDEX groups_through ON groups (route) WHERE decision_rule = 'let-through';
CREATE INDEX groups_rule ON groups (decision_rule, route) WHERE decision = 'hold';
CREATE INDEX groups_project ON groups (project);

-- When, by our clock, the first and the latest notification came in which a release grew.
ALTER TABLE releases ADD COLUMN noticed_at DOUBLE PRECISION;
ALTER TABLE releases ADD COLUMN grown_at DOUBLE PRECISION;

-- How people left an issue, and what the ledger said then; both are JSON.
ALTER TABLE issues ADD COLUMN route TEXT;
ALTER TABLE issues ADD COLUMN condition TEXT;
ALTER TABLE issues ADD COLUMN baseline TEXT;
-- A digest of what the status comment says, and how often people deleted it.
ALTER TABLE issues ADD COLUMN comment_text TEXT;
ALTER TABLE issues ADD COLUMN comment_losses INTEGER NOT NULL DEFAULT 0;
-- The issue before it (JSON), and those that were closed as duplicates of it (JSON).
ALTER TABLE issues ADD COLUMN previous TEXT;
ALTER TABLE issues ADD COLUMN followed TEXT NOT NULL DEFAULT '[]';
CREATE INDEX issues_route ON issues (route, sent_at) WHERE route IS NOT NULL;
-- What was given up does not keep another group from the same issue.
CREATE UNIQUE INDEX issues_place ON issues (tracker, remote_id) WHERE remote_id IS NOT NULL AND state <> 'retired';
DROP INDEX issues_remote;

-- Groups whose occurrences are shown on the issue of another group.
CREATE TABLE aliases (
    group_id  BIGINT PRIMARY KEY REFERENCES groups (id),
    target_id BIGINT NOT NULL REFERENCES groups (id),
    reason    TEXT NOT NULL,
    at        DOUBLE PRECISION NOT NULL,
    CHECK (group_id <> target_id)
);
CREATE INDEX aliases_target ON aliases (target_id);

-- Further comments, each written at most once: 'wanted', 'sent' (and not answered), 'written', 'dropped'.
CREATE TABLE announcements (
    id         {identity},
    issue_id   BIGINT NOT NULL REFERENCES issues (id),
    occasion   TEXT NOT NULL,
    subject    TEXT NOT NULL,
    facts      TEXT NOT NULL,
    marker     TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('wanted', 'sent', 'written', 'dropped')),
    comment_id TEXT,
    sent_at    DOUBLE PRECISION,
    probes     INTEGER NOT NULL DEFAULT 0,
    UNIQUE (issue_id, occasion, subject)
);
CREATE INDEX announcements_owed ON announcements (issue_id) WHERE state IN ('wanted', 'sent');

-- Crashes that came back, one line for each release after each closing; closed_at is 0 where the tracker did not say.
CREATE TABLE regressions (
    id          {identity},
    group_id    BIGINT NOT NULL REFERENCES groups (id),
    issue_key   TEXT NOT NULL,
    release     TEXT NOT NULL,
    fixed_in    TEXT NOT NULL,
    closed_at   DOUBLE PRECISION NOT NULL,
    occurrences BIGINT NOT NULL,
    answer      TEXT NOT NULL,
    at          DOUBLE PRECISION NOT NULL,
    UNIQUE (group_id, closed_at, release)
);

-- The storm that a route is in, the group that stands for it, and when a group was last held back.
CREATE TABLE storms (
    route    TEXT PRIMARY KEY,
    group_id BIGINT NOT NULL REFERENCES groups (id),
    since    DOUBLE PRECISION NOT NULL,
    held_at  DOUBLE PRECISION NOT NULL
);

CREATE TABLE route_pauses (
    route  TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    at     DOUBLE PRECISION NOT NULL
);

ALTER TABLE history ADD COLUMN rule TEXT;
ALTER TABLE history ADD COLUMN inputs TEXT;
