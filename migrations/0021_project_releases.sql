-- Which releases of an application syncd knows, whatever their groups. It decides whether a release was out when an issue was closed.

-- The first time that syncd received the name of a release, and whether two groups or two occurrences of a group confirm it: a single
-- report may name any release. An empty application stands for none.
CREATE TABLE project_releases (
    universe    TEXT NOT NULL,
    project     TEXT NOT NULL,
    application TEXT NOT NULL,
    release     TEXT NOT NULL,
    noticed_at  DOUBLE PRECISION NOT NULL,
    confirmed   INTEGER NOT NULL CHECK (confirmed IN (0, 1)),
    PRIMARY KEY (universe, project, application, release)
);
CREATE INDEX project_releases_noticed ON project_releases (universe, project, noticed_at);
INSERT INTO project_releases (universe, project, application, release, noticed_at, confirmed)
SELECT groups.universe, groups.project, COALESCE(groups.application, ''), releases.release, MIN(COALESCE(releases.noticed_at, 0)),
    CASE WHEN SUM(releases.occurrences) > 1 THEN 1 ELSE 0 END
FROM releases JOIN groups ON groups.id = releases.group_id
GROUP BY groups.universe, groups.project, COALESCE(groups.application, ''), releases.release;
