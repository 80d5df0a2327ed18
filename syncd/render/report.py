"""What issues say about a crash group: the title and body they are created with, and the status comment."""

import re
from collections.abc import Iterable, Iterator

from syncd.model import Group, Release
from syncd.render.document import Block, Code, Document, Heading, Link, Paragraph, Span, Table, Value
from syncd.render.text import one_line, safe_url, utc

_LONGEST_TITLE = 240  # GitHub takes 256 characters, Jira 255
_LONGEST_APPLICATION = 60
_MOST_FRAMES = 60
_MOST_RELEASES = 30

# What stands on top of stacks of every kind, and says nothing about the crash.
_NOISE = re.compile(
    r"""
    _*(?:GI_+)?(?:
        abort | raise | gsignal | (?:pthread_|tg)?kill\w*
      | libc_message\w* | fortify_fail\w* | stack_chk_fail\w* | assert_(?:fail|rtn)\w*
      | mem(?:cpy|move|set)\w*
      | (?:libc_|int_)?(?:malloc|calloc|realloc|free) | malloc_(?:printerr|consolidate)
      | operator[ ](?:new|delete)(?:\[\])?
      | std::_*terminate | cxxabiv1::\w+ | gnu_cxx::_*verbose_terminate_handler | cxa_(?:re)?throw
      | rust_(?:panic|begin_unwind)\w* | (?:core|std)::panicking::.+ | core::(?:option|result)::\w+_failed
      | runtime\.(?:gopanic|sigpanic|throw|fatal\w*|panic\w*)
      | (?:Cxx|Raise|RaiseFailFast)(?:Throw)?Exception
      | sigtramp | restore_rt | <signal[ ]handler[ ]called>
      | \?+ | 0x[0-9a-fA-F]+
    )
    """,
    re.VERBOSE,
)
_MODULE_OR_ARGUMENTS = re.compile(r"\A[^!(]*!|(?<=.)\(.*|\+0x[0-9a-fA-F]+\Z")


def title(group: Group) -> str:
    """One line of at most 240 code points that tells this crash from others."""
    application = _base_name(group.application or "")
    if frame := _top_frame(group.callstack):
        where = f" ({application})" if application else ""
        return f"Crash in {one_line(frame, _LONGEST_TITLE - len('Crash in ') - len(where))}{where}"
    place = application or one_line(group.identity.project, _LONGEST_APPLICATION)
    return f"Crash in {place}, group {one_line(group.identity.fingerprint, 12)}"


def _base_name(path: str) -> str:
    return one_line(re.split(r"[/\\]", path.rstrip("/\\"))[-1], _LONGEST_APPLICATION, otherwise="")


def _top_frame(callstack: Iterable[str]) -> str:
    frames = [line for frame in callstack if (line := one_line(frame, _LONGEST_TITLE, otherwise=""))]
    meaningful = (frame for frame in frames if not _NOISE.fullmatch(_MODULE_OR_ARGUMENTS.sub("", frame).strip()))
    return next(meaningful, frames[0] if frames else "")


def body(group: Group, link_hosts: Iterable[str]) -> Document:
    """What an issue is created with. `link_hosts` are the patterns of hosts that may be linked to."""
    url = safe_url(group.group_url or "", link_hosts)
    return (
        Heading("What crashed"),
        Table(("Fact", "Value"), tuple(_facts(group, linked=url is not None))),
        *_link(url),
        Heading("How much when filed"),
        Table(("Count", "When filed"), tuple(_counts(group))),
        Heading("Call stack"),
        _callstack(group),
        Heading("Releases when filed"),
        _ledger(group),
        Paragraph(
            (
                "This text is yours to edit: syncd wrote it once and never changes it again. "
                "It keeps the current numbers in one comment on this issue.",
            )
        ),
    )


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


def status(group: Group) -> Document:
    """What the status comment says: the current numbers, and nothing that time alone would change."""
    return (
        Heading("So far"),
        Paragraph((_sentence(group),)),
        Paragraph((f"First seen {utc(group.first_seen)}, last seen {utc(group.last_seen)}.",)),
        _ledger(group, shares=True),
    )


def _sentence(group: Group) -> str:
    """Seen at least 12,345 times on 321 machines by 120 users."""
    times = _counted(group.occurrences, "time", approximate=group.approximate)
    machines = f" on {_counted(group.hosts, 'machine')}" if group.hosts else ""
    users = f" by {_counted(group.users, 'user')}" if group.users else ""
    return f"Seen {times}{machines}{users}." if group.occurrences else "How often is not known."


def _counted(count: int, noun: str, *, approximate: bool = False) -> str:
    return f"{_count(count, approximate=approximate)} {noun}{'' if count == 1 else 's'}"
