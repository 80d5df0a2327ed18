"""Place and condition of linked issues: of one by its address, or of all by the list of changed issues."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from syncd.config import GitHubSettings
from syncd.core import readings
from syncd.core.readings import Cursor
from syncd.errors import Deferred, Gone, Misconfigured, Moved, OutOfReach, Refused, Throttled, TrackerError, Unavailable
from syncd.model import Condition, Issue, IssueState, Observation, Place
from syncd.trackers import Survey
from syncd.trackers.assignees import owners
from syncd.trackers.github.answers import (
    Account,
    Label,
    Listed,
    Number,
    Repository,
    denies_token,
    expect,
    failure,
    message,
    name_of,
    redirected,
    refuses,
    web,
)
from syncd.trackers.github.connection import Connection
from syncd.trackers.github.control import Address, denial, require_open
from syncd.trackers.github.numbers import read_present
from syncd.trackers.transport import Answer, Sent, bookmark_of

_PER_PAGE = 100
_MOST_PAGES = 100
_SWITCHED_OFF = re.compile(r"\bissues\b.{0,20}\bdisabled\b", re.IGNORECASE)
_MOST_COMMENTS = 2500  # of an issue; GitHub takes no more
_MOST_ALONE = 20  # issues in other repositories, each read by itself
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
    assignees: list[Account] = []
    locked: bool = False
    comments: int = 0
    pull_request: object = None


Shape = TypeVar("Shape", bound=Snapshot)


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
    while nothing changes, the name of the repository, the last issue that was read alone, and those whose presence was asked for."""

    since: float | None = None
    etag: str = ""
    name: str = ""
    alone: str = ""
    present: Cursor = msgspec.field(default_factory=Cursor)

    @property
    def parameters(self) -> dict[str, str | int]:
        """Those of the list of all issues, or of the ones that changed since, the latest change first."""
        every: dict[str, str | int] = {"state": "all", "sort": "updated", "direction": "desc", "per_page": _PER_PAGE}
        if self.since is not None:
            every["since"] = datetime.fromtimestamp(self.since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return every


def address_of(home_id: str, issue: Issue) -> Address:
    """The address that a linked issue is stored with."""
    repository_id, _, number = (issue.remote_id or "").rpartition("/")
    return Address(repository_id or home_id, number, bool(repository_id))


class Reader:
    """Reads linked issues for one client."""

    def __init__(self, connection: Connection, settings: GitHubSettings) -> None:
        self._connection = connection
        self._settings = settings

    def look(self, home_id: str, issue: Issue) -> Observation:
        """One GET, and one more where the issue was transferred; two more where it cannot be read, and a query for a duplicate.

        Raises Gone, OutOfReach, and Moved where the new place is not the last one.
        """
        return self._observation(home_id, *self._read(home_id, issue))

    def charge(self, home_id: str, issue: Issue, answer: Answer, sent: Sent) -> TrackerError:
        """The meaning of an answer without the wanted result to a call on a linked issue.

        After a refusal, whatever its status and words, two GETs or more tell whose it is: the issue's where it is still at its place in a
        repository that is open to the token, or Misconfigured where the account has too low a role. Raises what the issue or its repository
        answers otherwise.
        """
        error = failure(answer, sent)
        if not refuses(answer):
            return error
        address, snapshot = self._read(home_id, issue)
        place = self._place(address, snapshot)
        if place.remote_id != issue.remote_id:
            reason = f"issue {issue.key} was transferred and is {place.key} now"
            raise Moved(reason, place.remote_id, place.key, place.url)
        repository = require_open(self._connection, self._settings, address, writes=sent is not Sent.READ)
        if isinstance(error, Unavailable):
            return error
        reason = f"GitHub refuses this for issue {issue.key} ({answer.status}{message(answer)})"
        if answer.status not in (403, 404) or snapshot.locked or snapshot.comments >= _MOST_COMMENTS:
            return Refused(reason)
        if address.away:
            return OutOfReach(f"{reason}, which was transferred to where the token may not do this")
        if denies_token(answer):
            self._connection.login.require_access()
        if sent is not Sent.READ and repository.read_only:
            # The role Read is enough to comment, unless the repository is closed to all accounts that have no other role.
            return Misconfigured(f"{reason}, and the token's account has only the role Read; give it the role Triage")
        return Refused(reason)

    def _read(self, home_id: str, issue: Issue) -> tuple[Address, Snapshot]:
        """A linked issue and where it is now. Raises whatever keeps it from being read: the issue's own fate only where its repository, and
        the issues beside it, can be read."""
        address = address_of(home_id, issue)
        answer = self._connection.send_idempotent("GET", address.path)
        if answer.redirects:
            address, answer = self._follow(home_id, answer, issue)
        snapshot = answer.read(Snapshot) if answer.ok else None
        if snapshot is not None:
            return address, snapshot
        error = failure(answer, Sent.READ)
        if not refuses(answer):
            raise error
        require_open(self._connection, self._settings, address, writes=False)
        # A token that may see a repository may still not see its issues.
        parameters: dict[str, str | int] = {"state": "all", "per_page": 1}
        control = self._connection.send_idempotent("GET", f"{address.home}/issues", parameters=parameters)
        if not control.ok or control.read(list[Listed]) is None:
            raise denial(self._connection, self._settings, control, away=address.away)
        if answer.status == 410 and _SWITCHED_OFF.search(message(answer)):
            # The words contradict the repository: no deletion is concluded from this.
            raise Deferred(
                f"GitHub says of issue {issue.key} what its repository does not ({answer.status}{message(answer)})"
            )
        if answer.status == 410:
            raise Gone(f"issue {issue.key} was deleted")
        if isinstance(error, Unavailable):
            raise error
        # GitHub's documentation of the request: 410 after a deletion; 404 where the issue was transferred to a repository that the
        # token may not read.
        why = (
            "it was transferred to where the token may not read it, or is hidden"
            if answer.status == 404
            else error.reason
        )
        raise OutOfReach(f"issue {issue.key} cannot be read, though its neighbours can: {why}")

    def _follow(self, home_id: str, redirect: Answer, issue: Issue) -> tuple[Address, Answer]:
        """The place that an issue was transferred to, and the answer from there; its old place and the redirect itself where that leads to
        no issue."""
        try:
            target = redirected(redirect, self._settings.api_url)
        except Misconfigured:
            return address_of(home_id, issue), redirect
        repository_id = target.repository_id
        if not repository_id:
            answer = self._connection.send_idempotent("GET", target.home)
            if refuses(answer):
                raise OutOfReach(f"issue {issue.key} was transferred to a repository that the token may not read")
            repository_id = str(expect(answer, Repository).id)
        address = Address(repository_id, str(target.number), repository_id != home_id)
        answer = self._connection.send_idempotent("GET", address.path)
        if answer.redirects and address.remote_id != issue.remote_id:
            # Each look follows once; the next look begins here.
            reason = f"issue {issue.key} was transferred more than once"
            raise Moved(reason, address.remote_id, issue.key or "", issue.url or "")
        return address, answer

    def _place(self, address: Address, snapshot: Snapshot) -> Place:
        """The place of an issue, with the present name of its repository."""
        unnamed = f"repository {address.repository_id}" if address.away else self._settings.repository
        repository = name_of(snapshot.repository_url) or unnamed
        return Place(remote_id=address.remote_id, key=f"{repository}#{address.number}", url=web(snapshot.html_url))

    def observe(self, address: Address, snapshot: Snapshot) -> Observation:
        """Return what a list shows of an issue of the home repository. Sends nothing: the original of a duplicate is left out."""
        return self._observation("", address, msgspec.structs.replace(snapshot, state_reason=None))

    def _observation(self, home_id: str, address: Address, snapshot: Snapshot) -> Observation:
        """One query more where the issue was closed as a duplicate."""
        closed, place = snapshot.state == "closed", self._place(address, snapshot)
        duplicate_of = None
        if closed and snapshot.state_reason == "duplicate":
            duplicate_of = self._duplicate_of(home_id, address, place.key.rpartition("#")[0])
        labels = (label if isinstance(label, str) else label.name for label in snapshot.labels)
        milestone = snapshot.milestone.title if snapshot.milestone is not None else ""
        return Observation(
            place=place,
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
            owners=owners([account.login] for account in snapshot.assignees),
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
        full_name = original.repository.name_with_owner or self._settings.repository
        return Place(remote_id=place.remote_id, key=f"{full_name}#{original.number}", url=web(original.url))

    def survey(self, home_id: str, issues: Sequence[Issue], bookmark: str | None, now: float) -> Iterator[Survey]:
        """One part for each page of changed issues, the latest change first, one for each hundred issues that did not change, and one for
        each of some issues that have to be read alone."""
        before = bookmark_of(bookmark, _Bookmark())
        home = Address(home_id, "", away=False)
        # Where issues are switched off the list is empty, and after a rename it shows no change.
        repository = require_open(self._connection, self._settings, home, writes=False)
        name = repository.full_name or self._settings.repository
        if name != before.name:
            before = msgspec.structs.replace(before, since=None, etag="", name=name)
        unread = {str(issue.remote_id): issue for issue in issues if "/" not in str(issue.remote_id)}
        latest, etag, is_whole = 0.0, before.etag, False
        for page in range(1, _MOST_PAGES + 1):
            headers = {"If-None-Match": before.etag} if page == 1 and before.etag else {}
            answer = self._connection.send_idempotent(
                "GET", f"{home.home}/issues", parameters={**before.parameters, "page": page}, headers=headers
            )
            if is_whole := answer.status == 304:
                break
            snapshots, size = page_of(answer, Snapshot)
            etag = answer.headers.get("etag", "") if page == 1 else etag
            observations = {}
            for snapshot in snapshots:
                latest = max(latest, _time(snapshot.updated_at) or 0.0)
                address = Address(home_id, str(snapshot.number), away=False)
                if snapshot.pull_request is None and unread.pop(address.remote_id, None) is not None:
                    observations[address.remote_id] = self._observation(home_id, address, snapshot)
            yield Survey(observations=observations)
            # The first list holds every issue of the repository, also those that nobody asked for.
            if is_whole := size < _PER_PAGE or (before.since is None and not unread):
                break
        alone, present = [issue for issue in issues if "/" in str(issue.remote_id)], before.present
        if unread and (before.since is None or not is_whole):
            yield Survey(observations={}, missing=tuple(sorted(unread)))
        elif unread:
            chosen, present = readings.portion(list(unread.values()), before.present, now)
            for start in range(0, len(chosen), _PER_PAGE):
                batch = chosen[start : start + _PER_PAGE]
                absent = self._absent(home_id, name, [str(issue.remote_id) for issue in batch])
                yield Survey(observations={}, missing=absent or ())
                alone += [issue for issue in batch if absent is None or issue.state is IssueState.PARKED]
        alone = readings.after(alone, before.alone, _MOST_ALONE)
        for issue in alone:
            yield self._read_alone(home_id, issue)
        since = max(latest - _OVERLAP_SECONDS, before.since or 0.0) if latest else before.since
        # An ETag belongs to its request: that for the first page stays the same while nothing changes.
        after = msgspec.structs.replace(
            before,
            since=since,
            etag=etag if since == before.since else "",
            alone=str(alone[-1].remote_id) if alone else "",
            present=present,
        )
        yield Survey(observations={}, bookmark=msgspec.json.encode(after).decode())

    def _absent(self, home_id: str, name: str, numbers: Sequence[str]) -> tuple[str, ...] | None:
        """Those of up to a hundred numbers under which the repository has no issue, by one query; None where it does not tell, as on a server
        without GraphQL."""
        try:
            entries = read_present(self._connection, name, home_id, [int(number) for number in numbers])
        except Unavailable:
            return None  # a number that GitHub could not read this time
        return None if entries is None else tuple(number for number in numbers if entries[int(number)] is None)

    def _read_alone(self, home_id: str, issue: Issue) -> Survey:
        """The finding about one issue. What keeps it from being read concerns no other issue."""
        address = address_of(home_id, issue)
        missing = Survey(observations={}, missing=(str(issue.remote_id),))
        try:
            answer = self._connection.send_idempotent("GET", address.path)
            if answer.redirects:
                address, answer = self._follow(home_id, answer, issue)
        except (Moved, OutOfReach, Unavailable):
            return missing
        snapshot = answer.read(Snapshot) if answer.ok else None
        if snapshot is not None:
            return Survey(observations={str(issue.remote_id): self._observation(home_id, address, snapshot)})
        error = failure(answer, Sent.READ)
        if isinstance(error, Throttled | Misconfigured) and not refuses(answer):
            raise error
        return missing


def page_of(answer: Answer, shape: type[Shape]) -> tuple[list[Shape], int]:
    """The issues of a page that can be read, and the size of the page: one odd issue spoils no survey. Raises what any other answer means."""
    rows = answer.read(list[msgspec.Raw]) or []
    snapshots = [each for row in rows if (each := Answer(answer.status, body=bytes(row)).read(shape)) is not None]
    if not answer.ok or (not snapshots and answer.read(list[Snapshot]) is None):
        raise failure(answer, Sent.READ)
    return snapshots, len(rows)


def _time(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
