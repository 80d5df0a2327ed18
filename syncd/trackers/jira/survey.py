"""How people left all issues of a project, a hundred in one request."""

from collections.abc import Sequence

import msgspec

from syncd.config import JiraSettings
from syncd.model import Issue, Observation, Survey
from syncd.trackers.jira.answers import expect
from syncd.trackers.jira.check import require
from syncd.trackers.jira.condition import Kept, seen, wanted
from syncd.trackers.jira.connection import Connection

_BATCH = 100


class _Unread(msgspec.Struct):
    id: str


class _Many(msgspec.Struct):
    """What a bulk fetch or a search shows. `issueErrors` could not be read this time."""

    issues: list[Kept]
    issueErrors: list[_Unread] = []


def survey(connection: Connection, settings: JiraSettings, issues: Sequence[Issue]) -> Survey:
    """All of these issues; what Jira does not show although the project can be seen is missing."""
    ids = [str(issue.remote_id) for issue in issues]
    found: dict[str, Observation] = {}
    missing: list[str] = []
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        shown = _fetched(connection, settings, batch)
        read = {kept.id: seen(settings, kept) for kept in shown.issues}
        found |= read
        unread = {one.id for one in shown.issueErrors}
        missing += [one for one in batch if one not in read and one not in unread]
    if missing:
        # Jira says of what may not be seen that it is not there.
        require(connection, settings, "BROWSE_PROJECTS")
    return Survey(observations=found, missing=tuple(missing))


def _fetched(connection: Connection, settings: JiraSettings, ids: Sequence[str]) -> _Many:
    if settings.deployment == "cloud":
        payload = {"issueIdsOrKeys": list(ids), "fields": wanted(settings)}
        return expect(connection.again("POST", "issue/bulkfetch", payload), _Many)
    parameters: dict[str, str | int] = {
        "jql": f"id in ({', '.join(ids)})",
        "maxResults": _BATCH,
        "fields": ",".join(wanted(settings)),
        # Otherwise an id that is gone is an error.
        "validateQuery": "false",
    }
    return expect(connection.again("GET", "search", parameters=parameters), _Many)
