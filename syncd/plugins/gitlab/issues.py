"""Linked issues and their projects: where an issue is now, how people left it, and whose fault a refusal is.

A refusal alone does not say whose it is: GitLab answers 404 for what was deleted, for what is hidden from the account, and for what it
may not do. What the project and the issue answer does.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import quote, urlencode

import msgspec

from syncd.plugin import (
    Answer,
    Condition,
    Gone,
    Issue,
    IssueText,
    Misconfigured,
    Moved,
    Observation,
    OutOfReach,
    Place,
    Refused,
    Sent,
    Survey,
    TrackerError,
    Unavailable,
    is_wanted,
    owners,
)
from syncd.plugins.gitlab.answers import (
    PLANNER,
    Entry,
    Project,
    entries_of,
    expect,
    failure,
    message,
    refuses,
    seconds,
    web,
)
from syncd.plugins.gitlab.connection import GitLabConnection
from syncd.plugins.gitlab.settings import GitLabSettings

PER_PAGE = 100
_MOST_MOVES = 5
_ORIGINAL = re.compile(r"/projects/(\d+)/issues/(\d+)$")

# REST tells where an issue was moved to by an id that only administrators can look up.
_MOVED = "query($id:IssueID!){issue(id:$id){iid projectId}}"


class _Target(msgspec.Struct, rename="camel"):
    iid: str
    project_id: int


class _Data(msgspec.Struct):
    issue: _Target | None = None


class _Reply(msgspec.Struct):
    data: _Data | None = None


class Address(NamedTuple):
    """An issue's `remote_id`: NUMBER in the tracker's own project, PROJECT_ID/NUMBER in another one (`away`)."""

    project_id: str
    number: str
    away: bool

    @property
    def home(self) -> str:
        """The path of its project."""
        return f"/projects/{self.project_id}"

    @property
    def path(self) -> str:
        return f"{self.home}/issues/{self.number}"

    @property
    def remote_id(self) -> str:
        return f"{self.project_id}/{self.number}" if self.away else self.number


def address_of(home_id: str, issue: Issue) -> Address:
    """The address that a linked issue is stored with."""
    project_id, _, number = (issue.remote_id or "").rpartition("/")
    return Address(project_id or home_id, number, bool(project_id))


def numbered(home: str, numbers: Sequence[int | str]) -> str:
    """The path of the list of the issues with these numbers, up to a hundred."""
    return f"{home}/issues?{urlencode([('iids[]', number) for number in numbers])}"


def place_of(address: Address, entry: Entry, project: str) -> Place:
    """The place of an issue. `project` names it where the answer does not."""
    key = entry.references.full or f"{f'project {address.project_id}' if address.away else project}#{address.number}"
    return Place(remote_id=address.remote_id, key=key, url=web(entry.web_url))


class Reader:
    """Reads issues for one client. `home_id` is the id of the tracker's own project."""

    def __init__(self, connection: GitLabConnection, settings: GitLabSettings) -> None:
        self._connection = connection
        self._settings = settings

    def named_project(self) -> tuple[Project, Answer]:
        """The project that has the configured path now, and its answer. Raises Misconfigured where it cannot be read."""
        answer = self._connection.send_idempotent("GET", f"/projects/{quote(self._settings.project, safe='')}")
        project = answer.read(Project) if answer.ok else None
        if project is None:
            raise self._denial(answer, away=False)
        return project, answer

    def require_open(self, address: Address, *, writes: bool) -> Project:
        """The project of an issue, by one GET.

        Raises Misconfigured where it cannot be read, takes no issues, or, if the refused request `writes`, no writes; OutOfReach where it is not
        the tracker's own.
        """
        answer = self._connection.send_idempotent("GET", address.home)
        project = answer.read(Project) if answer.ok else None
        if project is None:
            raise self._denial(answer, away=address.away)
        name, fault = project.path_with_namespace or self._settings.project, ""
        if not project.issues_enabled or project.issues_access_level == "disabled":
            fault = f"{name} takes no issues: turn on Issues in its settings"
        elif writes and project.archived:
            fault = f"{name} is archived and takes no writes: unarchive it, or configure another"
        if fault and address.away:
            raise OutOfReach(f"the issue was moved: {fault}")
        if fault:
            raise Misconfigured(fault)
        return project

    def _denial(self, answer: Answer, *, away: bool) -> TrackerError:
        """The meaning of an answer of a project without the wanted result. A refusal in another project (`away`) says nothing about the tracker's
        own."""
        error = failure(answer, Sent.READ)
        if away and refuses(answer):
            return OutOfReach(f"the issue was moved to where the token may not do this: {error.reason}")
        if refuses(answer) and not (isinstance(error, Misconfigured) and error.silent):
            return Misconfigured(f"{self._settings.project} cannot be read: {error.reason}")
        return error

    def look(self, home_id: str, issue: Issue) -> Observation:
        """One GET. A query and one GET more for each time that the issue was moved, two where it cannot be read, one where it is a duplicate."""
        return self._observe(home_id, *self._follow(home_id, issue, *self._read(home_id, issue)))

    def at_place(self, home_id: str, issue: Issue) -> tuple[Address, Entry]:
        """One GET before a write: GitLab takes writes to the closed issue that a move leaves behind. Raises Moved, Gone, OutOfReach."""
        address, entry = self._read(home_id, issue)
        there, latest = self._follow(home_id, issue, address, entry)
        if there != address:
            place = place_of(there, latest, self._settings.project)
            reason = f"issue {issue.key} was moved and is {place.key} now"
            raise Moved(reason, place.remote_id, place.key, place.url)
        return address, entry

    def charge(self, home_id: str, issue: Issue, answer: Answer, sent: Sent) -> TrackerError:
        """The meaning of an answer without the wanted result to a call on a linked issue.

        After a refusal, whatever its status and words, two GETs or more tell whose it is: the issue's where it is still at its place in a
        project that is open to the token, or Misconfigured where the account has too low a role. Raises what the issue or its project
        answers otherwise.
        """
        error = failure(answer, sent)
        if not refuses(answer):
            return error
        address, _ = self.at_place(home_id, issue)
        project = self.require_open(address, writes=sent is not Sent.READ)
        if isinstance(error, Unavailable):
            return error
        reason = f"GitLab refuses this for issue {issue.key} ({answer.status}{message(answer)})"
        if address.away and answer.status in (403, 404):
            return OutOfReach(f"{reason}, which was moved to where the token may not do this")
        if answer.status in (403, 404) and project.role is not None and project.role < PLANNER:
            return Misconfigured(f"{reason}, and the token's role is too low; give it the role Planner or Reporter")
        return Refused(reason)

    def _read(self, home_id: str, issue: Issue) -> tuple[Address, Entry]:
        """A linked issue at the address that it is stored with. Raises whatever keeps it from being read: the issue's own fate only where its
        project, and the issues beside it, can be read."""
        address = address_of(home_id, issue)
        answer = self._connection.send_idempotent("GET", address.path)
        entry = answer.read(Entry) if answer.ok else None
        if entry is not None:
            return address, entry
        error = failure(answer, Sent.READ)
        if not refuses(answer):
            raise error
        project = self.require_open(address, writes=False)
        control = self._connection.send_idempotent("GET", f"{address.home}/issues", parameters={"per_page": 1})
        if not control.ok or control.read(list[Entry]) is None:
            raise self._denial(control, away=address.away)
        if answer.status != 404:
            raise OutOfReach(f"issue {issue.key} cannot be read, though its neighbours can: {error.reason}")
        if project.role is None or project.role < PLANNER:
            # A confidential issue is hidden from accounts with a lower role, unless they wrote it.
            why = "it was deleted, or it is confidential and hidden from the token's role; give it the role Planner or Reporter"
            raise OutOfReach(f"issue {issue.key} cannot be read: {why}")
        raise Gone(f"issue {issue.key} was deleted")

    def follow(self, home_id: str, issue: Issue, entry: Entry) -> tuple[Address, Entry]:
        """Where an issue of the home project is now: one query and one GET for each move. Raises OutOfReach."""
        return self._follow(home_id, issue, Address(home_id, str(entry.iid), away=False), entry)

    def _follow(self, home_id: str, issue: Issue, address: Address, entry: Entry) -> tuple[Address, Entry]:
        for _ in range(_MOST_MOVES):
            if entry.moved_to_id is None:
                break
            hidden = f"issue {issue.key} was moved to where the token may not read it"
            variables = {"id": f"gid://gitlab/Issue/{entry.moved_to_id}"}
            answer = self._connection.query(_MOVED, variables)
            if refuses(answer):
                raise OutOfReach(hidden)
            reply = expect(answer, _Reply)
            target = reply.data.issue if reply.data is not None else None
            if target is None or not target.iid.isdecimal():
                raise OutOfReach(hidden)
            address = Address(str(target.project_id), target.iid, str(target.project_id) != home_id)
            answer = self._connection.send_idempotent("GET", address.path)
            if refuses(answer):
                raise OutOfReach(hidden)
            entry = expect(answer, Entry)
        return address, entry

    def _observe(self, home_id: str, address: Address, entry: Entry) -> Observation:
        """One GET more where the issue was closed as a duplicate."""
        closed = entry.state == "closed"
        original = (entry.links.closed_as_duplicate_of or "") if entry.links is not None and closed else ""
        return Observation(
            place=place_of(address, entry, self._settings.project),
            condition=Condition(
                closed=closed,
                resolution=("duplicate" if original else "closed") if closed else "",
                closed_at=seconds(entry.closed_at) if closed else None,
                fixed_in=(entry.milestone.title,) if entry.milestone is not None and entry.milestone.title else (),
                labels=tuple(sorted(filter(None, entry.labels))),
                locked=bool(entry.discussion_locked),
                duplicate_of=self._original(home_id, original) if original else None,
                # A move gives it another place.
                created_at=None if address.away else seconds(entry.created_at),
            ),
            changed_at=seconds(entry.updated_at),
            owners=owners([account.username] for account in entry.assignees),
        )

    def _original(self, home_id: str, url: str) -> Place | None:
        """The issue that one was closed as a duplicate of; None where it cannot be read, and the duplicate just stays closed."""
        match = _ORIGINAL.search(url)
        if match is None:
            return None
        address = Address(match[1], match[2], match[1] != home_id)
        try:
            answer = self._connection.send_idempotent("GET", address.path)
        except TrackerError:
            return None
        entry = answer.read(Entry) if answer.ok else None
        return None if entry is None else place_of(address, entry, self._settings.project)

    def survey(self, home_id: str, issues: Sequence[Issue]) -> Iterator[Survey]:
        """One GET for the project, and one for each hundred issues of a project. A moved issue is missing, as a deleted one is."""
        self.require_open(Address(home_id, "", away=False), writes=False)
        addresses = [address_of(home_id, issue) for issue in issues]
        for project_id in dict.fromkeys(address.project_id for address in addresses):
            members = [address for address in addresses if address.project_id == project_id]
            for start in range(0, len(members), PER_PAGE):
                yield self._survey(home_id, members[start : start + PER_PAGE])

    def _survey(self, home_id: str, addresses: Sequence[Address]) -> Survey:
        """The findings about issues of one project."""
        path = numbered(addresses[0].home, [address.number for address in addresses])
        answer = self._connection.send_idempotent("GET", path, parameters={"state": "all", "per_page": PER_PAGE})
        if refuses(answer) and addresses[0].away:
            return Survey(observations={}, missing=tuple(address.remote_id for address in addresses))
        entries = {str(entry.iid): entry for entry in entries_of(answer) if entry.moved_to_id is None}
        return Survey(
            observations={
                address.remote_id: self._observe(home_id, address, entries[address.number])
                for address in addresses
                if address.number in entries
            },
            missing=tuple(address.remote_id for address in addresses if address.number not in entries),
        )

    def search(self, home_id: str, label: str | None, query: str | None) -> Iterator[Sequence[IssueText]]:
        """One GET for each hundred issues, the oldest first, so that none that is filed meanwhile moves another to a page that was read."""
        home, page, size = Address(home_id, "", away=False), 0, PER_PAGE
        while size >= PER_PAGE:
            page += 1
            parameters: dict[str, str | int] = {
                "state": "all",
                "order_by": "created_at",
                "sort": "asc",
                "per_page": PER_PAGE,
                "page": page,
            }
            answer = self._connection.send_idempotent("GET", f"{home.home}/issues", parameters=parameters)
            entries = entries_of(answer)
            size = len(answer.json or ())
            texts = [
                IssueText(
                    observation=self._observe(home_id, Address(home_id, str(entry.iid), away=False), entry),
                    title=entry.title,
                    body=entry.description or "",
                )
                for entry in entries
                if entry.moved_to_id is None
            ]
            yield [text for text in texts if is_wanted(text, label, query)]
