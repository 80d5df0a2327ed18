"""A tracker of another package: tickets of a help desk. Copy it to begin a tracker of your own.

It imports nothing of syncd but `syncd.plugin`.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from syncd.plugin import (
    Address,
    Answer,
    Clock,
    Condition,
    Created,
    Document,
    Draft,
    Evidence,
    Finding,
    Gone,
    Issue,
    IssueName,
    IssueText,
    JsonConnection,
    KeyedSettings,
    Marked,
    Misconfigured,
    Missing,
    Notebook,
    Observation,
    OutcomeUnknown,
    OutOfReach,
    Place,
    Plugin,
    PluginSettings,
    Policy,
    PresentSettings,
    Proof,
    Refused,
    Secret,
    Sent,
    Settings,
    Sweep,
    Throttled,
    Tracker,
    TrackerError,
    Unavailable,
    is_wanted,
    key_of,
    one_line,
    token,
    write,
)

ACCOUNT = "syncd"
LONGEST_TITLE = 100
LONGEST_TEXT = 20_000
PRIORITIES = ("urgent", "normal", "low")

Shape = TypeVar("Shape")


class DeskSettings(PluginSettings):
    """`[trackers.NAME]` with `kind = "desk"`."""

    settable = frozenset({"labels", "priority"})

    kind: Literal["desk"]
    url: Address
    token: Secret

    def name_issue(self, text: str) -> IssueName:
        return _name(self.url, text)


class KeyedDeskSettings(KeyedSettings):
    """`[trackers.NAME]` with `kind = "keyed-desk"`."""

    settable = frozenset({"labels", "priority"})

    kind: Literal["keyed-desk"]
    url: Address
    token: Secret

    def name_issue(self, text: str) -> IssueName:
        return _name(self.url, text)


def _name(url: str, text: str) -> IssueName:
    """crashes/12, 12, https://desk.example.com/tickets/12."""
    match = re.fullmatch(rf"(?:{re.escape(url.rstrip('/'))}/tickets/|[a-z]+/)?(\d{{1,9}})", text)
    if match is None:
        raise ValueError(f"{text!r} names no ticket; write it like crashes/12, or its address")
    return IssueName(match[1], match[1])


@dataclass(frozen=True)
class Remark:
    """One comment, as the desk answers it."""

    id: int
    author: str
    text: str


@dataclass(frozen=True)
class Ticket:
    """One ticket, as the desk answers it: the fields that this tracker reads."""

    number: int
    author: str
    title: str
    text: str
    board: str
    reference: str = ""
    resolution: str = ""
    tags: list[str] = field(default_factory=list)
    priority: str = ""
    remarks: list[Remark] = field(default_factory=list)


@dataclass(frozen=True)
class Newest:
    """The highest number."""

    number: int


