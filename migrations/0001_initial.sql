-- One text for SQLite and PostgreSQL. {identity} is the only word that differs: a key the database counts up and never
-- reuses. SQLite takes any type name; BYTEA keeps bytes as they are there too. Times of crashes are whole UTC epoch
-- seconds, times of ours have fractions.

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE groups (
    id              {identity},
    universe        TEXT NOT NULL,
    project         TEXT NOT NULL,
    fingerprint     TEXT NOT NULL,
    -- As compared: a SHA-256 has no case. `fingerprint` is as it first came.
    fingerprint_key TEXT NOT NULL,
    application     TEXT,
    group_url       TEXT,
    callstack       TEXT NOT NULL,
    object_id       TEXT,
    classifiers     TEXT NOT NULL,
    occurrences     BIGINT NOT NULL CHECK (occurrences >= 0),
    approximate     INTEGER NOT NULL CHECK (approximate IN (0, 1)),
    notifications   BIGINT NOT NULL,
    hosts           BIGINT,
    users           BIGINT,
    first_seen      BIGINT,
    last_seen       BIGINT,
    revision        BIGINT NOT NULL,
    decision        TEXT,
    decision_reason TEXT,
    decided_at      DOUBLE PRECISION,
    UNIQUE (universe, project, fingerprint_key)
);
CREATE INDEX groups_held ON groups (id) WHERE decision = 'hold';

CREATE TABLE releases (
    group_id    BIGINT NOT NULL REFERENCES groups (id),
    release     TEXT NOT NULL,
    occurrences BIGINT NOT NULL CHECK (occurrences >= 0),
    approximate INTEGER NOT NULL CHECK (approximate IN (0, 1)),
    first_seen  BIGINT,
    last_seen   BIGINT,
    since       BIGINT,
    until       BIGINT,
    PRIMARY KEY (group_id, release)
);

-- The inbox: a row is the promise behind an answer of 200.
CREATE TABLE deliveries (
    id          {identity},
    received_at DOUBLE PRECISION NOT NULL,
    body        BYTEA NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'absorbed')),
    group_id    BIGINT
);
CREATE INDEX deliveries_waiting ON deliveries (id) WHERE state = 'waiting';
CREATE INDEX deliveries_received ON deliveries (received_at) WHERE state = 'absorbed';

-- Which notifications a group has in it: its primary key tells an exact redelivery, however late.
CREATE TABLE folded (
    group_id  BIGINT NOT NULL REFERENCES groups (id),
    digest    BYTEA NOT NULL,
    folded_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (group_id, digest)
);
CREATE INDEX folded_at ON folded (folded_at);

CREATE TABLE quarantine (
    id          {identity},
    received_at DOUBLE PRECISION NOT NULL,
    body        BYTEA NOT NULL,
    code        TEXT NOT NULL,
    reason      TEXT NOT NULL,
    field       TEXT
);

CREATE TABLE issues (
    id              {identity},
    group_id        BIGINT NOT NULL REFERENCES groups (id),
    tracker         TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('wanted', 'intended', 'in_doubt', 'linked', 'parked', 'retired')),
    marker          TEXT NOT NULL,
    remote_id       TEXT,
    key             TEXT,
    url             TEXT,
    -- The intent, on disk before the request: which attempt, when, by whom, and the highest issue number known then.
    attempt         INTEGER NOT NULL,
    sent_at         DOUBLE PRECISION,
    sent_by         TEXT,
    floor           BIGINT NOT NULL,
    comment_id      TEXT,
    comment_sent_at DOUBLE PRECISION,
    synced_revision BIGINT NOT NULL,
    synced_at       DOUBLE PRECISION,
    note            TEXT,
    CHECK (state <> 'linked' OR (remote_id IS NOT NULL AND key IS NOT NULL AND url IS NOT NULL))
);
-- Exactly one live issue per group, whatever the code above believes.
CREATE UNIQUE INDEX issues_live ON issues (group_id) WHERE state <> 'retired';
CREATE UNIQUE INDEX issues_remote ON issues (tracker, remote_id) WHERE remote_id IS NOT NULL;
CREATE INDEX issues_state ON issues (state);

-- The outbox: groups that owe a tracker call. While a row is claimed, due_at is the end of the lease, so that one index
-- finds what is due and a dead worker's rows come back by themselves.
CREATE TABLE outbox (
    group_id BIGINT PRIMARY KEY REFERENCES groups (id),
    tracker  TEXT NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('waiting', 'claimed', 'dead')),
    due_at   DOUBLE PRECISION NOT NULL,
    attempts INTEGER NOT NULL,
    owner    TEXT,
    reason   TEXT,
    CHECK ((state = 'claimed') = (owner IS NOT NULL))
);
CREATE INDEX outbox_due ON outbox (tracker, due_at) WHERE state <> 'dead';

CREATE TABLE trackers (
    name   TEXT PRIMARY KEY,
    state  TEXT NOT NULL CHECK (state IN ('ok', 'paused')),
    reason TEXT,
    until  DOUBLE PRECISION,
    floor  BIGINT NOT NULL
);

-- What a tracker's clients learned once, such as a repository's numeric id.
CREATE TABLE tracker_facts (
    tracker TEXT NOT NULL,
    fact    TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (tracker, fact)
);

CREATE TABLE history (
    id       {identity},
    group_id BIGINT NOT NULL REFERENCES groups (id),
    at       DOUBLE PRECISION NOT NULL,
    action   TEXT NOT NULL,
    reason   TEXT NOT NULL,
    outcome  TEXT
);
CREATE INDEX history_group ON history (group_id, id);
