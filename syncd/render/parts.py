"""The blocks of the texts about a crash group, by the names that templates give them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from syncd.core import frames, polls, titles
from syncd.core.fold import OTHER_RELEASES
from syncd.core.overview import by_day, first_row, latest_growth, newest_alone
from syncd.core.quantities import DAY, bars, bounded, counted, day
from syncd.core.redact import LONGEST_LINE, MOST_FRAMES
from syncd.model import Group, Place, Release
from syncd.render.stack import stack
from syncd.render.text import (
    Block,
    Details,
    Heading,
    Link,
    Panel,
    Paragraph,
    Span,
    Strong,
    Table,
    Value,
    one_line,
    safe_url,
    shorten,
    utc,
)

_LONGEST_APPLICATION = 60
_JUDGED = 240  # characters of a frame; without a visible one among them it names nothing
_ERROR_TYPE = "error.type"  # the attribute with the kind of report: Crash, Hang, OOMException
_MOST_RELEASES = 30
_KINDS = ("Crash", "Hang", "Out of memory", "Stack overflow", "Assertion")
_MOST_NAMED = 3  # classifiers or new releases
_LONGEST_NAME = 120
_LONGEST_REPORTED = 300  # characters of what a source reports, in the first line of an issue
_LONGEST_RELEASE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportExtras:
    """The facts of a text that are not in the group.

    `link_hosts` may be linked to, `console` is the address of the group's page, `previous` is the group's issue before this one, `alike` are
    issues of groups that look alike, `note` is a remark for the status comment. `more_frames` counts those below the group's. `named` is
    the culprit, scrubbed, and `ranks` has the rank of each frame; without ranks both are found by the built-in lists. `route` filed the
    issue, and `closing` says what its rules do when the issue is closed.
    """

    link_hosts: Sequence[str] = ()
    console: str = ""
    previous: Place | None = None
    alike: Sequence[Place] = ()
    note: str = ""
    more_frames: int = 0
    named: titles.Culprit | None = None
    ranks: Sequence[titles.Rank] | None = None
    route: str = ""
    closing: tuple[Span, ...] = ()

    def culprit(self, group: Group) -> titles.Culprit | None:
        """The function to name."""
        return culprit(group) if self.ranks is None else self.named


NO_EXTRAS = ReportExtras()


def culprit(group: Group, rules: titles.Rules = titles.DEFAULT) -> titles.Culprit | None:
    """The function that the title of the group names by the rules; frames without a visible character name nothing."""
    visible = [frame for frame in group.callstack if one_line(frame[:_JUDGED], _JUDGED, otherwise="")]
    return titles.culprit(visible, group.application, rules)


def application(group: Group) -> str:
    """The file name of the application, or empty."""
    base_name = re.split(r"[/\\]", (group.application or "").rstrip("/\\"))[-1]
    return one_line(base_name, _LONGEST_APPLICATION, otherwise="")


def first_line(group: Group, limit: int) -> str:
    """The first line of what a source besides Backtrace reports, which is a title; empty without one."""
    return one_line((group.message or "").partition("\n")[0], limit, otherwise="")


def kind(group: Group, named: titles.Culprit | None) -> str:
    """The kind of crash, as a title has it."""
    exception = titles.exception(group.callstack[0]) if group.callstack else None
    return titles.kind(group.classifiers, dict(group.attributes).get(_ERROR_TYPE, ()), named, exception)


def parts(group: Group, extras: ReportExtras) -> dict[str, tuple[Block, ...]]:
    """The blocks of a body or a status comment, by the names that docs/templates.md lists."""
    url = safe_url(group.group_url or "", extras.link_hosts)
    facts = {
        "Fingerprint": group.identity.fingerprint,
        "Application": group.application,
        "Project": group.identity.project,
        "Universe": group.identity.universe,
        "Classifiers": ", ".join(group.classifiers),
        "Latest crash object": group.object_id,
        "Group URL": group.group_url if url is None else None,
        "Route": extras.route,
    }
    table = Table(("Fact", "Value"), tuple((name, Value(fact)) for name, fact in facts.items() if fact))
    counts = (
        ("Occurrences", _occurrences(group)),
        ("Machines", count(group.hosts)),
        ("Users", count(group.users)),
        ("First seen", utc(group.first_seen)),
        ("Last seen", utc(group.last_seen)),
    )
    callstack, related = _callstack(group, extras), list[Block]()
    if extras.previous is not None:
        link = Link(extras.previous.key, extras.previous.url)
        related.append(Panel(("This crash came back. Its previous issue: ", link, "."), kind="note"))
    for place in extras.alike:
        reason = ": that group has the same application and the same top frames. syncd merges nothing by itself."
        spans = ("Possible duplicate of ", Link(place.key, place.url), reason)
        related.append(Panel(spans, kind="warning"))
    return {
        "headline": tuple(_headline(group, extras)),
        "links": tuple(sentence(_further_links(group, extras))),
        "message": tuple(_message(group)),
        "source": tuple(_source_state(group)),
        "related": tuple(related),
        "facts": (table,),
        "identifiers": (Details("Identifiers", (table,)),),
        "link": (Paragraph((Link(_where(url), url),)),) if url else (),
        "counts": (Table(("Count", "When filed"), counts),),
        "callstack": callstack,
        "stack": callstack[:1],
        "frames": callstack[1:],
        "attributes": tuple(_attributes(group)),
        "releases": (_ledger(group, shares=False),),
        "shares": (_ledger(group, shares=True),),
        "summary": tuple(_summary(group)),
        "trend": tuple(_trend(group)),
        # A note names releases, and the sender chooses their names.
        "note": (Panel(("Note: ", Value(extras.note)), kind="note"),) if extras.note else (),
    }


Sentence = Iterable[Sequence[Span]]


def sentence(phrases: Sentence) -> Iterator[Block]:
    """The phrases as one paragraph; none if there are none."""
    spans = [span for phrase in phrases for span in (" · ", *phrase)][1:]
    if spans:
        yield Paragraph(tuple(spans))


def _message(group: Group) -> Iterator[Block]:
    """What a source besides Backtrace reports, behind its first line, which is the title."""
    for line in (group.message or "").split("\n")[1:]:
        if text := one_line(line, LONGEST_LINE, otherwise=""):
            yield Paragraph((Value(text),))


def _source_state(group: Group) -> Iterator[Block]:
    state = group.source_state
    if state is not None and state.name != "open":
        yield Paragraph((f"Its source reports it as {state.name} since {utc(int(state.at))}.",))


def _headline(group: Group, extras: ReportExtras) -> Iterator[Block]:
    """The first line of an issue, and of the mails about it: the function, the kind of crash, the people and the number, since when, the newest
    release, the way there."""
    named = extras.culprit(group)
    what, phrases = kind(group, named), list[tuple[Span, ...]]()
    trusted = what in _KINDS and (what != "Crash" or not group.classifiers)
    named_by = what if what != "Crash" else ", ".join(group.classifiers[:_MOST_NAMED])
    if named is not None:
        phrases.append((Value(shorten(named.name, _LONGEST_NAME)),))
    else:
        reported = first_line(group, _LONGEST_REPORTED)
        phrases.append((Value(reported),) if reported else ("No function to name",))
    if group.message is None or group.classifiers:
        phrases.append((what if trusted else Value(shorten(named_by, _LONGEST_NAME)),))
    phrases += _numbers(group)
    first = first_row(group)
    is_dated = first is not None and (first.first_seen or first.noticed_at) is not None
    if first is not None and is_dated and first.release != OTHER_RELEASES:
        when = f" ({day(group.first_seen)})" if group.first_seen is not None else ""
        phrases.append(("since ", Value(shorten(first.release, _LONGEST_RELEASE)), when))
    elif group.first_seen is not None:
        phrases.append((f"since {day(group.first_seen)}",))
    if (newest := newest_alone(group)) is not None:
        share = percentage(newest.occurrences, _total(group))
        is_rough = (group.approximate or newest.approximate) and share[0].isdigit()
        release = Value(shorten(newest.release, _LONGEST_RELEASE))
        phrases.append((f"{'about ' if is_rough else ''}{share} in ", release, ", its newest release"))
    yield from sentence([*phrases, *links(group, extras)[:1]])


def _numbers(group: Group) -> Iterator[tuple[Span, ...]]:
    """Users, and occurrences on machines, as far as they are known."""
    if group.users:
        yield (Strong(counted(group.users, "user")),)
    if group.occurrences:
        machines = f" on {counted(group.hosts, 'machine')}" if group.hosts else ""
        yield (f"{_times(group)}{machines}",)


def links(group: Group, extras: ReportExtras) -> list[tuple[Span, ...]]:
    """The group in the crash reporter and in syncd's console."""
    url = safe_url(group.group_url or "", extras.link_hosts)
    links = [Link(_where(url), url)] if url else []
    links += [Link("Open in syncd", extras.console)] if extras.console else []
    return [(link,) for link in links]


