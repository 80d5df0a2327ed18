"""The default texts of an issue about a crash group: title, body, status comment, and further comments."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from syncd.core import frames, titles
from syncd.core.quantities import bounded, counted, duration
from syncd.core.redact import MOST_FRAMES
from syncd.model import Announcement, Group, GroupKind, Occasion, Place, Release, Storm
from syncd.render.text import (
    Block,
    Code,
    Document,
    Heading,
    Link,
    Panel,
    Paragraph,
    Span,
    Table,
    Value,
    one_line,
    safe_url,
    utc,
)

_LONGEST_TITLE = 240  # GitHub takes 256 characters, Jira 255
_LONGEST_APPLICATION = 60
_JUDGED = 240  # characters of a frame; without a visible one among them it names nothing
_ERROR_TYPE = "error.type"  # the attribute with the kind of report: Crash, Hang, OOMException
_MOST_RELEASES = 30
_EDITABLE = Panel(
    (
        "This text is yours to edit: syncd wrote it once and never changes it again. "
        "It keeps the current numbers in one comment on this issue.",
    )
)
_STORM_ENDS = Panel(
    (
        "syncd files these groups as soon as the limit allows, those with the most users first, and closes this issue when no "
        "group is held back any more. The current numbers are in one comment on this issue.",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportExtras:
    """The facts of a text that are not in the group.

    `link_hosts` may be linked to, `previous` is the group's issue before this one, `alike` are issues of groups that look alike,
    `note` is a remark for the status comment. `more_frames` counts those below the group's, and `top_frame` is the function that
    the title names, which may be one of these.
    """

    link_hosts: Sequence[str] = ()
    previous: Place | None = None
    alike: Sequence[Place] = ()
    note: str = ""
    more_frames: int = 0
    top_frame: str | None = None


def culprit(group: Group, rules: titles.Rules = titles.DEFAULT) -> titles.Culprit | None:
    """The function that the title of the group names by the rules; frames without a visible character name nothing."""
    visible = [frame for frame in group.callstack if one_line(frame[:_JUDGED], _JUDGED, otherwise="")]
    return titles.culprit(visible, group.application, rules)


def title(group: Group, rules: titles.Rules = titles.DEFAULT) -> str:
    """One line that distinguishes the crash: its kind, the function that the rules choose, and the application."""
    return headline(group, culprit(group, rules))


def headline(group: Group, named: titles.Culprit | None) -> str:
    """The title of a group whose culprit is `named`."""
    if group.kind is GroupKind.STORM:
        return f"Crash storm: groups held back by route {one_line(group.identity.project, _LONGEST_APPLICATION)}"
    base_name = re.split(r"[/\\]", (group.application or "").rstrip("/\\"))[-1]
    application = one_line(base_name, _LONGEST_APPLICATION, otherwise="")
    exception = titles.exception(group.callstack[0]) if group.callstack else None
    kind = titles.kind(group.classifiers, dict(group.attributes).get(_ERROR_TYPE, ()), named, exception)
    if named is not None:
        return one_line(titles.sentence(kind, named, application), _LONGEST_TITLE)
    place = application or one_line(group.identity.project, _LONGEST_APPLICATION)
    return f"{kind} in {place}, group {one_line(group.identity.fingerprint, 12)}"


def body(group: Group, extras: ReportExtras) -> Document:
    """The body of a new issue. syncd writes it once, so it names counts "when filed"."""
    if group.storm is not None:
        return (*_storm(group, group.storm), _STORM_ENDS)
    blocks = parts(group, extras)
    return (
        *blocks["related"],
        Heading("What crashed"),
        *blocks["facts"],
        *blocks["link"],
        Heading("Counts when filed"),
        *blocks["counts"],
        Heading("Call stack"),
        *blocks["callstack"],
        *blocks["attributes"],
        Heading("Releases when filed"),
        *blocks["releases"],
        _EDITABLE,
    )


def status(group: Group, extras: ReportExtras) -> Document:
    """The status comment: the current numbers. It has nothing that changes with time alone."""
    if group.storm is not None:
        return tuple(_storm(group, group.storm))
    blocks = parts(group, extras)
    return (Heading("So far"), *blocks["summary"], *blocks["note"], *blocks["shares"])


def announcement(announcement: Announcement) -> Document:
    """A further comment, which notifies the people who follow the issue."""
    facts = announcement.facts
    match announcement.occasion:
        case Occasion.RELEASE:
            return (Paragraph(("Seen for the first time in ", Value(str(facts["release"])), ".")),)
        case Occasion.MILESTONE:
            return (Paragraph((f"Seen at least {int(facts['milestone']):,} times by now.",)),)
        case Occasion.QUIET:
            return (Paragraph((f"Not seen since {utc(int(facts['since']))}. The crash may be gone.",)),)
        case Occasion.UNCLEAR:
            unclear = (Value(str(facts["reason"])), ". The issue stays closed.")
            return (Heading("It still crashes"), Paragraph(unclear))
        case Occasion.REGRESSION:
            new = counted(int(facts["occurrences"]), "new occurrence")
            release, fixed_in = str(facts["release"]), str(facts["fixed_in"])
            where: tuple[Span, ...] = (" in ", Value(release)) if release else ()
            fix: tuple[Span, ...] = (" as fixed in ", Value(fixed_in)) if fixed_in else ()
            regression = Paragraph(
                ("This crash came back", *where, f": {new} since this issue was closed", *fix, "."),
            )
            if refused := facts.get("refused"):
                return (
                    Heading("A regression"),
                    regression,
                    Paragraph(("The issue stays closed: ", Value(str(refused)), ".")),
                )
            if facts.get("answer") != "comment":
                return (Heading("A regression"), regression)
            closed = "The issue stays closed: its route is configured to comment on a regression, not to reopen."
            return (Heading("A regression"), regression, Paragraph((closed,)))


def parts(group: Group, extras: ReportExtras) -> dict[str, tuple[Block, ...]]:
    """The blocks of a body or a status comment, by the names that docs/templates.md lists."""
    url = safe_url(group.group_url or "", extras.link_hosts)
    facts = {
        "Application": group.application,
        "Project": group.identity.project,
        "Universe": group.identity.universe,
        "Classifiers": ", ".join(group.classifiers),
        "Fingerprint": group.identity.fingerprint,
        "Latest crash object": group.object_id,
        "Group URL": group.group_url if url is None else None,
    }
    counts = (
        ("Occurrences", _occurrences(group)),
        ("Machines", _count(group.hosts)),
        ("Users", _count(group.users)),
        ("First seen", utc(group.first_seen)),
        ("Last seen", utc(group.last_seen)),
    )
    related: list[Block] = []
    if extras.previous is not None:
        link = Link(extras.previous.key, extras.previous.url)
        related.append(Panel(("This crash came back. Its previous issue: ", link, "."), kind="note"))
    for place in extras.alike:
        reason = ": that group has the same application and the same top frames. syncd merges nothing by itself."
        spans = ("Possible duplicate of ", Link(place.key, place.url), reason)
        related.append(Panel(spans, kind="warning"))
    no_stack = Paragraph(("This group has no call stack.",))
    # The sender chooses the names of attributes.
    attributes = tuple((Value(name), Value(", ".join(values))) for name, values in group.attributes)
    return {
        "related": tuple(related),
        "facts": (Table(("Fact", "Value"), tuple((name, Value(fact)) for name, fact in facts.items() if fact)),),
        "link": (Paragraph((Link("Open this group in Backtrace", url),)),) if url else (),
        "counts": (Table(("Count", "When filed"), counts),),
        "callstack": (
            (Code(group.callstack[:MOST_FRAMES], more=len(group.callstack[MOST_FRAMES:]) + extras.more_frames),)
            if group.callstack
            else (no_stack,)
        ),
        "attributes": (
            (Heading("Attributes"), Table(("Attribute", "Most frequent values"), attributes)) if attributes else ()
        ),
        "releases": (_ledger(group, shares=False),),
        "shares": (_ledger(group, shares=True),),
        "summary": tuple(_summary(group)),
        # A note names releases, and the sender chooses their names.
        "note": (Panel(("Note: ", Value(extras.note)), kind="note"),) if extras.note else (),
    }


def _ledger(group: Group, *, shares: bool) -> Block:
    """One row for each release, the latest seen first."""
    if not group.releases:
        return Paragraph(("No release is known.",))
    rows = sorted(group.releases, key=lambda row: (-(row.last_seen or 0), row.release))
    # Occurrences without a release count too: the ledger's sum may be less than the total.
    total = max(group.occurrences, sum(row.occurrences for row in rows))

    def cells(row: Release) -> Iterator[Span]:
        yield Value(row.release)
        yield _occurrences(row)
        if shares:
            yield _share(row.occurrences, total)
        yield utc(row.first_seen)
        yield utc(row.last_seen)

    header = ("Release", "Occurrences", *(("Share",) if shares else ()), "First seen", "Last seen")
    return Table(header, tuple(tuple(cells(row)) for row in rows[:_MOST_RELEASES]), more=len(rows[_MOST_RELEASES:]))


def _count(count: int | None) -> str:
    # Every group was seen at least once: a count of zero means that the sender gave none.
    return f"{count:,}" if count else "not known"


def _occurrences(entry: Group | Release) -> str:
    return bounded(entry.occurrences, entry.approximate, entry.at_most) if entry.occurrences else "not known"


def _share(part: int, total: int) -> str:
    percent = round(100 * part / total) if total else 0
    if part and percent == 0:
        return "under 1%"
    if percent == 100 and part < total:
        return "over 99%"
    return f"{percent}%"


def _summary(group: Group) -> Iterator[Block]:
    times = f"{_occurrences(group)} {'time' if (group.occurrences, group.approximate) == (1, False) else 'times'}"
    machines = f" on {counted(group.hosts, 'machine')}" if group.hosts else ""
    users = f" by {counted(group.users, 'user')}" if group.users else ""
    total = f"Seen {times}{machines}{users}." if group.occurrences else "The number of occurrences is not known."
    yield Paragraph((total,))
    yield Paragraph((f"First seen {utc(group.first_seen)}, last seen {utc(group.last_seen)}.",))
    if group.aliases:
        count = counted(len(group.aliases), "more fingerprint")
        yield Paragraph((f"These numbers include {count}: ", Value(", ".join(group.aliases))))
    if frames.merged(group.identity.fingerprint):
        yield Paragraph(("The fingerprint belongs to groups that were merged in Backtrace.",))


def _storm(group: Group, storm: Storm) -> Iterator[Block]:
    yield Heading("Crash storm")
    route = Value(group.identity.project)
    if storm.over:
        yield Paragraph(("The storm is over: route ", route, " holds back no group any more."))
    else:
        held = f"It holds back {counted(storm.held, 'group')} since {utc(storm.since)}."
        cap = f" ({storm.cap})" if storm.cap else ""
        yield Paragraph(("Route ", route, f" has more new groups than max_new_issues allows{cap}. {held}"))
        if storm.held and storm.ends_in:
            yield Paragraph((f"At this rate the last of them is filed in about {duration(storm.ends_in)}.",))
        for name, value, percent in storm.shares:
            yield Paragraph((f"{percent} % of the largest groups have in common the {name} ", Value(value), "."))
        command = Value("syncd file FINGERPRINT")
        listed, paused = Value("syncd groups --held"), Value(f"syncd pause --route {group.identity.project}")
        yield Paragraph((listed, " lists them; ", command, " files one now; ", paused, " stops the route."))
    if storm.largest:
        rows = tuple(
            (Value(name), Value(beginning), _count(users), _count(occurrences))
            for name, beginning, users, occurrences in storm.largest
        )
        yield Heading("Largest groups")
        yield Table(("Crash", "Fingerprint", "Users", "Occurrences"), rows, more=max(0, storm.held - len(rows)))
