"""The lines by which syncd recognises its issues and comments in Markdown: HTML comments, which nobody sees."""

import re
from collections.abc import Iterator

from syncd.render.markdown import carries

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
