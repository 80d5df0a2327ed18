-- What is needed to prove what became of a create, to honour the limits of a tracker across restarts, and to give
-- dead letters a way out. Only additions: an older program beside this one reads what it knows.

-- The evidence about a create in doubt: how many clean probes found nothing, when the first of them was answered by the
-- tracker's own clock, and when to probe next.
ALTER TABLE issues ADD COLUMN sent_revision BIGINT NOT NULL DEFAULT 0;
ALTER TABLE issues ADD COLUMN probes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE issues ADD COLUMN probed_since DOUBLE PRECISION;
ALTER TABLE issues ADD COLUMN probe_at DOUBLE PRECISION;
ALTER TABLE issues ADD COLUMN comment_probes INTEGER NOT NULL DEFAULT 0;
-- When the tracker was last asked where the issue is, and which others of the same group were found there.
ALTER TABLE issues ADD COLUMN looked_at DOUBLE PRECISION;
ALTER TABLE issues ADD COLUMN doubles TEXT;
-- Why it is parked: 'doubt', 'deleted', 'out of reach', 'discarded'. The second and the last need nobody.
ALTER TABLE issues ADD COLUMN cause TEXT;

-- The content that a tracker refused for good.
ALTER TABLE groups ADD COLUMN refused TEXT;

-- Which call is owed, the most urgent first: 0 create, 1 probe, 2 update.
ALTER TABLE outbox ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET rank = 2 WHERE group_id IN (SELECT group_id FROM issues WHERE state = 'linked');
UPDATE outbox SET rank = 1 WHERE group_id IN (SELECT group_id FROM issues WHERE state IN ('intended', 'in_doubt'));
-- Groups in doubt owed nothing before there were probes.
INSERT INTO outbox (group_id, tracker, state, due_at, attempts, rank)
SELECT group_id, tracker, 'waiting', 0, 0, 1 FROM issues WHERE state = 'in_doubt'
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.group_id = issues.group_id);
CREATE INDEX outbox_next ON outbox (tracker, rank, due_at) WHERE state <> 'dead';
CREATE INDEX outbox_dead ON outbox (group_id) WHERE state = 'dead';
DROP INDEX outbox_due;

-- Why a tracker rests ('misconfigured', 'operator'), and how often it has failed since it last worked.
ALTER TABLE trackers ADD COLUMN cause TEXT;
ALTER TABLE trackers ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
-- When `floor` was last read from the tracker itself.
ALTER TABLE trackers ADD COLUMN floor_at DOUBLE PRECISION;

-- Silence that was asked for: of one kind of call ('create', 'probe', 'update') or of all ('all') that use a credential.
CREATE TABLE silences (
    credential TEXT NOT NULL,
    part       TEXT NOT NULL,
    until      DOUBLE PRECISION NOT NULL,
    reason     TEXT NOT NULL,
    PRIMARY KEY (credential, part)
);

-- What is left of each limit on a credential's writes, at a time.
CREATE TABLE budgets (
    credential TEXT NOT NULL,
    allowance  TEXT NOT NULL,
    tokens     DOUBLE PRECISION NOT NULL,
    at         DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (credential, allowance)
);

-- A delivery that was put back into the inbox says nothing new about how often the group was spoken of.
ALTER TABLE deliveries ADD COLUMN replayed_at DOUBLE PRECISION;
CREATE INDEX issues_doubles ON issues (id) WHERE doubles IS NOT NULL;
-- The unique index on live issues serves only queries that say `state <> 'retired'` in these words.
CREATE INDEX issues_group ON issues (group_id, state);
CREATE INDEX outbox_owner ON outbox (owner) WHERE owner IS NOT NULL;
