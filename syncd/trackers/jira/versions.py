"""The versions of a project that an issue may be filed against."""

from collections.abc import Callable

from syncd.config import JiraSettings
from syncd.errors import Throttled, TrackerError
from syncd.model import Group
from syncd.trackers.jira.answers import rows
from syncd.trackers.jira.connection import Connection

_KEPT_SECONDS = 3600.0
_RETRY_SECONDS = 300.0
_READ_SECONDS = 5.0  # a create does not wait longer for what it can do without


class Versions:
    """Reads them once an hour. `clock` counts seconds and never goes back."""

    def __init__(self, connection: Connection, settings: JiraSettings, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._settings = settings
        self._clock = clock
        self._names: frozenset[str] = frozenset()
        self._until: float | None = None

    def affected(self, group: Group, notes: list[str]) -> frozenset[str]:
        """Those not archived; none where they are not wanted or, with a note, cannot be read."""
        if not self._settings.affects_versions or not group.releases:
            return frozenset()
        if self._until is None or self._clock() >= self._until:
            path = f"project/{self._settings.project}/versions"
            try:
                found = rows(self._connection.once("GET", path, read_seconds=_READ_SECONDS))
            except Throttled:
                raise  # or the create would be sent inside the silence that was asked for
            except TrackerError as error:
                self._until = self._clock() + _RETRY_SECONDS
                self._names = frozenset()
                notes.append(f"versions was left out: {error.reason}")
            else:
                self._until = self._clock() + _KEPT_SECONDS
                self._names = frozenset(str(row.get("name")) for row in found if not row.get("archived"))
        return self._names
