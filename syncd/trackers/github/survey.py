"""How people left all issues of a repository, by its list of what was changed since."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from syncd.config import GitHubSettings
from syncd.errors import Gone, Moved, OutOfReach
from syncd.model import Issue, Observation, Survey
from syncd.trackers.answer import Answer
from syncd.trackers.github.answers import read, unanswered
from syncd.trackers.github.condition import Kept, seen
from syncd.trackers.github.connection import Connection
from syncd.trackers.github.look import Address

_PER_PAGE = 100
_MOST_PAGES = 100
_MOST_AWAY = 20  # issues in other repositories, each read by itself
# The list may lag behind what it lists.
_OVERLAP_SECONDS = 600.0


class Surveyor:
    """Asks for what was changed since the last time. While nothing was, the address stays the same, and so does its ETag: GitHub
    then answers 304, which costs nothing of the primary limit."""

    def __init__(self, connection: Connection, settings: GitHubSettings) -> None:
        self._connection = connection
        self._settings = settings
        self._asked: tuple[float | None, str] | None = None

    def survey(self, home_id: str, issues: Sequence[Issue], since: float | None) -> Survey:
        """What has changed among these issues, and those of other repositories."""
        wanted = {str(issue.remote_id) for issue in issues}
        found: dict[str, Observation] = {}
        latest = 0.0
        at_home = {remote_id for remote_id in wanted if "/" not in remote_id}
        for kept in self._changed(home_id, since):
            latest = max(latest, kept.updated_at.timestamp() if kept.updated_at is not None else 0.0)
            address = Address(home_id, str(kept.number), away=False)
            if kept.pull_request is None and address.remote_id in wanted:
                found[address.remote_id] = seen(self._connection, self._settings, address, home_id, kept)
            if since is None and found.keys() >= at_home:
                break  # the first time everything counts as changed, also what nobody asked for
        missing = []
        for issue in [issue for issue in issues if "/" in str(issue.remote_id)][:_MOST_AWAY]:
            looked = self._away(home_id, issue)
            if looked is None:
                missing.append(str(issue.remote_id))
            else:
                found[str(issue.remote_id)] = looked
        until = max(latest - _OVERLAP_SECONDS, since or 0.0) if latest else since
        return Survey(observations=found, missing=tuple(missing), until=until)

    def _changed(self, home_id: str, since: float | None) -> Iterator[Kept]:
        """Issues and pull requests, the one changed last first."""
        parameters: dict[str, str | int] = {
            "state": "all",
            "sort": "updated",
            "direction": "desc",
            "per_page": _PER_PAGE,
        }
        if since is not None:
            parameters["since"] = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for page in range(1, _MOST_PAGES + 1):
            answer = self._page(home_id, since, {**parameters, "page": page}, first=page == 1)
            if answer is None:
                return
            kept = read(answer, list[Kept]) if answer.ok else None
            if kept is None:
                raise unanswered(answer)
            yield from kept
            if len(kept) < _PER_PAGE:
                return

    def _page(
        self, home_id: str, since: float | None, parameters: dict[str, str | int], *, first: bool
    ) -> Answer | None:
        """One page; None where nothing has changed since it was asked for last."""
        etag = self._asked[1] if first and self._asked is not None and self._asked[0] == since else ""
        path = f"/repositories/{home_id}/issues"
        answer = self._connection.again("GET", path, parameters=parameters, etag=etag)
        if answer.status == 304:
            return None
        if first and answer.ok:
            self._asked = (since, answer.headers.get("etag", ""))
        return answer

    def _away(self, home_id: str, issue: Issue) -> Observation | None:
        repository_id, _, number = str(issue.remote_id).rpartition("/")
        address = Address(repository_id, number, away=True)
        answer = self._connection.again("GET", address.path)
        kept = read(answer, Kept) if answer.ok else None
        if kept is None:
            error = address.unanswered(answer)
            if answer.redirects or answer.status in (404, 410) or isinstance(error, Gone | Moved | OutOfReach):
                return None
            raise error
        return seen(self._connection, self._settings, address, home_id, kept)
