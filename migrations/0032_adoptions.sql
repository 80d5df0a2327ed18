-- Issues that existed before syncd heard of their crash: they wait for its group, which is linked when it is first met. `universe` and
-- `project` are empty where any fits. `doubles` are further open issues of the crash.

CREATE TABLE adoptions (
    fingerprint_key TEXT NOT NULL,
    universe TEXT NOT NULL,
    project TEXT NOT NULL,
    tracker TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    key TEXT NOT NULL,
    url TEXT NOT NULL,
    doubles TEXT NOT NULL,
    added_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (fingerprint_key, universe, project)
);
CREATE UNIQUE INDEX adoptions_place ON adoptions (tracker, remote_id);

-- Links name no universe, and often no project.
CREATE INDEX groups_fingerprint ON groups (fingerprint_key);

-- When an issue that others filed began to stand for its group: what the group had by then is not news.
ALTER TABLE issues ADD COLUMN adopted_at DOUBLE PRECISION;
