"""The create screens of a project, read when a field needs them and kept for an hour."""

from typing import Any
from urllib.parse import quote, urlsplit

from syncd.config import JiraSettings
from syncd.errors import Misconfigured, Refused, Unavailable
from syncd.platform.clock import Clock
from syncd.trackers.jira.answers import failure, more_after, refuses, rows
from syncd.trackers.jira.connection import Connection
from syncd.trackers.jira.control import require
from syncd.trackers.jira.typed import Row, Screen
from syncd.trackers.transport import Sent

_PAGE_SIZE = 200
_KEPT_SECONDS = 3600.0
_MOST_NAMES = 1_000  # of users and sprints

_TYPES = "issue/createmeta/{}/issuetypes"
_SPRINTS = "/rest/greenhopper/1.0/sprint/picker?query="


class Screens:
    """The screens of one client, by the name of the issue type."""

    def __init__(self, connection: Connection, settings: JiraSettings, clock: Clock) -> None:
        self._connection = connection
        self._settings = settings
        self._clock = clock
        self._screens: dict[str, tuple[float, Screen]] = {}  # until, monotonic
        self._candidates: dict[tuple[str, str], tuple[float, list[dict[str, Any]]]] = {}

    def screen(self, issue_type: str) -> Screen:
        """The create screen of an issue type, without rows where Jira does not describe it. Two reads or more, at most once an hour.

        Raises Throttled; Misconfigured where the project is closed to the account; and Unavailable where Jira does not answer and the screen
        was never read.
        """
        now = self._clock.monotonic()
        until, screen = self._screens.get(issue_type, (now, Screen()))
        if until > now:
            return screen
        try:
            ids = issue_types(self._connection, self._settings)
            described = fields(self._connection, self._settings, ids[issue_type]) if issue_type in ids else {}
        except (Misconfigured, Refused):
            # Data Center before 8.4 describes no screen. A project that the account does not see has none at this moment.
            require(self._connection, self._settings, "BROWSE_PROJECTS")
            described = {}
        except Unavailable:
            if not screen.rows:
                raise
            described = dict(screen.rows)
        screen = Screen(described, self._settings.deployment == "cloud", self.candidates)
        self._screens[issue_type] = now + _KEPT_SECONDS, screen
        return screen

    def forget(self) -> None:
        """Read every screen again when it is needed next: Jira refused a value that was built from one."""
        self._screens.clear()
        self._candidates.clear()

    def candidates(self, row: Row, text: str) -> list[dict[str, Any]]:
        """The users or sprints that Jira suggests for a name, by the address in the field's own description where that is one of this
        site. One read, at most once an hour for each name. Raises TrackerError where Jira does not answer."""
        schema = row["schema"] if isinstance(row.get("schema"), dict) else {}
        is_sprint = str(schema.get("custom", "")).endswith(":gh-sprint")
        cloud = self._settings.deployment == "cloud"
        path = _SPRINTS if is_sprint else f"user/search?{'query' if cloud else 'username'}="
        suggested, site = str(row.get("autoCompleteUrl") or ""), self._settings.url.rstrip("/")
        if suggested.startswith(f"{site}/") and urlsplit(suggested).query.endswith("="):
            path = suggested.removeprefix(site)
        now = self._clock.monotonic()
        until, candidates = self._candidates.get((path, text), (now, []))
        if until > now:
            return candidates
        answer = self._connection.send_idempotent("GET", f"{path}{quote(text, safe='')}")
        if answer.status in (401, 429) or answer.status >= 500:
            raise failure(answer, Sent.READ)
        lists = list(answer.json.values()) if isinstance(answer.json, dict) else [answer.json]
        candidates = [
            each for part in lists if answer.ok and isinstance(part, list) for each in part if isinstance(each, dict)
        ]
        if len(self._candidates) >= _MOST_NAMES:
            self._candidates.clear()
        self._candidates[path, text] = now + _KEPT_SECONDS, candidates
        return candidates


def issue_types(connection: Connection, settings: JiraSettings) -> dict[str, str]:
    """The ids of the issue types that the account can create in the project, by name. Raises TrackerError."""
    listed = _all_rows(connection, _TYPES.format(settings.project), "issueTypes")
    return {str(row.get("name")): str(row.get("id")) for row in listed}


def fields(connection: Connection, settings: JiraSettings, type_id: str) -> dict[str, Row]:
    """The rows of the create screen of an issue type by the id of their field. Raises TrackerError."""
    listed = _all_rows(connection, f"{_TYPES.format(settings.project)}/{type_id}", "fields")
    return {str(row.get("fieldId") or row.get("key")): row for row in listed}


def _all_rows(connection: Connection, path: str, cloud_name: str) -> list[dict[str, Any]]:
    """Every page. Cloud names its lists after their content; Data Center says `values`."""
    everything: list[dict[str, Any]] = []
    while True:
        parameters: dict[str, str | int] = {"startAt": len(everything), "maxResults": _PAGE_SIZE}
        answer = connection.send_idempotent("GET", path, parameters=parameters)
        if refuses(answer):
            raise failure(answer, Sent.AGAIN)  # some versions answer 400 about a project that the account does not see
        page = rows(answer, cloud_name, "values")
        everything += page
        if not page or not more_after(answer, len(everything)):
            return everything
