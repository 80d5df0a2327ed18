"""A help desk on loopback, as the sample tracker's fake server: it keeps tickets, and fails when a test orders it to."""

from dataclasses import asdict, dataclass, field

from syncd.plugin.conformance import Answer, Denied, Recorded, Routes, ServerBase

LONGEST_TITLE = 100
LONGEST_TEXT = 20_000
PRIORITIES = ("urgent", "normal", "low")
ACCOUNT = "syncd"
TOKEN = "desk-token"


@dataclass
class Remark:
    """One comment."""

    id: int
    author: str
    text: str


@dataclass
class Ticket:
    """One ticket. `reference` is a field for programs; no two tickets have the same `key`."""

    number: int
    author: str
    title: str
    text: str
    reference: str = ""
    key: str = ""
    listed: bool = True  # whether the list shows it already
    board: str = "crashes"
    resolution: str = ""  # empty while it is open
    tags: list[str] = field(default_factory=list)
    priority: str = ""
    remarks: list[Remark] = field(default_factory=list)


class Desk(ServerBase):
    """Numbers are given in order and never twice."""

    def __init__(self) -> None:
        super().__init__()
        self.token = TOKEN
        self.tickets: dict[int, Ticket | None] = {}  # None: deleted
        self.keys: dict[str, int] = {}  # those of deleted tickets stay taken
        self.writable = {"crashes", "triage"}
        self.barred: set[int] = set()  # numbers of tickets whose resolution nobody can change
        self.lags = False

    def routes(self) -> Routes:
        ticket = r"/api/tickets/(?P<number>\d+)"
        return [
            ("GET", "/api/newest", self._newest),
            ("POST", "/api/tickets", self._create),
            ("GET", r"/api/keys/(?P<key>[\w-]+)", self._read_by_key),
            ("GET", ticket, lambda request: (200, {}, asdict(self.ticket(_number(request))))),
            ("PUT", ticket, self._edit),
            ("PUT", ticket + "/resolution", self._resolve),
            ("POST", ticket + "/tags", self._tag),
            ("POST", ticket + "/remarks", self._remark),
            ("PUT", ticket + r"/remarks/(?P<remark>\d+)", self._change_remark),
        ]

    def admit(self, request: Recorded) -> Answer | None:
        return None if request.headers.get("authorization") == f"Bearer {self.token}" else (401, {}, {})

    def ticket(self, number: int) -> Ticket:
        """The ticket with this number. Raises Denied where there is none."""
        if number not in self.tickets:
            raise Denied((404, {}, {}))
        ticket = self.tickets[number]
        if ticket is None:
            raise Denied((410, {}, {}))
        return ticket

    def file(self, title: str, text: str, reference: str = "", key: str = "", author: str = "ada") -> Ticket:
        """A ticket as if filed by `author`, with the next number."""
        with self.lock:
            ticket = Ticket(len(self.tickets) + 1, author, title, text, reference, key, listed=not self.lags)
            self.tickets[ticket.number] = ticket
            if key:
                self.keys[key] = ticket.number
            return ticket

    def remark(self, number: int, text: str, author: str = "ada") -> Remark:
        """A remark as if written by `author`."""
        with self.lock:
            remarks = self.ticket(number).remarks
            remarks.append(Remark(len(remarks) + 1, author, text))
            return remarks[-1]

    def _newest(self, _request: Recorded) -> Answer:
        numbers = (ticket.number for ticket in self.tickets.values() if ticket and ticket.listed)
        return 200, {}, {"number": max(numbers, default=0)}

    def _create(self, request: Recorded) -> Answer:
        body = request.body
        if len(body["title"]) > LONGEST_TITLE or "\n" in body["title"] or len(body["text"]) > LONGEST_TEXT:
            return 422, {}, {}
        if body.get("key") in self.keys:
            return 409, {}, {}
        return 201, {}, asdict(self.file(**body, author=ACCOUNT))

    def _read_by_key(self, request: Recorded) -> Answer:
        number = self.keys.get(request.groups["key"])
        return (404, {}, {}) if number is None else (200, {}, asdict(self.ticket(number)))

    def _edit(self, request: Recorded) -> Answer:
        ticket = self._writable(request)
        for name, value in request.body.items():
            setattr(ticket, name, value)
        return 200, {}, asdict(ticket)

    def _resolve(self, request: Recorded) -> Answer:
        ticket = self._writable(request)
        if ticket.number in self.barred:
            return 422, {}, {}
        ticket.resolution = request.body["resolution"]
        return 200, {}, asdict(ticket)

    def _tag(self, request: Recorded) -> Answer:
        ticket, body = self._writable(request), request.body
        if body["priority"] and body["priority"] not in PRIORITIES:
            return 422, {}, {}
        ticket.tags += [tag for tag in body["tags"] if tag not in ticket.tags]
        ticket.priority = body["priority"] or ticket.priority
        return 200, {}, asdict(ticket)

    def _remark(self, request: Recorded) -> Answer:
        ticket = self._writable(request)
        if len(request.body["text"]) > LONGEST_TEXT:
            return 422, {}, {}
        return 201, {}, asdict(self.remark(ticket.number, request.body["text"], ACCOUNT))

    def _change_remark(self, request: Recorded) -> Answer:
        for remark in self._writable(request).remarks:
            if remark.id == int(request.groups["remark"]):
                remark.text = request.body["text"]
                return 200, {}, asdict(remark)
        return 404, {}, {}

    def _writable(self, request: Recorded) -> Ticket:
        ticket = self.ticket(_number(request))
        if ticket.board not in self.writable:
            raise Denied((403, {}, {}))
        return ticket


def _number(request: Recorded) -> int:
    return int(request.groups["number"])
