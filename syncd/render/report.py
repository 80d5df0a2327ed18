"""What issues say about a crash group: the title and body they are created with, the status comment, and further comments."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from syncd.core import frames
from syncd.core.quantities import counted
from syncd.model import Announcement, Group, GroupKind, Occasion, Place, Release, Storm
from syncd.render.document import Block, Code, Document, Heading, Link, Panel, Paragraph, Span, Table, Value
from syncd.render.text import one_line, safe_url, utc

_LONGEST_TITLE = 240  # GitHub takes 256 characters, Jira 255
_LONGEST_APPLICATION = 60
_MOST_FRAMES = 60
_MOST_RELEASES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportExtras:
    """What an issue says beside its group: hosts that may be linked to, the group's issue before, issues that look alike, and a
    remark on how it stands."""

    link_hosts: Sequence[str] = ()
    previous: Place | None = None
    alike: Sequence[Place] = ()
    note: str = ""


def title(group: Group, skip: Sequence[str] = frames.DEFAULT_SKIP) -> str:
    """One line of at most 240 code points that tells this crash from others. `skip` are patterns of frames that say nothing."""
    if group.kind is GroupKind.STORM:
        return f"Crash storm: groups held back by route {one_line(group.identity.project, _LONGEST_APPLICATION)}"
    application = _base_name(group.application or "")
    visible = [line for frame in group.callstack if (line := one_line(frame, _LONGEST_TITLE, otherwise=""))]
    if frame := frames.meaningful(visible, skip):
        where = f" ({application})" if application else ""
        return f"Crash in {one_line(frame, _LONGEST_TITLE - len('Crash in ') - len(where))}{where}"
    place = application or one_line(group.identity.project, _LONGEST_APPLICATION)
    return f"Crash in {place}, group {one_line(group.identity.fingerprint, 12)}"


def _base_name(path: str) -> str:
    return one_line(re.split(r"[/\\]", path.rstrip("/\\"))[-1], _LONGEST_APPLICATION, otherwise="")


def body(group: Group, extras: ReportExtras) -> Document:
    """What an issue is created with."""
    if group.storm is not None:
        return (*_storm_words(group, group.storm), *_largest(group.storm), _CLOSES_ITSELF)
    blocks = parts(group, extras)
    return (
        *blocks["related"],
        Heading("What crashed"),
        *blocks["facts"],
        *blocks["link"],
        Heading("How much when filed"),
        *blocks["counts"],
        Heading("Call stack"),
        *blocks["callstack"],
        *blocks["attributes"],
        Heading("Releases when filed"),
        *blocks["releases"],
        Panel(
            (
                "This text is yours to edit: syncd wrote it once and never changes it again. "
                "It keeps the current numbers in one comment on this issue.",
            )
        ),
    )


def parts(group: Group, extras: ReportExtras) -> dict[str, tuple[Block, ...]]:
    """The blocks that a body or a status comment is made of, by the names that templates know them by."""
    url = safe_url(group.group_url or "", extras.link_hosts)
    attributes = tuple((name, Value(", ".join(values))) for name, values in group.attributes)
    return {
        "related": tuple(_related(extras)),
        "facts": (Table(("Fact", "Value"), tuple(_facts(group, linked=url is not None))),),
        "link": _link(url),
        "counts": (Table(("Count", "When filed"), tuple(_counts(group))),),
        "callstack": (_callstack(group),),
        "attributes": (
            (Heading("Where it was seen"), Table(("Attribute", "Commonest values"), _named(attributes)))
            if attributes
            else ()
        ),
        "releases": (_ledger(group),),
        "shares": (_ledger(group, shares=True),),
        "summary": tuple(_summary(group)),
        # It names releases, and those come with a crash.
        "note": (Panel(("How it stands: ", Value(extras.note)), kind="note"),) if extras.note else (),
    }


def _named(rows: Iterable[tuple[str, Span]]) -> tuple[tuple[Span, ...], ...]:
    # The name of an attribute is chosen by whoever sends it.
    return tuple((Value(name), value) for name, value in rows)


def _related(extras: ReportExtras) -> Iterator[Block]:
    if extras.previous is not None:
        earlier = Link(extras.previous.key, extras.previous.url)
        yield Panel(("This crash came back. Its issue before: ", earlier, "."), kind="note")
    for place in extras.alike:
        words = ": another group with the same application and top frames. Nothing is merged by itself."
        yield Panel(("Possible regroup of ", Link(place.key, place.url), words), kind="warning")


def _facts(group: Group, *, linked: bool) -> Iterator[tuple[Span, ...]]:
    facts = {
        "Application": group.application,
        "Project": group.identity.project,
        "Universe": group.identity.universe,
        "Classifiers": ", ".join(group.classifiers),
        "Fingerprint": group.identity.fingerprint,
        "Latest crash object": group.object_id,
        "Address of the group": None if linked else group.group_url,
    }
    return ((name, Value(fact)) for name, fact in facts.items() if fact)


def _link(url: str | None) -> tuple[Block, ...]:
    return (Paragraph((Link("Open this group in Backtrace", url),)),) if url else ()


_CLOSES_ITSELF = Panel(
    (
        "syncd lets these groups through by itself, those with the most users first, and closes this issue when none is held back any "
        "more. The current numbers are in one comment on this issue.",
    )
)


def _storm_words(group: Group, storm: Storm) -> Iterator[Block]:
    yield Heading("Crash storm")
    route = Value(group.identity.project)
    if storm.over:
        yield Paragraph(("The storm is over: no group of route ", route, " is held back any more."))
        return
    held = counted(storm.held, "group")
    yield Paragraph(
        ("Route ", route, f" has filed as many new issues as it may. {held} held back, since {utc(storm.since)}.")
    )


def _largest(storm: Storm) -> Iterator[Block]:
    if storm.largest:
        rows = tuple((Value(name), _count(users), _count(occurrences)) for name, users, occurrences in storm.largest)
        yield Heading("The largest")
        yield Table(("Crash", "Users", "Occurrences"), rows, more=max(0, storm.held - len(rows)))


def _counts(group: Group) -> Iterator[tuple[Span, ...]]:
    yield "Occurrences", _count(group.occurrences, approximate=group.approximate)
    yield "Machines", _count(group.hosts)
    yield "Users", _count(group.users)
    yield "First seen", utc(group.first_seen)
    yield "Last seen", utc(group.last_seen)


def _count(count: int | None, *, approximate: bool = False) -> str:
    # No group has been seen nowhere: nothing counted means that nobody said.
    return f"{'at least ' if approximate else ''}{count:,}" if count else "not known"


def _callstack(group: Group) -> Block:
    if not group.callstack:
        return Paragraph(("No call stack came with this group.",))
    return Code(group.callstack[:_MOST_FRAMES], more=len(group.callstack[_MOST_FRAMES:]))


def _ledger(group: Group, *, shares: bool = False) -> Block:
    """One row for each release, last seen first."""
    if not group.releases:
        return Paragraph(("No release is known.",))
    rows = sorted(group.releases, key=lambda row: (-(row.last_seen or 0), row.release))
    # Occurrences whose release nobody named count too: what the ledger has may be less than the whole.
    whole = max(group.occurrences, sum(row.occurrences for row in rows)) if shares else None
    header = ("Release", "Occurrences", *(("Share",) if shares else ()), "First seen", "Last seen")
    cells = tuple(tuple(_release(row, whole)) for row in rows[:_MOST_RELEASES])
    return Table(header, cells, more=len(rows[_MOST_RELEASES:]))


def _release(row: Release, whole: int | None) -> Iterator[Span]:
    yield Value(row.release)
    yield _count(row.occurrences, approximate=row.approximate)
    if whole is not None:
        yield _share(row.occurrences, whole)
    yield utc(row.first_seen)
    yield utc(row.last_seen)


def _share(part: int, whole: int) -> str:
    percent = round(100 * part / whole) if whole else 0
    if part and percent == 0:
        return "under 1%"
    if percent == 100 and part < whole:
        return "over 99%"
    return f"{percent}%"


def status(group: Group, extras: ReportExtras) -> Document:
    """What the status comment says: the current numbers, and nothing that time alone would change."""
    if group.storm is not None:
        return (*_storm_words(group, group.storm), *_largest(group.storm))
    blocks = parts(group, extras)
    return (Heading("So far"), *blocks["summary"], *blocks["note"], *blocks["shares"])


def _summary(group: Group) -> Iterator[Block]:
    yield Paragraph((_sentence(group),))
    yield Paragraph((f"First seen {utc(group.first_seen)}, last seen {utc(group.last_seen)}.",))
    if group.aliases:
        yield Paragraph(
            (
                f"With the occurrences of {counted(len(group.aliases), 'more fingerprint')}: ",
                Value(", ".join(group.aliases)),
            )
        )
    if frames.merged(group.identity.fingerprint):
        yield Paragraph(("Its fingerprint is that of groups which were merged in Backtrace.",))


def _sentence(group: Group) -> str:
    """Seen at least 12,345 times on 321 machines by 120 users."""
    times = _counted(group.occurrences, "time", approximate=group.approximate)
    machines = f" on {counted(group.hosts, 'machine')}" if group.hosts else ""
    users = f" by {counted(group.users, 'user')}" if group.users else ""
    return f"Seen {times}{machines}{users}." if group.occurrences else "How often is not known."


def _counted(count: int, noun: str, *, approximate: bool) -> str:
    return f"{'at least ' if approximate else ''}{counted(count, noun)}"


def announcement(owed: Announcement) -> Document:
    """What a further comment says: what people are to be told of on its occasion."""
    facts = owed.facts
    match owed.occasion:
        case Occasion.REGRESSION:
            return (Heading("A regression"), *_regression(owed))
        case Occasion.RELEASE:
            return (Paragraph(("Seen for the first time in ", Value(str(facts["release"])), ".")),)
        case Occasion.MILESTONE:
            return (Paragraph((f"Seen more than {int(facts['milestone']):,} times by now.",)),)
        case Occasion.QUIET:
            return (Paragraph((f"Not seen since {utc(int(facts['since']))}. It may be gone.",)),)


def _regression(owed: Announcement) -> Iterator[Block]:
    facts = owed.facts
    new = counted(int(facts["occurrences"]), "new occurrence")
    release, fixed_in = str(facts["release"]), str(facts["fixed_in"])
    where: tuple[Span, ...] = (" in ", Value(release)) if release else ()
    closed: tuple[Span, ...] = (" as fixed in ", Value(fixed_in)) if fixed_in else ()
    yield Paragraph(("This crash came back", *where, f": {new} since this issue was closed", *closed, "."))
    if facts.get("answer") == "comment":
        yield Paragraph(("It stays closed: syncd was told to say so and not to reopen.",))
