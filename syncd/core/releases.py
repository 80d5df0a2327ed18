"""The order of releases, whatever their names look like. Pure.

Every name belongs to one family: the version numbers of one product, its calendar versions, dates, or a family of its own. Within
a family the order is total; names of different families are not comparable. Sources: SemVer 2.0.0, section 11 (pre-releases, build metadata);
PEP 440 (a, b, rc, post, dev); git-describe(1) (commits since a tag).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

_SPOKEN = re.compile(r"(?:version|release|rel|ver|v)[ ._/-]?(?=[0-9])", re.IGNORECASE)
_NIGHTLY = re.compile(r"(?:nightly|daily|snapshot|canary)[ ._-]?", re.IGNORECASE)
_DATE = re.compile(r"((?:19|20)[0-9]{2})([-_/]?)(0[1-9]|1[0-2])\2(0[1-9]|[12][0-9]|3[01])")
_NUMBERED = re.compile(r"([A-Za-z][A-Za-z ._]{0,40}[-_ /.])?([0-9]+(?:\.[0-9]+)*)(.*)", re.DOTALL)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_BUILD = re.compile(r"(?:\+[0-9A-Za-z.-]+|\s*\([^()]{0,80}\))+\Z")
_DESCRIBED = re.compile(r"-([0-9]+)-g[0-9a-f]{4,40}(?:-dirty)?\Z")
_PYTHON = re.compile(
    r"(?:[._-]?(a|b|c|rc|alpha|beta|pre|preview)[._-]?([0-9]*))?"
    r"(?:[._-]?(post|rev)[._-]?([0-9]*))?"
    r"(?:[._-]?(dev)[._-]?([0-9]*))?\Z",
    re.IGNORECASE,
)
_PRERELEASE = re.compile(r"-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)\Z")
_SPELLINGS = {"a": "alpha", "b": "beta", "c": "rc", "pre": "rc", "preview": "rc"}

_DATED = "date"

# For equal numbers, in this order: pre-releases, the release itself, later builds.
_BEFORE, _ITSELF, _AFTER = 0, 1, 2

Number = tuple[int, str]  # the count of digits and the digits: int() takes no more than 4,300 of them


class Order(StrEnum):
    """The order of one release relative to another."""

    OLDER = "older"
    SAME = "same"
    NEWER = "newer"
    INCOMPARABLE = "incomparable"


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A release's family, its numbers without trailing zeros, and a sortable value for the rest of its name."""

    family: str
    core: tuple[Number, ...]
    behind: tuple[object, ...] = (_ITSELF,)


def compare(release: str, reference: str) -> Order:
    """The order of `release` relative to `reference`."""
    left, right = _parsed(release), _parsed(reference)
    if left.family != right.family:
        return Order.INCOMPARABLE
    before, after = (left.core, left.behind), (right.core, right.behind)
    if before == after:
        return Order.SAME
    return Order.NEWER if before > after else Order.OLDER


def newest(releases: Iterable[str]) -> tuple[str, ...]:
    """The maximal releases: no other one is newer. There are several if they are equal or not comparable."""
    parsed = {release: _parsed(release) for release in releases}
    best: dict[str, tuple[object, ...]] = {}
    for name in parsed.values():
        best[name.family] = max(best.get(name.family, ()), (name.core, name.behind))
    return tuple(release for release, name in parsed.items() if (name.core, name.behind) == best[name.family])


def ordered(releases: Iterable[str]) -> list[str]:
    """The releases for people: one family after the other, the newest first in each."""
    by_name = sorted(set(releases))
    by_age = sorted(by_name, key=lambda release: (_parsed(release).core, _parsed(release).behind), reverse=True)
    return sorted(by_age, key=lambda release: _parsed(release).family)


def same_line(left: str, right: str) -> bool:
    """True if both releases belong to one maintenance line: all numbers but the last are equal, at most the first two.

    2.3.1 and 2.3.7 are of one line, 2.4.0 is not; 145.1.87.42 and 145.1.90.7 are of one line.
    """
    family = _parsed(left).family
    # All dated releases are one line.
    return family == _parsed(right).family and (family == _DATED or _line(left) == _line(right))


def _line(release: str) -> tuple[Number, ...]:
    numbered = _NUMBERED.match(_bare(release))
    core = [] if numbered is None else [_number(part) for part in numbered[2].split(".")]
    return _trimmed(core[: min(2, max(1, len(core) - 1))])


def _bare(release: str) -> str:
    """The release without a prefix such as "version" before its number."""
    text = release.strip()
    return _SPOKEN.sub("", text, 1) if _SPOKEN.match(text) else text


@lru_cache(maxsize=4096)
def _parsed(release: str) -> _Parsed:
    text = _bare(release)
    nightly = _NIGHTLY.sub("", text, 1) if _NIGHTLY.match(text) else text
    if date := _DATE.fullmatch(nightly):
        return _Parsed(_DATED, tuple(_number(part) for part in (date[1], date[3], date[4])))
    numbered = _NUMBERED.fullmatch(text)
    behind = None if numbered is None else _behind(_BUILD.sub("", numbered[3]))
    if numbered is None or behind is None:
        return _Parsed(f"text {release.strip()}", ())
    name, parts = (numbered[1] or "").strip(" -_./").casefold(), numbered[2].split(".")
    kind = "calendar" if len(parts) > 1 and _YEAR.fullmatch(parts[0]) else "version"
    return _Parsed(f"{kind} {name}", _trimmed([_number(part) for part in parts]), behind)


def _number(digits: str) -> Number:
    bare = digits.lstrip("0")
    return len(bare), bare


def _trimmed(numbers: Iterable[Number]) -> tuple[Number, ...]:
    """The numbers without trailing zeros: 1.2 equals 1.2.0."""
    core = list(numbers)
    while core and not core[-1][0]:
        core.pop()
    return tuple(core)


def _behind(rest: str) -> tuple[object, ...] | None:
    """A sortable value for the text after the numbers; None if its meaning is unclear."""
    rest = rest.rstrip()
    if not rest:
        return (_ITSELF,)
    if described := _DESCRIBED.fullmatch(rest):
        return (_AFTER, _number(described[1]))
    python = _PYTHON.fullmatch(rest)
    if python is None:
        prerelease = _PRERELEASE.fullmatch(rest)
        return prerelease and (_BEFORE, tuple(map(_identifier, prerelease[1].split("."))))
    word, number, post, post_number, dev, dev_number = python.groups()
    # A dev release comes before its release, and a post release after it.
    last = (0, _number(dev_number or "0")) if dev else (1, _number("0"))
    after = (1, _number(post_number or "0")) if post else (0, _number("0"))
    if word:
        spelled = _SPELLINGS.get(word.lower(), word.lower())
        return (_BEFORE, (_identifier(spelled), _identifier(number or "0"), after, last))
    if post:
        return (_AFTER, _number(post_number or "0"), last)
    return (_BEFORE, ((-1, (0, "")), last))


def _identifier(part: str) -> tuple[int, Number | tuple[int, str]]:
    """A sortable value: numbers before texts, numbers by value, texts by their letters."""
    if part.isascii() and part.isdigit():
        return 0, _number(part)
    return 1, (0, part)