def _further_links(group: Group, extras: ReportExtras) -> Iterator[tuple[Span, ...]]:
    if group.object_id:
        # No address of an object is documented, and the notification has none.
        yield "Latest crash object ", Value(group.object_id)
    yield from links(group, extras)[1:]


def _where(url: str) -> str:
    host = url.split("/")[2].partition(":")[0]
    return "Open in Backtrace" if host.endswith(".backtrace.io") else "Open this crash group"


def _callstack(group: Group, extras: ReportExtras) -> tuple[Block, ...]:
    if not group.callstack:
        return (Paragraph(("This group has no call stack.",)),)
    ranks = titles.ranks(group.callstack, group.application) if extras.ranks is None else extras.ranks
    more = len(group.callstack[MOST_FRAMES:]) + extras.more_frames
    return stack(group.callstack[:MOST_FRAMES], ranks[:MOST_FRAMES], more)


def _attributes(group: Group) -> Iterator[Block]:
    """The most frequent values, with the counts of the notification that named them."""
    rows = []
    for place, (name, values) in enumerate(group.attributes):
        counts = group.attribute_counts[place] if place < len(group.attribute_counts) else ()
        pairs = zip_longest(values, counts[: len(values)])
        texts = (value if number is None else f"{value} ({number:,})" for value, number in pairs)
        # The sender chooses the names of attributes.
        rows.append((Value(name), Value(", ".join(texts))))
    if rows:
        yield Heading("Attributes")
        yield Table(("Attribute", "Most frequent values"), tuple(rows))


