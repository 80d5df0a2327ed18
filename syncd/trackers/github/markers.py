"""The lines by which syncd recognises its issues and comments on GitHub: HTML comments, which nobody sees."""

import re
from collections.abc import Iterator

_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_ISSUE = re.compile(r"<!-- syncd:1:(\w+) -->")


def issue_line(marker: str) -> str:
    """The last line of the body of an issue."""
    return f"<!-- syncd:1:{marker} -->"


def comment_line(marker: str) -> str:
    """The last line of a comment."""
    return f"<!-- syncd:status:1:{marker} -->"


def issue_markers(body: str) -> Iterator[str]:
    """The markers of issues that a body carries, each once."""
    for marker in dict.fromkeys(_ISSUE.findall(body)):
        if carries(body, issue_line(marker)):
            yield marker


def names_marker(body: str) -> bool:
    """True if a body has a marker of any store anywhere."""
    return _ISSUE.search(body) is not None


def carries(body: str, line: str) -> bool:
    """True if `body` ends with `line`, or has it further up because people wrote below it. Inside a code block it does not count."""
    lines = [each.removesuffix("\r") for each in body.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    if lines and lines[-1] == line:
        return True
    fence = ""
    for each in lines:
        opening = _FENCE.match(each)
        if fence:
            if opening and opening[1].startswith(fence) and not each[opening.end() :].strip():
                fence = ""
        elif opening:
            fence = opening[1]
        elif each == line:
            return True
    return False
