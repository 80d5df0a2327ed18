"""The lines below a file's title by which people say how its issue stands, and we read it. Pure.

- Status: closed (won't fix)
- Fixed in: 2.4.0, 2.3.5
- Labels: crash, syncd:ignore
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from syncd.render import markdown
from syncd.render.text import one_line

_LINE = re.compile(
    r"\s*(?:[-*+]\s+)?\**(status|resolution|fixed in|closed|labels|duplicate of)\**\s*:\**[ \t]*(.*?)\s*", re.IGNORECASE
)
_CLOSED = re.compile(r"(closed|done|resolved|fixed)\b\s*(?:\((.*)\))?.*", re.IGNORECASE | re.DOTALL)
_LONGEST_HEAD = 50  # lines
_LONGEST_VALUE = 200


@dataclass(frozen=True, slots=True)
class Head:
    """What the lines say. `closed_at` is None where nobody wrote it down."""

    closed: bool = False
    resolution: str = ""
    closed_at: float | None = None
    fixed_in: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    duplicate_of: str = ""


def lines(labels: Sequence[str], assignee: str | None, components: Sequence[str]) -> str:
    """The head of a new file."""
    facts = [
        ("Labels", ", ".join(map(_shown, labels))),
        ("Assignee", "" if assignee is None else _shown(assignee)),
        ("Component", ", ".join(map(_shown, components))),
    ]
    return "\n".join(["- Status: open", *(f"- {name}: {value}" for name, value in facts if value)])


def _shown(text: str) -> str:
    plain = one_line(text, _LONGEST_VALUE, otherwise="unknown").replace(",", " ")
    # A label may be made of what came with a crash.
    return plain if re.fullmatch(r"[\w .:/-]+", plain) else markdown.literal(plain)


def read(content: bytes) -> Head:
    """What the head of a file says; an open issue where it has none."""
    said = {name: value for _, name, value in reversed(list(_facts(content)))}
    status = _CLOSED.fullmatch(said.get("status", ""))
    return Head(
        closed=status is not None,
        resolution="" if status is None else said.get("resolution") or (status[2] or "").strip() or "done",
        closed_at=None if status is None else _moment(said.get("closed", "")),
        fixed_in=tuple(_listed(said.get("fixed in", ""))),
        labels=tuple(sorted(_listed(said.get("labels", "")))),
        duplicate_of=said.get("duplicate of", "").strip("`[]() "),
    )


def _facts(content: bytes) -> Iterator[tuple[int, str, str]]:
    """Number of the line, name, and value of each fact, up to the first heading below the title."""
    for number, line in enumerate(content.splitlines()[:_LONGEST_HEAD]):
        text = line.decode("utf-8", "replace").lstrip("\ufeff")
        if number and text.startswith("#"):
            return
        found = _LINE.fullmatch(text)
        if found and number:
            yield number, found[1].lower(), found[2]


def _listed(text: str) -> Iterator[str]:
    return (part for one in text.split(",") if (part := one.strip().strip("`").strip()))


def _moment(text: str) -> float | None:
    try:
        then = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return (then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp()


def with_status(content: bytes, status: str) -> bytes | None:
    """The content with another status, all else byte for byte as it was; None where it has no such line."""
    for number, name, value in _facts(content):
        if name == "status":
            rows = content.splitlines(keepends=True)
            row = rows[number]
            start = row.rindex(value.encode()) if value else len(row.rstrip())
            ending = row[len(row.rstrip()) :]
            rows[number] = row[:start].rstrip(b" \t") + b" " + status.encode() + ending
            return b"".join(rows)
    return None
