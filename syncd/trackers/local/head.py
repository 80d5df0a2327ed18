"""The lines below a file's title that hold the state of its issue. Pure.

- Status: closed (won't fix)
- Fixed in: 2.4.0, 2.3.5
- Labels: crash, syncd:ignore
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from syncd.render import markdown
from syncd.render.text import one_line

_LINE = re.compile(
    r"\s*(?:[-*+]\s+)?\**(status|resolution|fixed in|closed|labels|assignee|component|duplicate of)\**\s*:\**[ \t]*(.*?)\s*",
    re.IGNORECASE,
)
_CLOSED = re.compile(r"(closed|done|resolved|fixed)\b\s*(?:\((.*)\))?.*", re.IGNORECASE | re.DOTALL)
_LONGEST_HEAD = 50  # lines
_LONGEST_VALUE = 200


@dataclass(frozen=True, slots=True)
class Head:
    """The values of the lines. `closed_at` is None without such a line."""

    closed: bool = False
    resolution: str = ""
    closed_at: float | None = None
    fixed_in: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    duplicate_of: str = ""
    assignee: str = ""
    components: tuple[str, ...] = ()


def lines(labels: Sequence[str], assignee: str | None, components: Sequence[str]) -> str:
    """The head of a new file."""
    facts = [
        ("Labels", ", ".join(map(_value, labels))),
        ("Assignee", "" if assignee is None else _value(assignee)),
        ("Component", ", ".join(map(_value, components))),
    ]
    return "\n".join(["- Status: open", *(f"- {name}: {value}" for name, value in facts if value)])


def _value(text: str) -> str:
    plain = one_line(text, _LONGEST_VALUE, otherwise="unknown").replace(",", " ")
    # A label can contain text of a crash.
    return plain if re.fullmatch(r"[\w .:/-]+", plain) else markdown.literal(plain)


def read(content: bytes) -> Head:
    """The head of a file; an open issue where the file has none."""
    values = {name: value for _, name, value in reversed(list(_facts(content)))}
    status = _CLOSED.fullmatch(values.get("status", ""))
    closed_at = None
    if status is not None:
        with suppress(ValueError):
            then = datetime.fromisoformat(values.get("closed", "").strip())
            closed_at = (then if then.tzinfo else then.replace(tzinfo=UTC)).timestamp()
    return Head(
        closed=status is not None,
        resolution="" if status is None else values.get("resolution") or (status[2] or "").strip() or "done",
        closed_at=closed_at,
        fixed_in=tuple(_listed(values.get("fixed in", ""))),
        labels=tuple(sorted(_listed(values.get("labels", "")))),
        duplicate_of=values.get("duplicate of", "").strip("`[]() "),
        assignee=next(_listed(values.get("assignee", "")), ""),
        components=tuple(_listed(values.get("component", ""))),
    )


def _facts(content: bytes) -> Iterator[tuple[int, str, str]]:
    """(line number, name, value) of each fact, up to the first heading below the title."""
    for number, line in enumerate(content.splitlines()[:_LONGEST_HEAD]):
        text = line.decode("utf-8", "replace").lstrip("\ufeff")
        if number and text.startswith("#"):
            return
        match = _LINE.fullmatch(text)
        if match and number:
            yield number, match[1].lower(), match[2]


def _listed(text: str) -> Iterator[str]:
    return (part for item in text.split(",") if (part := item.strip().strip("`").strip()))


def with_more(content: bytes, labels: Sequence[str], assignee: str | None, components: Sequence[str]) -> bytes | None:
    """The content with these values added to its lines, and no other byte changed; None where it has no status line, below which a new line
    belongs."""
    head = read(content)
    more = {
        "labels": [each for each in labels if each not in head.labels],
        "assignee": () if assignee is None or head.assignee else (assignee,),
        "component": [each for each in components if each not in head.components],
    }
    rows = content.splitlines(keepends=True)
    places = {name: number for number, name, _ in reversed(list(_facts(content)))}
    if "status" not in places:
        return None
    added = []
    for name, values in more.items():
        text = ", ".join(map(_value, values)).encode()
        if text and name in places:
            row = rows[places[name]]
            ending = row[len(row.rstrip()) :]
            joint = b" " if row.rstrip().endswith(b":") else b", "
            rows[places[name]] = row.rstrip() + joint + text + ending
        elif text:
            added.append(b"- %b: %b\n" % (name.capitalize().encode(), text))
    if added and not rows[places["status"]].endswith((b"\n", b"\r")):
        rows[places["status"]] += b"\n"
    rows[places["status"] + 1 : places["status"] + 1] = added
    return b"".join(rows)


def with_status(content: bytes, status: str) -> bytes | None:
    """The content with another status and no other byte changed; None where it has no status line."""
    for number, name, value in _facts(content):
        if name == "status":
            rows = content.splitlines(keepends=True)
            row = rows[number]
            start = row.rindex(value.encode()) if value else len(row.rstrip())
            ending = row[len(row.rstrip()) :]
            rows[number] = row[:start].rstrip(b" \t") + b" " + status.encode() + ending
            return b"".join(rows)
    return None
