-- Issues in a tracker with a marker of this store that no row of `issues` knows: they were made after the last commit of a store that was
-- restored from a backup, or by a copy of the store. A group that wants an issue is linked to its own.

CREATE TABLE strays (
    tracker TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    reference TEXT NOT NULL,
    key TEXT NOT NULL,
    url TEXT NOT NULL,
    number BIGINT NOT NULL,
    created_at DOUBLE PRECISION,
    found_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (tracker, remote_id)
);
CREATE INDEX strays_reference ON strays (tracker, reference);

-- When a store was first used: no issue of it is older. Nobody knows that of a store that has markers already.
INSERT INTO settings (name, value) SELECT 'instance.begun', '0' WHERE EXISTS (SELECT 1 FROM settings WHERE name = 'instance.key');