class DeskTracker(Tracker):
    """A ticket's field `reference` holds the marker. Every number since a create is read to prove that it was not carried out."""

    def __init__(
        self,
        name: str,
        settings: DeskSettings | KeyedDeskSettings,
        notebook: Notebook,
        *,
        clock: Clock,
        sleep: Callable[[float], None],
    ) -> None:
        self._url = settings.url.rstrip("/")
        key = f"trackers.{name}.token"
        self._connection = JsonConnection(
            self._url,
            failure,
            clock,
            sleep,
            login=lambda: {"Authorization": f"Bearer {token(key, settings.token)}"},
            timeout=settings.timeout,
            renewal=settings.token.renewal(key),
        )

    def newest(self) -> int:
        return self._read("/api/newest", Newest).number

    def sweep(self, floor: int, since: float) -> Sweep:
        tickets, newest, _ = self._above(floor)
        marked = [
            Marked(reference=ticket.reference, issue=self._created(ticket)) for ticket in tickets if ticket.reference
        ]
        return Sweep(newest=newest, upto=newest, issues=marked)

    def _above(self, floor: int) -> tuple[list[Ticket], int, list[int]]:
        """The tickets of this account above `floor`, the newest number, and the numbers of deleted tickets. The desk gives numbers in order: the
        first that leads to nothing is the end."""
        tickets, number, deleted = list[Ticket](), floor, list[int]()
        while True:
            try:
                ticket = self._ticket(number + 1)
            except Missing:
                return tickets, number, deleted
            except Gone:
                ticket = None
                deleted.append(number + 1)
            number += 1
            if ticket is not None and ticket.author == ACCOUNT:
                tickets.append(ticket)

    def ping(self) -> None:
        self._connection.ping("/api/newest", lambda answer: answer.read(Newest) is not None)

    def create(self, draft: Draft) -> Created:
        return self._created(self._file(draft, {"reference": draft.marker}))

    def _file(self, draft: Draft, more: dict[str, str]) -> Ticket:
        text, title = write(draft.body, LONGEST_TEXT), one_line(draft.title, LONGEST_TITLE)
        draft.require_fresh()
        return self._send("/api/tickets", {"title": title, "text": text, **more}, Ticket)

    def probe(self, issue: Issue) -> Evidence:
        tickets, newest, deleted = self._above(issue.floor)
        return Evidence(
            issues=tuple(self._created(ticket) for ticket in tickets if ticket.reference == issue.marker),
            covered=not deleted,  # a deleted ticket may have been it
            newest=newest,
            summary=f"tickets {issue.floor + 1} to {newest} were read one by one",
        )

    def look(self, issue: Issue) -> Observation:
        return self._observe(self._ticket(number_of(issue)))

    def search(self, label: str | None, query: str | None) -> Iterator[Sequence[IssueText]]:
        number = 0
        while True:
            number += 1
            try:
                ticket = self._ticket(number)
            except Missing:
                return
            except Gone:
                continue
            text = IssueText(observation=self._observe(ticket), title=ticket.title, body=ticket.text)
            if is_wanted(text, label, query):
                yield [text]

    def reopen(self, issue: Issue) -> str:
        return self._resolve(issue, "")

    def close_issue(self, issue: Issue) -> str:
        return self._resolve(issue, "done")

    def _resolve(self, issue: Issue, resolution: str) -> str:
        if self.look(issue).condition.closed is bool(resolution):
            return ""
        try:
            self._change("PUT", f"/api/tickets/{number_of(issue)}/resolution", {"resolution": resolution}, Ticket)
        except Refused as error:
            return f"{error.reason}; change the ticket by hand"
        return ""

    def comment(self, issue: Issue, document: Document, marker: str) -> str:
        text = write(document, LONGEST_TEXT, tail=_line(marker))
        return str(self._send(f"/api/tickets/{number_of(issue)}/remarks", {"text": text}, Remark).id)

    def find_comment(self, issue: Issue, marker: str) -> str | None:
        for remark in self._ticket(number_of(issue)).remarks:
            if remark.author == ACCOUNT and remark.text.endswith(f"\n{_line(marker)}"):
                return str(remark.id)
        return None

    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        text = write(document, LONGEST_TEXT, tail=_line(marker))
        self._change("PUT", f"/api/tickets/{number_of(issue)}/remarks/{comment_id}", {"text": text}, Remark)

    def read_settings(self, issue: Issue) -> PresentSettings:
        ticket = self._ticket(number_of(issue))
        # The desk does not tell who changed what: syncd compares with what it set.
        return PresentSettings(
            settings=Settings(priority=ticket.priority or None, labels=tuple(ticket.tags)), priorities=PRIORITIES
        )

    def raise_settings(self, issue: Issue, changes: Settings) -> str:
        payload = {"tags": list(changes.labels), "priority": changes.priority or ""}
        try:
            self._change("POST", f"/api/tickets/{number_of(issue)}/tags", payload, Ticket)
        except Refused as error:
            return f"{error.reason}; change the ticket by hand"
        return ""

    def check(self, routes: Sequence[Policy] = (), releases: Sequence[str] = ()) -> list[Finding]:
        try:
            newest = self._read("/api/newest", Newest).number
        except TrackerError as error:
            return [Finding(ok=False, what=error.reason, remedy="correct url and token")]
        return [Finding(ok=True, what=f"the desk has {newest} tickets")]

    def close(self) -> None:
        self._connection.close()

    def _ticket(self, number: int) -> Ticket:
        return self._read(f"/api/tickets/{number}", Ticket)

    def _read(self, path: str, shape: type[Shape]) -> Shape:
        return self._expect(self._connection.send_idempotent("GET", path), shape, Sent.READ)

    def _change(self, method: str, path: str, payload: object, shape: type[Shape]) -> Shape:
        """A request that may be repeated without harm."""
        return self._expect(self._connection.send_idempotent(method, path, payload), shape, Sent.AGAIN)

    def _send(self, path: str, payload: object, shape: type[Shape]) -> Shape:
        """The one request that creates something."""
        return self._expect(self._connection.send_once("POST", path, payload), shape, Sent.ONCE)

    def _expect(self, answer: Answer, shape: type[Shape], sent: Sent) -> Shape:
        content = answer.read(shape) if answer.ok else None
        if content is None:
            raise failure(answer, sent)
        return content

    def _observe(self, ticket: Ticket) -> Observation:
        condition = Condition(
            closed=bool(ticket.resolution), resolution=ticket.resolution, labels=tuple(sorted(ticket.tags))
        )
        return Observation(place=self._place(ticket), condition=condition)

    def _created(self, ticket: Ticket) -> Created:
        place = self._place(ticket)
        return Created(remote_id=place.remote_id, key=place.key, url=place.url, number=ticket.number)

    def _place(self, ticket: Ticket) -> Place:
        number = str(ticket.number)
        return Place(remote_id=number, key=f"{ticket.board}/{number}", url=f"{self._url}/tickets/{number}")


