-- What is needed where several processes share one store. Only additions: an older program beside this one reads what it
-- knows.

-- Which processes there are: a new line each time one starts, renewed every few seconds, gone when it ends in peace.
CREATE TABLE instances (
    owner      TEXT PRIMARY KEY,
    host       TEXT NOT NULL,
    -- Tells one machine, its start and its process numbers from any other's: only there can be told at once who has died.
    machine    TEXT NOT NULL,
    pid        BIGINT NOT NULL,
    -- When the process began, as its machine counts: a number may be given to another process later.
    begun      TEXT NOT NULL,
    part       TEXT NOT NULL,
    version    TEXT NOT NULL,
    started_at DOUBLE PRECISION NOT NULL,
    beat_at    DOUBLE PRECISION NOT NULL
);
-- Decisions are forgotten after a time, the oldest first.
CREATE INDEX history_at ON history (at);
CREATE INDEX issues_sender ON issues (sent_by) WHERE state = 'intended';
