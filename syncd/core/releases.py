"""The order of releases: of what they are really called, and only where it can be told. Pure.

Every text belongs to one family: the version numbers of one product, its calendar versions, dates, or nothing but itself. Within a
family the order is total; across families nothing is compared. Sources: SemVer 2.0.0, section 11 (pre-releases, build metadata);
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
_WORDS = {"a": "alpha", "b": "beta", "c": "rc", "pre": "rc", "preview": "rc"}

_DATED = "date"

# Of one core, in their order: what came before it, itself, what came after it.
_BEFORE, _ITSELF, _AFTER = 0, 1, 2

Number = tuple[int, str]  # as many digits, and which: of any length, where int() takes no more than 4,300


class Order(StrEnum):
    """How one release stands to another."""

    OLDER = "older"
    SAME = "same"
    NEWER = "newer"
    INCOMPARABLE = "incomparable"


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A release's family, its numbers without trailing zeros, and what stands behind them, as something that sorts."""

    family: str
    core: tuple[Number, ...]
    behind: tuple[object, ...] = (_ITSELF,)


def compare(one: str, other: str) -> Order:
    """How `one` stands to `other`."""
    left, right = _parsed(one), _parsed(other)
    if left.family != right.family:
        return Order.INCOMPARABLE
    before, after = (left.core, left.behind), (right.core, right.behind)
    if before == after:
        return Order.SAME
    return Order.NEWER if before > after else Order.OLDER


def newest(releases: Iterable[str]) -> tuple[str, ...]:
    """Those than which none of the others is newer: several where their forms cannot be compared, or they are equal."""
    some = tuple(dict.fromkeys(releases))
    best: dict[str, tuple[object, ...]] = {}
    for release in some:
        found = _parsed(release)
        best[found.family] = max(best.get(found.family, ()), (found.core, found.behind))
    return tuple(one for one in some if (_parsed(one).core, _parsed(one).behind) == best[_parsed(one).family])


def ordered(releases: Iterable[str]) -> list[str]:
    """For people: the newest first within each family, one family after the other."""
    by_name = sorted(set(releases))
    by_age = sorted(by_name, key=lambda release: (_parsed(release).core, _parsed(release).behind), reverse=True)
    return sorted(by_age, key=lambda release: _parsed(release).family)


def same_line(one: str, other: str) -> bool:
    """Whether both belong to one maintenance line: all numbers but the last are the same, at most the first two. 2.3.1 and 2.3.7 do,
    2.4.0 does not; 145.1.87.42 and 145.1.90.7 do."""
    left, right = _parsed(one), _parsed(other)
    # A nightly has no line but that of all nightlies.
    return left.family == right.family and (left.family == _DATED or _line(one) == _line(other))


def _line(release: str) -> tuple[Number, ...]:
    core = _numbers(release)
    return _trimmed(core[: min(2, max(1, len(core) - 1))])


def _numbers(release: str) -> list[Number]:
    found = _NUMBERED.match(_bare(release))
    return [] if found is None else [_number(part) for part in found[2].split(".")]


def _bare(release: str) -> str:
    """The release without what people say before a number."""
    text = release.strip()
    return _SPOKEN.sub("", text, 1) if _SPOKEN.match(text) else text


@lru_cache(maxsize=4096)
def _parsed(release: str) -> _Parsed:
    text = _bare(release)
    nightly = _NIGHTLY.sub("", text, 1) if _NIGHTLY.match(text) else text
    if date := _DATE.fullmatch(nightly):
        return _Parsed(_DATED, tuple(_number(part) for part in (date[1], date[3], date[4])))
    found = _NUMBERED.fullmatch(text)
    behind = None if found is None else _behind(_BUILD.sub("", found[3]))
    if found is None or behind is None:
        return _Parsed(f"text {release.strip()}", ())
    name, parts = (found[1] or "").strip(" -_./").casefold(), found[2].split(".")
    kind = "calendar" if len(parts) > 1 and _YEAR.fullmatch(parts[0]) else "version"
    return _Parsed(f"{kind} {name}", _trimmed([_number(part) for part in parts]), behind)


def _number(digits: str) -> Number:
    bare = digits.lstrip("0")
    return len(bare), bare


def _trimmed(numbers: Iterable[Number]) -> tuple[Number, ...]:
    """Without the zeros at the end: 1.2 is 1.2.0."""
    core = list(numbers)
    while core and not core[-1][0]:
        core.pop()
    return tuple(core)


def _behind(rest: str) -> tuple[object, ...] | None:
    """What stands behind the numbers, as something that sorts; None where nobody can tell what it means."""
    rest = rest.rstrip()
    if not rest:
        return (_ITSELF,)
    if found := _DESCRIBED.fullmatch(rest):
        return (_AFTER, _number(found[1]))
    if found := _PYTHON.fullmatch(rest):
        return _python(found)
    if found := _PRERELEASE.fullmatch(rest):
        return (_BEFORE, (*(_identifier(part) for part in found[1].split(".")),))
    return None


def _python(found: re.Match[str]) -> tuple[object, ...]:
    word, number, post, post_number, dev, dev_number = found.groups()
    # A dev release comes before what it leads to, and that before what comes after it.
    last = (0, _number(dev_number or "0")) if dev else (1, _number("0"))
    after = (1, _number(post_number or "0")) if post else (0, _number("0"))
    if word:
        spelled = _WORDS.get(word.lower(), word.lower())
        return (_BEFORE, (_identifier(spelled), _identifier(number or "0"), after, last))
    if post:
        return (_AFTER, _number(post_number or "0"), last)
    return (_BEFORE, ((-1, (0, "")), last))


def _identifier(part: str) -> tuple[int, Number | tuple[int, str]]:
    """Numbers before words, numbers by value, words by their letters."""
    if part.isascii() and part.isdigit():
        return 0, _number(part)
    return 1, (0, part)