class KeyedDeskTracker(DeskTracker):
    """The same desk, by the key that a program may choose for a ticket: the desk takes each key once, and answers for it at once."""

    def newest(self) -> int:
        return 0

    sweep = Tracker.sweep

    def create(self, draft: Draft) -> Created:
        key = key_of(draft.marker)
        try:
            return self._created(self._file(draft, {"key": key}))
        except KeyTaken:
            created = self._created(self._read(f"/api/keys/{key}", Ticket))
            return Created(remote_id=created.remote_id, key=created.key, url=created.url, existed=True)

    def probe(self, issue: Issue) -> Evidence:
        key, issues = key_of(issue.marker), tuple[Created, ...]()
        covered, summary = True, f"the desk has no ticket with the key {key}"
        try:
            issues = (self._created(self._read(f"/api/keys/{key}", Ticket)),)
            summary = f"the desk has a ticket with the key {key}"
        except Gone:
            covered, summary = False, f"the ticket with the key {key} was deleted"
        except Missing:
            pass
        return Evidence(issues=issues, covered=covered, summary=summary, proof=Proof.KEY)

    def _created(self, ticket: Ticket) -> Created:
        created = super()._created(ticket)
        return Created(remote_id=created.remote_id, key=created.key, url=created.url)


class KeyTaken(Refused):
    """Another ticket has the key."""


def number_of(issue: Issue) -> int:
    """The number of a ticket."""
    return int(issue.remote_id or 0)


def _line(marker: str) -> str:
    return f"syncd status {marker}"


def failure(answer: Answer, sent: Sent) -> TrackerError:
    """The meaning of an answer without the wanted result."""
    status = answer.status
    if answer.ok or status < 200 or status >= 500 or answer.is_page:
        reason = f"the desk's answer ({status}) does not say what became of the request"
        return OutcomeUnknown(reason) if sent is Sent.ONCE else Unavailable(reason)
    meanings: dict[int, Any] = {
        401: lambda: Misconfigured(f"the desk does not accept the token; {answer.renewal}", login=True),
        403: lambda: OutOfReach("the ticket is on a board that the account may not write to"),
        404: lambda: Missing("the desk has nothing under this number"),
        409: lambda: KeyTaken("another ticket has this key"),
        410: lambda: Gone("the ticket was deleted"),
        422: lambda: Refused("the desk does not take this"),
        429: lambda: Throttled("the desk asks for fewer requests", answer.digits("retry-after") or 60.0),
    }
    meaning = meanings.get(status, lambda: Misconfigured(f"what answers at url is not the desk ({status})"))
    error: TrackerError = meaning()
    return error


PLUGIN = Plugin(api_version=1, settings=DeskSettings, tracker=DeskTracker)
KEYED_PLUGIN = Plugin(api_version=1, settings=KeyedDeskSettings, tracker=KeyedDeskTracker, proof=Proof.KEY)