def _trend(group: Group) -> Iterator[Block]:
    """The occurrences of the last seven days as bars; none for a crash of one day."""
    since, counts = by_day(group)
    if len(counts) > 1:
        about = "about " if group.approximate else ""
        days = f"{day(since)} to {day(since + (len(counts) - 1) * DAY)}"
        peak = max(counts)
        yield Paragraph((Value(bars(counts, empty="·")), f" received by day, {days}; the largest has {about}{peak:,}"))


def _ledger(group: Group, *, shares: bool) -> Block:
    """One row for each release, the latest seen first."""
    if not group.releases:
        return Paragraph(("No release is known.",))
    rows = sorted(group.releases, key=lambda row: (-(row.last_seen or 0), row.release))
    total = _total(group)

    def cells(row: Release) -> Iterator[Span]:
        yield Value(row.release)
        yield _occurrences(row)
        if shares:
            yield percentage(row.occurrences, total)
        yield utc(row.first_seen)
        yield utc(row.last_seen)

    header = ("Release", "Occurrences", *(("Share",) if shares else ()), "First seen", "Last seen")
    return Table(header, tuple(tuple(cells(row)) for row in rows[:_MOST_RELEASES]), more=len(rows[_MOST_RELEASES:]))


def _total(group: Group) -> int:
    # Occurrences without a release count too: the ledger's sum may be less than the total.
    return max(group.occurrences, sum(row.occurrences for row in group.releases))


def count(number: int | None) -> str:
    """A count that a sender may have left out."""
    # Every group was seen at least once: a count of zero means that the sender gave none.
    return f"{number:,}" if number else "not known"


def _occurrences(entry: Group | Release) -> str:
    return bounded(entry.occurrences, entry.approximate, entry.at_most) if entry.occurrences else "not known"


def _times(group: Group) -> str:
    return f"{_occurrences(group)} {'time' if group.occurrences == 1 and group.at_most is None else 'times'}"


def percentage(part: int, total: int) -> str:
    """12%; under 1% and over 99% where a rounded number would be false."""
    percent = round(100 * part / total) if total else 0
    if part and percent == 0:
        return "under 1%"
    if percent == 100 and part < total:
        return "over 99%"
    return f"{percent}%"


def _summary(group: Group) -> Iterator[Block]:
    growth, phrases = latest_growth(group), list[tuple[Span, ...]]()
    if growth is not None and growth.occurrences:
        about = "about " if group.approximate else ""
        phrases.append((Strong(f"{about}{growth.occurrences:,} more"), f" since {utc(growth.since)}"))
    for release in growth.releases[:_MOST_NAMED] if growth is not None else ():
        phrases.append(("new in ", Value(shorten(release, _LONGEST_RELEASE))))
    yield from sentence(phrases)
    machines = f" on {counted(group.hosts, 'machine')}" if group.hosts else ""
    users = f" by {counted(group.users, 'user')}" if group.users else ""
    total = (
        f"Seen {_times(group)}{machines}{users}." if group.occurrences else "The number of occurrences is not known."
    )
    yield Paragraph((total,))
    yield Paragraph((f"First seen {utc(group.first_seen)}, last seen {utc(group.last_seen)}.",))
    if group.triage in (polls.RESOLVED, polls.MUTED):
        yield Paragraph((f"In Backtrace it is {group.triage}.",))
    if group.aliases:
        count = counted(len(group.aliases), "more fingerprint")
        yield Paragraph((f"These numbers include {count}: ", Value(", ".join(group.aliases))))
    if frames.merged(group.identity.fingerprint):
        yield Paragraph(("The fingerprint belongs to groups that were merged in Backtrace.",))
