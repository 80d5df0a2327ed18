"""Markdown that GitLab takes for text only. Pure. Quick actions: docs.gitlab.com, "GitLab quick actions"."""

import re

_FENCE = re.compile(r"`{3,}")
_ACTION = re.compile(r"\s*/(?=[A-Za-z])")


def inert(text: str) -> str:
    """Markdown without quick actions: GitLab carries out a line that begins with `/close`, and with the rights of the token.

    It leaves out code blocks; older servers recognise only those whose fence has three backticks, and longer ones stand around crash text
    with backticks of its own.
    """
    lines, fence = [], ""
    for line in text.split("\n"):
        opening = _FENCE.match(line)
        begins = opening is not None and not fence
        ends = opening is not None and line == fence
        if _ACTION.match(line) and not fence:
            line = line.replace("/", "\\/", 1)
        elif _ACTION.match(line) and len(fence) > 3:
            line = f"\u200b{line}"
        fence = opening[0] if opening is not None and begins else "" if ends else fence
        lines.append(line)
    return "\n".join(lines)
