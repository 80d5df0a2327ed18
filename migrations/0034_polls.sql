-- What Backtrace's triage shows of a group: open, in-progress, resolved, muted; NULL where no poll has read it.
ALTER TABLE groups ADD COLUMN triage TEXT;

-- 1 for a group that a backfill brought: it is held until a person files it.
ALTER TABLE groups ADD COLUMN backfilled INTEGER NOT NULL DEFAULT 0;
