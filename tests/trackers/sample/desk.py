"""A help desk in memory, as the sample tracker's fake server: it keeps tickets, and fails when a test orders it to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

LONGEST_TITLE = 100
PRIORITIES = ("urgent", "normal", "low")
LONGEST_TEXT = 20_000
ACCOUNT = "syncd"


@dataclass
class Remark:
    """One comment."""

    id: int
    author: str
    text: str


@dataclass
class Ticket:
    """One ticket. `reference` is a field for programs, `lists` whether the list shows it already."""

    number: int
    author: str
    title: str
    text: str
    reference: str
    listed: bool = True
    board: str = "crashes"
    resolution: str = ""  # empty while it is open
    tags: list[str] = field(default_factory=list)
    priority: str = ""
    remarks: list[Remark] = field(default_factory=list)


class DeskError(Exception):
    """An answer other than success. `seconds` is what a 429 asks for."""

    def __init__(self, status: int, seconds: float = 0.0) -> None:
        super().__init__(status)
        self.status = status
        self.seconds = seconds


class Desk:
    """Numbers are given in order and never twice. `lost` answers that many calls by name with a broken connection: before or after
    they are carried out; `answers` orders the next answer to a call."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.token = "desk-token"
        self.tickets: dict[int, Ticket | None] = {}  # None: deleted
        self.writable = {"crashes", "triage"}
        self.barred: set[int] = set()  # numbers of tickets whose resolution nobody can change
        self.down = False
        self.lags = False
        self.lost: dict[str, str] = {}
        self.answers: dict[str, DeskError] = {}
        DESKS[url] = self

    def call(self, token: str, name: str, **arguments: Any) -> Any:
        """One request. Raises DeskError, ConnectionRefusedError when it was never sent, ConnectionResetError when its answer is lost."""
        if self.down:
            raise ConnectionRefusedError
        if token != self.token:
            raise DeskError(401)
        if name in self.answers:
            raise self.answers.pop(name)
        lost = self.lost.pop(name, "")
        if lost == "before":
            raise ConnectionResetError
        handler: Callable[..., Any] = getattr(self, f"do_{name}")
        answer = handler(**arguments)
        if lost == "after":
            raise ConnectionResetError
        return answer

    def do_newest(self) -> int:
        return max((ticket.number for ticket in self.tickets.values() if ticket and ticket.listed), default=0)

    def do_create(self, title: str, text: str, reference: str = "", author: str = ACCOUNT) -> Ticket:
        if len(title) > LONGEST_TITLE or "\n" in title or len(text) > LONGEST_TEXT:
            raise DeskError(422)
        number = len(self.tickets) + 1
        ticket = Ticket(number, author, title, text, reference, listed=not self.lags)
        self.tickets[number] = ticket
        return ticket

    def do_read(self, number: int) -> Ticket:
        if number not in self.tickets:
            raise DeskError(404)
        ticket = self.tickets[number]
        if ticket is None:
            raise DeskError(410)
        return ticket

    def do_resolve(self, number: int, resolution: str) -> None:
        ticket = self._writable(number)
        if number in self.barred:
            raise DeskError(422)
        ticket.resolution = resolution

    def do_tag(self, number: int, tags: list[str], priority: str) -> None:
        ticket = self._writable(number)
        if priority and priority not in PRIORITIES:
            raise DeskError(422)
        ticket.tags += [tag for tag in tags if tag not in ticket.tags]
        ticket.priority = priority or ticket.priority

    def do_remark(self, number: int, text: str, author: str = ACCOUNT) -> Remark:
        ticket = self._writable(number)
        if len(text) > LONGEST_TEXT:
            raise DeskError(422)
        ticket.remarks.append(Remark(len(ticket.remarks) + 1, author, text))
        return ticket.remarks[-1]

    def do_change_remark(self, number: int, remark: int, text: str) -> None:
        for each in self._writable(number).remarks:
            if each.id == remark:
                each.text = text
                return
        raise DeskError(404)

    def _writable(self, number: int) -> Ticket:
        ticket = self.do_read(number)
        if ticket.board not in self.writable:
            raise DeskError(403)
        return ticket


DESKS: dict[str, Desk] = {}
