"""A tracker of another package: tickets of a help desk. Copy it to begin a tracker of your own."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from syncd.config import OtherSettings
from syncd.core.doubt import Evidence
from syncd.core.policy import Policy
from syncd.errors import (
    Gone,
    Misconfigured,
    Missing,
    OutcomeUnknown,
    OutOfReach,
    Refused,
    Throttled,
    TrackerError,
    Unavailable,
)
from syncd.model import Condition, Created, Group, Issue, Observation, Place, PresentSettings, Settings
from syncd.platform.clock import Clock
from syncd.render.markdown import write
from syncd.render.text import Document, one_line
from syncd.trackers import Draft, Finding, IssueText, Marked, Notebook, Survey, Sweep, is_wanted
from tests.trackers.sample.desk import ACCOUNT, DESKS, LONGEST_TEXT, LONGEST_TITLE, PRIORITIES, DeskError, Ticket


class DeskTracker:
    """`kind = "desk"` with `url` and `desk_token`. A ticket's field `reference` holds the marker."""

    def __init__(
        self,
        name: str,
        settings: OtherSettings,
        notebook: Notebook,
        *,
        clock: Clock,
        sleep: Callable[[float], None],
    ) -> None:
        keys = settings.model_extra or {}
        self._url = keys["url"]
        self._clock = clock
        self._token = keys["desk_token"]

    def newest(self) -> int:
        return int(self._read("newest"))

    def sweep(self, floor: int, since: float) -> Sweep:
        marked: list[Marked] = []
        number = floor
        while True:
            try:
                ticket = self._read("read", number=number + 1)
            except Missing:
                return Sweep(newest=number, upto=number, issues=marked)
            except Gone:
                ticket = None
            number += 1
            if ticket is not None and ticket.author == ACCOUNT and ticket.reference:
                marked.append(Marked(reference=ticket.reference, issue=self._created(ticket)))

    def reference(self, marker: str) -> str:
        return marker

    def ping(self) -> None:
        self._read("newest")

    def create(self, draft: Draft) -> Created:
        text = write(draft.body, LONGEST_TEXT)
        title = one_line(draft.title, LONGEST_TITLE)
        draft.require_fresh()
        return self._created(self._send("create", title=title, text=text, reference=draft.marker))

    def probe(self, issue: Issue) -> Evidence:
        """Reads every number above the floor; the desk gives them in order, so that the first without a ticket is the end."""
        matches, number = [], issue.floor
        while True:
            try:
                ticket = self._read("read", number=number + 1)
            except Missing:
                break
            except Gone:
                ticket = None
            number += 1
            if ticket is not None and ticket.author == ACCOUNT and ticket.reference == issue.marker:
                matches.append(self._created(ticket))
        return Evidence(
            issues=tuple(matches),
            covered=True,
            newest=number,
            summary=f"tickets {issue.floor + 1} to {number} were read one by one",
        )

    def look(self, issue: Issue) -> Observation:
        ticket = self._read("read", number=int(issue.remote_id or 0))
        condition = Condition(closed=bool(ticket.resolution), resolution=ticket.resolution)
        return Observation(place=self._place(ticket), condition=condition)

    def survey(self, issues: Sequence[Issue], bookmark: str | None) -> Iterator[Survey]:
        observations, missing = {}, []
        for issue in issues:
            try:
                observations[str(issue.remote_id)] = self.look(issue)
            except Gone:
                missing.append(str(issue.remote_id))
        yield Survey(observations=observations, missing=tuple(missing))

    def search(self, label: str | None, query: str | None) -> Iterator[Sequence[IssueText]]:
        number = 0
        while True:
            number += 1
            try:
                ticket = self._read("read", number=number)
            except Missing:
                return
            except Gone:
                continue
            condition = Condition(closed=bool(ticket.resolution), labels=tuple(ticket.tags))
            observation = Observation(place=self._place(ticket), condition=condition)
            text = IssueText(observation=observation, title=ticket.title, body=ticket.text)
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
            self._read("resolve", number=int(issue.remote_id or 0), resolution=resolution)
        except Refused as error:
            return f"{error.reason}; change the ticket by hand"
        return ""

    def comment(self, issue: Issue, document: Document, marker: str) -> str:
        text = write(document, LONGEST_TEXT, tail=_line(marker))
        return str(self._send("remark", number=int(issue.remote_id or 0), text=text).id)

    def find_comment(self, issue: Issue, marker: str) -> str | None:
        for remark in self._read("read", number=int(issue.remote_id or 0)).remarks:
            if remark.author == ACCOUNT and remark.text.endswith(f"\n{_line(marker)}"):
                return str(remark.id)
        return None

    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        text = write(document, LONGEST_TEXT, tail=_line(marker))
        self._read("change_remark", number=int(issue.remote_id or 0), remark=int(comment_id), text=text)

    def refresh(self, issue: Issue, group: Group) -> None:
        """Nothing: a ticket has no other fields."""

    def read_settings(self, issue: Issue) -> PresentSettings:
        ticket = self._read("read", number=int(issue.remote_id or 0))
        # The desk does not tell who changed what: syncd compares with what it set.
        return PresentSettings(
            settings=Settings(priority=ticket.priority or None, labels=tuple(ticket.tags)), priorities=PRIORITIES
        )

    def raise_settings(self, issue: Issue, changes: Settings) -> str:
        try:
            number, tags = int(issue.remote_id or 0), list(changes.labels)
            self._read("tag", number=number, tags=tags, priority=changes.priority or "")
        except Refused as error:
            return f"{error.reason}; change the ticket by hand"
        return ""

    def check(self, routes: Sequence[Policy] = (), releases: Sequence[str] = ()) -> list[Finding]:
        try:
            newest = self.newest()
        except TrackerError as error:
            return [Finding(ok=False, what=error.reason, remedy="correct url and desk_token")]
        return [Finding(ok=True, what=f"the desk has {newest} tickets")]

    def close(self) -> None:
        """Nothing is open."""

    def _read(self, name: str, **arguments: Any) -> Any:
        """A call that can be repeated without harm."""
        try:
            return self._send(name, **arguments)
        except OutcomeUnknown as error:
            raise Unavailable(error.reason) from None

    def _send(self, name: str, **arguments: Any) -> Any:
        """One request."""
        try:
            return DESKS[self._url].call(self._token, name, **arguments)
        except ConnectionRefusedError:
            raise Unavailable("no connection to the desk") from None
        except ConnectionResetError:
            raise OutcomeUnknown("the connection to the desk broke before its answer") from None
        except DeskError as error:
            raise _meaning(error) from None

    def _created(self, ticket: Ticket) -> Created:
        place = self._place(ticket)
        return Created(remote_id=place.remote_id, key=place.key, url=place.url, number=ticket.number)

    def _place(self, ticket: Ticket) -> Place:
        number = str(ticket.number)
        return Place(remote_id=number, key=f"{ticket.board}/{number}", url=f"{self._url}/tickets/{number}")


def _line(marker: str) -> str:
    return f"syncd status {marker}"


def _meaning(error: DeskError) -> TrackerError:
    match error.status:
        case 401:
            return Misconfigured("the desk does not accept desk_token")
        case 403:
            return OutOfReach("the ticket is on a board that the account may not write to")
        case 404:
            return Missing("the desk has nothing under this number")
        case 410:
            return Gone("the ticket was deleted")
        case 422:
            return Refused("the desk does not take this")
        case 429:
            return Throttled("the desk asks for fewer requests", error.seconds)
    return Unavailable(f"the desk answers {error.status}")
