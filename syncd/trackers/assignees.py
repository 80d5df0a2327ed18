"""The names of the people to whom an issue is assigned. Pure."""

from collections.abc import Iterable

from syncd.core.scrub import Scrubber
from syncd.render.text import one_line

MOST = 10  # people of an issue; GitHub takes no more
_LONGEST = 100  # characters of a name
WITHHELD = "name withheld"


def owners(people: Iterable[Iterable[object]]) -> tuple[str, ...]:
    """One name for each person, the first of the person's names that can be shown. A name that has an e-mail address or other private data is not
    kept: the issue is assigned then, to WITHHELD."""
    names = (next(filter(None, map(_name, candidates)), WITHHELD) for candidates in people)
    return tuple(dict.fromkeys(names))[:MOST]


def _name(candidate: object) -> str:
    if not isinstance(candidate, str):
        return ""
    name = one_line(candidate, _LONGEST, otherwise="")
    return "" if Scrubber().text(candidate[: 4 * _LONGEST]) != candidate[: 4 * _LONGEST] else name
