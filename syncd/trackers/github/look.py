"""Place and condition of linked issues: of one by its address, or of all by the list of changed issues."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from syncd.config import GitHubSettings
from syncd.core import readings
from syncd.errors import Gone, Misconfigured, Moved, OutOfReach, Throttled, TrackerError, Unavailable
from syncd.model import Condition, Issue, Observation, Place
from syncd.trackers import Survey
from syncd.trackers.github.answers import (
    Label,
    Listed,
    Number,
    Repository,
    expect,
    failure,
    redirected,
    takes_no_issues,
    web,
)
from syncd.trackers.github.connection import Connection
from syncd.trackers.transport import Answer, Sent, bookmark_of

_PER_PAGE = 100
_MOST_PAGES = 100
_MOST_AWAY = 20  # issues in other repositories, each read by itself
# The list may lag behind the issues.
_OVERLAP_SECONDS = 600.0

# REST says that an issue is a duplicate, but not of which issue.
_DUPLICATE = """query($owner:String!,$name:String!,$number:Int!){repository(owner:$owner,name:$name){databaseId
issue(number:$number){duplicateOf{number url repository{databaseId nameWithOwner}}}}}"""


class _Milestone(msgspec.Struct):
    title: str = ""


class Snapshot(msgspec.Struct):
    """An issue as REST shows it. `labels` are objects, on some old servers bare names."""

    number: Number
    html_url: str = ""
    repository_url: str = ""
    state: str = "open"
    state_reason: str | None = None
    closed_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    milestone: _Milestone | None = None
    labels: list[Label | str] = []
    locked: bool = False
    pull_request: object = None


class _Home(msgspec.Struct, rename="camel"):
    database_id: int
    name_with_owner: str = ""


class _Original(msgspec.Struct):
    number: Number
    repository: _Home
    url: str = ""


class _Issue(msgspec.Struct, rename="camel"):
    duplicate_of: _Original | None = None


class _Repository(msgspec.Struct, rename="camel"):
    database_id: int
    issue: _Issue | None = None


class _Data(msgspec.Struct):
    repository: _Repository | None = None


class _Reply(msgspec.Struct):
    data: _Data | None = None


class _Bookmark(msgspec.Struct):
    """Where a survey goes on: from which time on the list is asked for, the ETag of its first page, for which GitHub answers 304 at no cost
    while nothing changes, and the last issue read in another repository."""

    since: float | None = None
    etag: str = ""
    away: str = ""


class Address(NamedTuple):
    """An issue's `remote_id`: NUMBER in the tracker's own repository, REPOSITORY_ID/NUMBER in another one (`away`)."""

    repository_id: str
    number: str
    away: bool

    @property
    def home(self) -> str:
        """The path of its repository."""
        return f"/repositories/{self.repository_id}"

    @property
    def path(self) -> str:
        return f"{self.home}/issues/{self.number}"

    @property
    def remote_id(self) -> str:
        return f"{self.repository_id}/{self.number}" if self.away else self.number

    def error(self, answer: Answer, sent: Sent = Sent.READ) -> TrackerError:
        """The meaning of an answer about this issue."""
        # A refusal in another repository says nothing about the tracker's own, and must not stop it.
        error = failure(answer, sent)
        if self.away and _forbids(answer):
            return OutOfReach(f"the issue was transferred to where the token may not do this: {error.reason}")
        return error


def _forbids(answer: Answer) -> bool:
    """True if an answer closes one repository to a token that is good otherwise."""
    return answer.status in (403, 404, 410, 451) and isinstance(failure(answer, Sent.READ), Misconfigured)


class Reader:
    """Reads linked issues for one client."""

    def __init__(self, connection: Connection, settings: GitHubSettings) -> None:
        self._connection = connection
        self._settings = settings

    def look(self, home_id: str, address: Address, issue: Issue) -> Observation:
        """One GET, and one more where the issue was transferred; two more where it is not there, and a query for a duplicate.

        Raises Gone, OutOfReach, and Moved where the new place is not the last one.
        """
        answer = self._connection.send_idempotent("GET", address.path)
        if answer.redirects:
            address, answer = self._follow(home_id, answer, issue)
        elif answer.status == 410 and not takes_no_issues(answer):
            raise Gone(f"issue {issue.key} was deleted")
        elif answer.status == 404:
            # GitHub also answers 404 for anything that a token may not see, and a token that may see the repository may still not
            # see its issues.
            control = self._connection.send_idempotent("GET", address.home)
            repository = control.read(Repository) if control.ok else None
            if repository is None:
                raise address.error(control)
            if not repository.has_issues and address.away:
                raise OutOfReach("the repository that the issue was transferred to takes no issues")
            if not repository.has_issues:
                raise Misconfigured("the repository takes no issues")
            parameters: dict[str, str | int] = {"state": "all", "per_page": 1}
            control = self._connection.send_idempotent("GET", f"{address.home}/issues", parameters=parameters)
            if not control.ok or control.read(list[Listed]) is None:
                raise address.error(control)
            raise Gone(f"issue {issue.key} is not there, though its neighbours can be read: it was deleted")
        snapshot = answer.read(Snapshot) if answer.ok else None
        if snapshot is None:
            raise address.error(answer)
        return self._observation(home_id, address, snapshot)

    def _follow(self, home_id: str, redirect: Answer, issue: Issue) -> tuple[Address, Answer]:
        """The place that an issue was transferred to, and the answer from there."""
        target = redirected(redirect, self._settings.api_url)
        hidden = OutOfReach(f"issue {issue.key} was transferred to a repository that the token may not read")
        repository_id = target.repository_id
        if not repository_id:
            answer = self._connection.send_idempotent("GET", f"/repos/{target.repository}")
            if _forbids(answer):
                raise hidden
            repository_id = str(expect(answer, Repository).id)
        address = Address(repository_id, str(target.number), repository_id != home_id)
        answer = self._connection.send_idempotent("GET", address.path)
        if answer.redirects and address.remote_id != issue.remote_id:
            # Each look follows once; the next look begins here.
            reason = f"issue {issue.key} was transferred more than once"
            raise Moved(reason, address.remote_id, issue.key or "", issue.url or "")
        if answer.status == 410 and not takes_no_issues(answer):
            raise Gone(f"issue {issue.key} was transferred and then deleted")
        if _forbids(answer):
            raise hidden
        return address, answer

    def _observation(self, home_id: str, address: Address, snapshot: Snapshot) -> Observation:
        """One query more where the issue was closed as a duplicate."""
        repository, closed = self._settings.repository, snapshot.state == "closed"
        if address.away:
            owner, _, name = snapshot.repository_url.rstrip("/").rpartition("/")
            repository = f"{owner.rpartition('/')[2]}/{name}" if owner else f"repository {address.repository_id}"
        duplicate_of = None
        if closed and snapshot.state_reason == "duplicate":
            duplicate_of = self._duplicate_of(home_id, address, repository)
        labels = (label if isinstance(label, str) else label.name for label in snapshot.labels)
        milestone = snapshot.milestone.title if snapshot.milestone is not None else ""
        return Observation(
            place=Place(remote_id=address.remote_id, key=f"{repository}#{address.number}", url=web(snapshot.html_url)),
            condition=Condition(
                closed=closed,
                resolution=(snapshot.state_reason or "") if closed else "",
                closed_at=_time(snapshot.closed_at) if closed else None,
                fixed_in=(milestone,) if milestone else (),
                labels=tuple(sorted(filter(None, labels))),
                locked=snapshot.locked,
                duplicate_of=duplicate_of,
                # A transfer may change it, and comes with a place of its own.
                created_at=snapshot.created_at.timestamp() if snapshot.created_at and not address.away else None,
            ),
            changed_at=_time(snapshot.updated_at),
        )

    def _duplicate_of(self, home_id: str, address: Address, repository: str) -> Place | None:
        """The issue that this one duplicates; None where GraphQL cannot be used or does not tell, and the issue just stays closed."""
        owner, _, name = repository.partition("/")
        variables = {"owner": owner, "name": name, "number": int(address.number)}
        try:
            answer = self._connection.query(_DUPLICATE, variables)
        except TrackerError:
            return None
        reply = answer.read(_Reply) if answer.ok else None
        home = reply.data.repository if reply is not None and reply.data is not None else None
        if home is None or str(home.database_id) != address.repository_id or home.issue is None:
            return None
        original = home.issue.duplicate_of
        if original is None:
            return None
        original_home = str(original.repository.database_id)
        place = Address(original_home, str(original.number), away=original_home != home_id)
        full_name = original.repository.name_with_owner if place.away else self._settings.repository
        return Place(remote_id=place.remote_id, key=f"{full_name}#{original.number}", url=web(original.url))

    def survey(self, home_id: str, issues: Sequence[Issue], bookmark: str | None) -> Iterator[Survey]:
        """One part for each page of changed issues, the latest change first, and one for each of some issues in other repositories."""
        before = bookmark_of(bookmark, _Bookmark())
        unread = {str(issue.remote_id) for issue in issues if "/" not in str(issue.remote_id)}
        parameters: dict[str, str | int] = {
            "state": "all",
            "sort": "updated",
            "direction": "desc",
            "per_page": _PER_PAGE,
        }
        if before.since is not None:
            parameters["since"] = datetime.fromtimestamp(before.since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        latest, etag, is_whole = 0.0, before.etag, False
        for page in range(1, _MOST_PAGES + 1):
            headers = {"If-None-Match": before.etag} if page == 1 and before.etag else {}
            answer = self._connection.send_idempotent(
                "GET", f"/repositories/{home_id}/issues", parameters={**parameters, "page": page}, headers=headers
            )
            if is_whole := answer.status == 304:
                break
            snapshots = answer.read(list[Snapshot]) if answer.ok else None
            if snapshots is None:
                raise failure(answer, Sent.READ)
            etag = answer.headers.get("etag", "") if page == 1 else etag
            observations = {}
            for snapshot in snapshots:
                latest = max(latest, _time(snapshot.updated_at) or 0.0)
                address = Address(home_id, str(snapshot.number), away=False)
                if snapshot.pull_request is None and address.remote_id in unread:
                    observations[address.remote_id] = self._observation(home_id, address, snapshot)
            unread -= observations.keys()
            yield Survey(observations=observations)
            # The first list holds every issue of the repository, also those that nobody asked for.
            if is_whole := len(snapshots) < _PER_PAGE or (before.since is None and not unread):
                break
        if unread and (before.since is None or not is_whole):
            yield Survey(observations={}, missing=tuple(sorted(unread)))
        away = readings.after([issue for issue in issues if "/" in str(issue.remote_id)], before.away, _MOST_AWAY)
        for issue in away:
            yield self._away(home_id, issue)
        since = max(latest - _OVERLAP_SECONDS, before.since or 0.0) if latest else before.since
        # An ETag belongs to its request: that for the first page stays the same while nothing changes.
        after = _Bookmark(
            since=since, etag=etag if since == before.since else "", away=str(away[-1].remote_id) if away else ""
        )
        yield Survey(observations={}, bookmark=msgspec.json.encode(after).decode())

    def _away(self, home_id: str, issue: Issue) -> Survey:
        """The finding about an issue in another repository. What keeps it from being read concerns no other issue."""
        repository_id, _, number = str(issue.remote_id).rpartition("/")
        address = Address(repository_id, number, away=True)
        missing = Survey(observations={}, missing=(address.remote_id,))
        try:
            answer = self._connection.send_idempotent("GET", address.path)
        except Unavailable:
            return missing
        snapshot = answer.read(Snapshot) if answer.ok else None
        if snapshot is not None:
            return Survey(observations={address.remote_id: self._observation(home_id, address, snapshot)})
        error = address.error(answer)
        if isinstance(error, Throttled | Misconfigured) and not (answer.redirects or answer.status in (404, 410)):
            raise error
        return missing


def _time(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
