"""The default texts of an issue about a crash group: title, body, status comment, and further comments."""

from collections.abc import Iterator, Sequence

from syncd.core import titles
from syncd.core.quantities import counted, duration
from syncd.core.resolutions import means
from syncd.model import Announcement, Facts, Group, GroupKind, Occasion, Storm
from syncd.render.parts import (
    NO_EXTRAS,
    ReportExtras,
    application,
    count,
    culprit,
    first_line,
    kind,
    links,
    parts,
    sentence,
)
from syncd.render.text import (
    Block,
    Document,
    Heading,
    Panel,
    Paragraph,
    Span,
    Strong,
    Table,
    Value,
    one_line,
    utc,
)

_LONGEST_TITLE = 240  # GitHub takes 256 characters, Jira 255
_LONGEST_APPLICATION = 60
_EDITABLE: tuple[Span, ...] = (
    "This text is yours to edit: syncd wrote it once, with the numbers of that time, and never changes it again. "
    "It keeps the current numbers in one comment on this issue.",
)
_IN_PLACE = Paragraph(("syncd keeps these numbers current in this comment.",))
_STORM_ENDS = Panel(
    (
        "syncd files these groups as soon as the limit allows, those with the most users first, and closes this issue when no "
        "group is held back any more. The current numbers are in one comment on this issue.",
    )
)


def title(group: Group, rules: titles.Rules = titles.DEFAULT) -> str:
    """One line that distinguishes the crash: its kind, the function that the rules choose, and the application."""
    return headline(group, culprit(group, rules))


def headline(group: Group, named: titles.Culprit | None) -> str:
    """The title of a group whose culprit is `named`."""
    if group.kind is GroupKind.STORM:
        return f"Crash storm: groups held back by route {one_line(group.identity.project, _LONGEST_APPLICATION)}"
    if reported := first_line(group, _LONGEST_TITLE):
        return reported
    app, what = application(group), kind(group, named)
    if named is not None:
        return one_line(titles.sentence(what, named, app), _LONGEST_TITLE)
    place = app or one_line(group.identity.project, _LONGEST_APPLICATION)
    return f"{what} in {place}, group {one_line(group.identity.fingerprint, 12)}"


def body(group: Group, extras: ReportExtras) -> Document:
    """The body of a new issue, the most important first: notifications by mail begin with it. syncd writes it once."""
    if group.storm is not None:
        return (*_storm(group, group.storm, extras), _STORM_ENDS)
    blocks = parts(group, extras)
    return (
        *blocks["headline"],
        *blocks["links"],
        *blocks["related"],
        *blocks["message"],
        *((Heading("Stack"), *blocks["stack"]) if group.callstack or group.message is None else ()),
        *((Heading("Releases when filed"), *blocks["shares"]) if group.releases or group.message is None else ()),
        *blocks["trend"],
        *blocks["attributes"],
        Panel(_EDITABLE + extras.closing),
        *blocks["frames"],
        *blocks["identifiers"],
    )


def status(group: Group, extras: ReportExtras) -> Document:
    """The status comment: what changed, then the current numbers. It has nothing that changes with time alone."""
    if group.storm is not None:
        return tuple(_storm(group, group.storm, extras))
    blocks = parts(group, extras)
    shares = blocks["shares"] if group.releases or group.message is None else ()
    return (*blocks["summary"], *blocks["source"], *blocks["note"], *blocks["trend"], *shares, _IN_PLACE)


def announcement(announcement: Announcement, group: Group | None = None, extras: ReportExtras = NO_EXTRAS) -> Document:
    """A further comment, which notifies the people who follow the issue. `group` is what is true of the crash now."""
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
            return tuple(_regression(facts, group, extras))


def _regression(facts: Facts, group: Group | None, extras: ReportExtras) -> Iterator[Block]:
    """The release, how often, since the closing, and as fixed in; then how many users, since when, and links."""
    new, closed_at = counted(int(facts["occurrences"]), "new occurrence"), facts.get("closed_at")
    release, fixed_in = str(facts["release"]), str(facts["fixed_in"])
    where: tuple[Span, ...] = (" in ", Value(release)) if release else ()
    fix: tuple[Span, ...] = (" as fixed in ", Value(fixed_in)) if fixed_in else ()
    when = f" on {utc(int(closed_at))}" if closed_at else ""
    yield Paragraph((Strong("Came back"), *where, f": {new} since this issue was closed{when}", *fix, "."))
    if group is not None:
        row = next((row for row in group.releases if row.release == release), None)
        phrases: list[tuple[Span, ...]] = []
        if group.users:
            phrases.append((f"{counted(group.users, 'user')} so far",))
        if row is not None and row.first_seen is not None:
            phrases.append(("first seen in ", Value(release), f" {utc(row.first_seen)}"))
        if group.last_seen is not None:
            phrases.append((f"last seen {utc(group.last_seen)}",))
        phrases += links(group, extras)
        yield from sentence(phrases)
    if refused := facts.get("refused"):
        yield Paragraph(("The issue stays closed: ", Value(str(refused)), "."))
    elif facts.get("answer") == "comment":
        closed = "The issue stays closed: its route is configured to comment on a regression, not to reopen."
        yield Paragraph((closed,))


def closing(
    on_regression: str, reopen_window: float | None, wont_fix: Sequence[str], ignore_label: str
) -> tuple[Span, ...]:
    """What the rules of a route do when people close an issue, and how they mute it."""
    answer = {
        "reopen": "syncd reopens it",
        "comment": "syncd comments and leaves it closed",
        "new_issue": "syncd files another issue",
    }[on_regression]
    spans: list[Span] = [
        f" Close it when it is fixed: {answer} if the crash comes back in a release that should have the fix. That is the one in the fix version or "
        "milestone, or without one any that is newer than those at the closing."
    ]
    if on_regression == "reopen" and reopen_window is not None:
        spans.append(f" Later than {duration(reopen_window)} after the closing, syncd files another issue.")
    if all(means(resolution, "", tuple(wont_fix)) for resolution in ("not_planned", "won't do")):
        spans.append(" Closed as not planned or won't do, it stays closed.")
    if ignore_label:
        spans += [" The label ", Value(ignore_label), " keeps syncd from writing here; it goes on counting."]
    return tuple(spans)


def closing_unreleased(on_regression: str, unknown_release: str, ignore_label: str) -> tuple[Span, ...]:
    """The same, of an issue whose source names no release."""
    answer = {
        "reopen": "syncd reopens it",
        "comment": "syncd comments and leaves it closed",
        "new_issue": "syncd files another issue",
    }[on_regression]
    spans: list[Span] = [f" Close it when it is fixed: {answer} if it comes back."]
    if unknown_release != "regression":
        spans = [
            " Close it when it is fixed. It stays closed if it comes back, since its source names no release and the route has not ",
            Value('unknown_release = "regression"'),
            "; the new occurrences are counted here.",
        ]
    if ignore_label:
        spans += [" The label ", Value(ignore_label), " keeps syncd from writing here; it goes on counting."]
    return tuple(spans)


def _storm(group: Group, storm: Storm, extras: ReportExtras) -> Iterator[Block]:
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
        yield from sentence(links(group, extras))
    if storm.largest:
        rows = tuple(
            (Value(name), Value(beginning), count(users), count(occurrences))
            for name, beginning, users, occurrences in storm.largest
        )
        yield Heading("Largest groups")
        yield Table(("Crash", "Fingerprint", "Users", "Occurrences"), rows, more=max(0, storm.held - len(rows)))
