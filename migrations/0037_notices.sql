-- Notices, the messages to channels. A row is written in the transaction of its event, once for each channel, and is marked as being sent in a
-- transaction before its request: a process that dies loses at most the message that it was sending.

CREATE TABLE notices (
    id {identity},
    channel TEXT NOT NULL,
    event TEXT NOT NULL,
    -- What shares a limit: group, system, digest.
    kind TEXT NOT NULL,
    group_id BIGINT REFERENCES groups (id),
    -- What was true when it happened (JSON).
    facts TEXT NOT NULL,
    made_at DOUBLE PRECISION NOT NULL,
    -- waiting, sending, sent, lost (no answer came), refused, expired.
    state TEXT NOT NULL DEFAULT 'waiting',
    -- The first of the rows that one message sums up.
    batch BIGINT,
    sent_at DOUBLE PRECISION
);
CREATE INDEX notices_waiting ON notices (channel, kind, id) WHERE state = 'waiting';
CREATE INDEX notices_sent ON notices (channel, kind, sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX notices_batch ON notices (batch) WHERE batch IS NOT NULL;
CREATE INDEX notices_sending ON notices (channel, sent_at) WHERE state = 'sending';
CREATE INDEX notices_made ON notices (made_at);
CREATE INDEX notices_group ON notices (group_id);

-- What a channel does: while it rests it is called at no time before `until`.
CREATE TABLE channels (
    name TEXT PRIMARY KEY,
    until DOUBLE PRECISION,
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    failing_since DOUBLE PRECISION,
    -- The day of the latest digest, and when it was composed.
    digest_day TEXT,
    digest_at DOUBLE PRECISION,
    -- The trackers that rest as far as the channel's notices say (JSON).
    outages TEXT NOT NULL DEFAULT '{}'
);

-- The digest reads what happened in the last day.
CREATE INDEX regressions_at ON regressions (at);
