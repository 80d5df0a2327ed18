"""A notice as a headline and blocks, for every kind of channel; each writer turns it into what its channel takes.

Nothing here formats crash text: a headline is a `Value`, and so is each other text of a crash.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from syncd.core.notices import Event
from syncd.core.quantities import counted, duration, listed
from syncd.render.text import (
    Block,
    Code,
    Details,
    Document,
    Heading,
    Link,
    Panel,
    Paragraph,
    Span,
    Strong,
    Table,
    Value,
    clean,
    one_line,
)

LONGEST_HEADLINE = 200
FRAMES = 3
LONGEST_REASON = 500
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[^\s<>|\"]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice. `label` is in syncd's own words, `headline` is untrusted and on one line. `links` lead to the issue, the crash reporter and
    the console. `data` is what programs read, `thread` joins notices about one thing."""

    event: str
    label: str
    headline: str
    document: Document
    links: Sequence[Link] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    thread: str = ""

    @property
    def title(self) -> str:
        """Label and headline on one line: untrusted."""
        return one_line(f"{self.label}: {self.headline}" if self.headline else self.label, LONGEST_HEADLINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The group of a notice as it may leave: its title, the first line of its issue, its first frames, and links to it."""

    title: str
    summary: Document
    frames: tuple[str, ...]
    links: Sequence[Link]
    data: Mapping[str, Any]
    thread: str


def text_of(value: object, limit: int = LONGEST_REASON) -> Value:
    """A text of a notice's facts."""
    return Value(one_line(str(value), limit, otherwise=""))


def issue_of(facts: Mapping[str, object]) -> Link | Value | None:
    """The issue of a notice: a link where its tracker has addresses that a browser opens; None without an issue."""
    key, url = one_line(str(facts.get("key") or ""), 100, otherwise=""), str(facts.get("url") or "")
    if not key:
        return None
    is_link = _ADDRESS.fullmatch(url) is not None and clean(url) == url and len(url) <= 2000
    return Link(key, url) if is_link else Value(key)


def filed(subject: Subject, facts: Mapping[str, object], issue: Link | Value | None) -> Notice:
    """An issue for a new group, or another issue for one that had an issue before."""
    document = [*subject.summary]
    if subject.frames:
        document.append(Code(subject.frames[:FRAMES], more=len(subject.frames[FRAMES:])))
    document.append(_where("Filed as ", issue, facts))
    return _of_group(Event.FILED, "Filed again" if facts.get("again") else "New", subject, document, facts, issue)


def came_back(subject: Subject, answer: Document, facts: Mapping[str, object], issue: Link | Value | None) -> Notice:
    """A crash came back after its issue was closed. `answer` is the comment on the issue."""
    actions = {
        "reopen": "syncd reopens ",
        "comment": "syncd comments on it, and it stays closed: ",
        "renew": "syncd files another issue after ",
    }
    document = [*answer, _where(actions.get(str(facts.get("answer")), "Its issue: "), issue, facts)]
    return _of_group(Event.REGRESSION, "Came back", subject, document, facts, issue)


def stuck(subject: Subject, facts: Mapping[str, object], issue: Link | Value | None) -> Notice:
    """A group waits for a person."""
    refused = facts.get("cause") == "refused"
    why = "The tracker refused it for good: " if refused else "syncd does nothing more with it until a person decides: "
    document: list[Block] = [
        Paragraph((why, text_of(facts.get("reason", "")), ".")),
        *subject.summary,
        Paragraph(("`syncd dead list` shows it, and how to let syncd try again.",)),
        _where("Its issue: ", issue, facts),
    ]
    return _of_group(Event.PARKED, "Needs a person", subject, document, facts, issue)


def storm(subject: Subject, status: Document, facts: Mapping[str, object], issue: Link | Value | None) -> Notice:
    """A route is in a storm, or its storm is over. `status` is the status comment of the storm's issue."""
    over = bool(facts.get("over"))
    # The links are at the end of each notice.
    blocks = [
        block
        for block in status
        if not isinstance(block, Heading) and not (isinstance(block, Paragraph) and isinstance(block.spans[0], Link))
    ]
    document = [*blocks, _where("Its issue: ", issue, facts)]
    label = "Crash storm is over" if over else "Crash storm"
    headline = one_line(f"route {facts.get('route') or ''}", 100)
    notice = _of_group(Event.STORM, label, subject, document, facts, issue)
    data = {"route": facts.get("route"), "over": over} | {key: notice.data[key] for key in ("issue", "tracker")}
    return Notice(
        event=Event.STORM, label=label, headline=headline, document=notice.document, links=notice.links, data=data,
        thread=subject.thread,
    )  # fmt: skip


def rest(facts: Mapping[str, object], console: str) -> Notice:
    """A tracker takes no calls, or takes them again."""
    name, over = one_line(str(facts["tracker"]), 100), bool(facts.get("over"))
    lasted = duration(max(0.0, float(str(facts["at"])) - float(str(facts["since"]))))
    reason = text_of(facts.get("reason", ""))
    links = [Link("Open in syncd", f"{console}/trackers")] if console else []
    data = {"tracker": name, "over": over, "reason": reason.text, "since": facts["since"]}
    if over:
        document: Document = (Paragraph((f"syncd calls it again after {lasted}. The cause was: ", reason, ".")),)
        label = "Tracker works again"
    else:
        document = (
            Paragraph((f"For {lasted}: ", reason, ".")),
            Paragraph(("No crash is lost: syncd goes on counting, tries again by itself, and files what waits then.",)),
        )
        label = "Tracker takes no calls"
    return Notice(
        event=Event.REST, label=label, headline=name, document=document, links=links, data=data, thread=f"tracker-{name}"
    )  # fmt: skip


_PHRASES = {
    Event.FILED: ("new crash", "new crashes"),
    Event.REGRESSION: ("came back", "came back"),
    Event.PARKED: ("needs a person", "need a person"),
    Event.STORM: ("report of a storm", "reports of storms"),
    Event.REST: ("report of a tracker", "reports of trackers"),
}


def summed(counts: Mapping[str, int], rows: Sequence[tuple[str, Link | Value | None, str]], limit: str) -> Notice:
    """One message for many notices, above the channel's limit. A row has a crash, its issue, and its users."""
    phrases = [
        f"{counts[event]:,} {plural if counts[event] > 1 else singular}"
        for event, (singular, plural) in _PHRASES.items()
        if counts.get(event)
    ]
    total = sum(counts.values())
    document: list[Block] = [Paragraph((f"The channel's limit is {limit}, so this message stands for {total:,}.",))]
    if rows:
        document.append(Heading("The most users" if any(users for _, _, users in rows) else "The latest"))
        table = tuple((Value(crash), issue or "no issue", users) for crash, issue, users in rows)
        document.append(Table(("Crash", "Issue", "Users"), table, more=max(0, total - len(rows))))
    return Notice(
        event="summary",
        label=f"{total:,} more notices",
        headline=listed(phrases, 5),
        document=tuple(document),
        data={"counts": dict(counts), "limit": limit},
    )


def _where(lead: str, issue: Link | Value | None, facts: Mapping[str, object]) -> Paragraph:
    spans: tuple[Span, ...] = ("There is no issue",) if issue is None else (lead, issue)
    route = text_of(facts.get("route") or "", 100)
    return Paragraph((*spans, *((" · route ", route) if route.text else ())))


def _of_group(
    event: Event, label: str, subject: Subject, document: Sequence[Block], facts: Mapping[str, object], issue: Link | Value | None
) -> Notice:  # fmt: skip
    data = {
        "group": dict(subject.data),
        "issue": None
        if issue is None
        else {"key": facts.get("key"), "url": issue.url if isinstance(issue, Link) else None},
        **{name: facts.get(name) for name in ("tracker", "route", "rule", "reason")},
        **{name: facts[name] for name in ("release", "fixed_in", "occurrences", "answer", "cause") if name in facts},
    }
    links = [*([issue] if isinstance(issue, Link) else []), *subject.links]
    return Notice(
        event=event, label=label, headline=subject.title, document=tuple(document), links=links, data=data,
        thread=subject.thread,
    )  # fmt: skip


def lines(block: Block) -> Iterator[tuple[Span, ...]]:
    """The block as lines of spans, for markups without tables: each row is a line, and its numbers have their names."""
    match block:
        case Heading(text):
            yield (Strong(text),)
        case Paragraph(spans) | Panel(spans):
            yield spans
        case Code(rows, more):
            yield from ((Value(row),) for row in rows)
            if more:
                yield (f"… {counted(more, 'more frame')}",)
        case Table(header, rows, more):
            for row in rows:
                cells = [span for name, cell in zip(header[1:], row[1:], strict=True) for span in _cell(name, cell)]
                yield ("• ", row[0], *cells)
            if more:
                yield (f"… and {more:,} more",)
        case Details(_, blocks):
            for inner in blocks:
                yield from lines(inner)


def _cell(name: str, cell: Span) -> tuple[Span, ...]:
    if cell == "" or (isinstance(cell, Value) and not cell.text):
        return ()
    if isinstance(cell, Link) or not name:
        return (" · ", cell)
    if isinstance(cell, str) and not cell[:1].isdigit():
        return (" · ", cell)
    return (f" · {name.lower()} ", cell)
