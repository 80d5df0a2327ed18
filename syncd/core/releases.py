"""The order of releases, whatever their names look like. Pure.

Every name belongs to one family: the version numbers of one product, its dates, its changelists and other bare integers, or a family of
its own. Releases of different families are not comparable. Within a family, numbers and stages decide: a pre-release comes before its
release, a rebuild, a patch and a letter after it, a platform and a channel nowhere. Builds decide last, and only where both releases name one.

So the order without builds is a total preorder of each family. Builds refine it: `5.1 (1250)` is newer than `5.1 (1234)`, and both rank
the same as `5.1`. "Older" and "newer" are transitive; "same" is not, if one of the three names no build.

Sources: SemVer 2.0.0, section 11; PEP 440; deb-version(7); Maven's ComparableVersion; git-describe(1).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import lru_cache
from itertools import chain

# Each pattern starts at the beginning of a run of digits or letters and reads it once, so the time is linear in the length of a name. No group
# is repeated possessively: before 3.11.5 and 3.12 Python leaves such a repeat behind what it read of a turn that did not match (gh-106052).
_DATE = re.compile(
    r"(?P<front>[^0-9]*)(?P<year>(?:19|20)[0-9]{2})(?:"
    r"(?P<separator>[-_/]?)(?P<month>0[1-9]|1[0-2])(?P=separator)(?P<day>0[1-9]|[12][0-9]|3[01])"
    r"(?:[-_ t]?(?P<time>(?:[01][0-9]|2[0-3]):?[0-5][0-9](?::?[0-5][0-9])?))?"
    r"|[-/](?P<only_month>0[1-9]|1[0-2]))(?![0-9])(?P<rest>.*)",
    re.DOTALL,
)
_NUMBERS = re.compile(r"(?:([0-9]++)[:!](?=[0-9]))?([0-9]++(?:\.[0-9]++)*)")
_DOTTED = re.compile(r"(?<![0-9])()([0-9]++(?:\.[0-9]++)+)")
_WORD = re.compile(r"[^\W0-9_]++")
_LETTER_WORD = re.compile(r"z?[^\W0-9_]")  # OpenSSL's 1.0.2z was followed by 1.0.2za
_ITEM = re.compile(
    r"(?<![\W_])(?P<separator>[\W_]*+)(?:(?P<word>[^\W0-9_]++)(?:[ ._-]?(?P<own>[0-9]++(?:\.[0-9]++)*))?|(?P<number>[0-9]++(?:\.[0-9]++)*))"
)

# What says nothing about the order: commits, and what a release was built for.
_COMMIT = re.compile(
    r"(?<![^\W_])(?:g|git|sha)?(?=[0-9]*+[A-Fa-f])(?=[A-Fa-f]*+[0-9])(?:[0-9a-f]{7,40}|[0-9A-F]{7,40})(?![^\W_])",
    re.ASCII,
)
_HASH = re.compile(r"(?=[0-9]*+[A-Fa-f])(?:[0-9a-f]{6,40}|[0-9A-F]{6,40})")
_PLATFORM = re.compile(
    r"(?<![^\W_])(?:x86[_-]64|x(?:86|64|32)|i[3-6]86|(?:win|windows|uwp|mac|macos|osx|ios|ipados|tvos|visionos|android|linux|amd|arm|aarch"
    r"|ps|playstation|xbox|xboxone|switch|steam|epic|gog|web|webgl|wasm|el|fc|jre|jdk|universal)(?:[0-9]*| [0-9]{1,2}))(?![^\W_])"
)
_TIED = frozenset([
    "release", "rel", "final", "stable", "ga", "gold", "lts", "esr", "prod", "production", "staging", "live", "public", "retail", "shipping",
    "debug", "dirty", "dist", "official", "service", "version", "v",
])  # fmt: skip

# Git's own description of a commit, and Go's of one without a tag.
_DESCRIBED = re.compile(r"-([0-9]++)-g[0-9a-f]{4,40}(?![^\W_])")
_PSEUDO = re.compile(r"-(?:0\.)?([0-9]{14})-[0-9a-f]{12}\Z")
_ATTACHED = re.compile(r"\(([0-9]++)\)(?=[0-9a-z])")
# 2024b-1 is a rebuild of 2024b, 1.0b1 and 1.0-b-1 are betas. Two separators keep a number from the word before it.
_WORDED = re.compile(r"([a-z])-(?=[0-9])")
_LETTERED = re.compile(r"(?:\A|(?<=[0-9]))([a-z])[-_](?=[0-9])")

# 17+35 is build 35 of the release 17. Q1 2026 is spelled 2026-q1 as well. "2.4 and 2.5" is no release; v2_4_1 is 2.4.1.
_ADDED = re.compile(r"\+[0-9]")
_QUARTER = re.compile(r"([a-z])([0-9]{1,2})[ /-]((?:19|20)[0-9]{2})")
_UNDERSCORED = re.compile(r"(?<![0-9])[0-9]{1,3}(?:_[0-9]++)+(?![^\W_])")
_LIST = re.compile(r"\.[0-9]++ ?(?:[&,;/]|and|or) ?v?[0-9]++\.[0-9]")

# Words before the numbers that name no product.
_UNNAMED = frozenset([
    "v", "ver", "version", "rel", "release", "releases", "tag", "tags", "refs", "heads", "milestone", "hotfix", "build",
    "stable", "final",
])  # fmt: skip
_UNDATED = _UNNAMED | frozenset(["nightly", "daily", "snapshot", "canary"])
_VERSION_WORDS = frozenset(("v", "ver", "version"))
_BUILD_WORDS = frozenset(["build", "bld", "b", "no", "cl", "changelist"])
_UNTYPED_BUILDS = frozenset(["build", "bld", "b", "no"])

# Words of pre-releases. They rank by the letters of their canonical form, as SemVer wants it; only "dev" comes before all, as PEP 440 wants it.
_DEV, _SNAPSHOT = "", "snapshot"
_PRERELEASES = {
    **dict.fromkeys(("dev", "devel", "develop", "development"), _DEV),
    **dict.fromkeys(("a", "alpha"), "alpha"),
    **dict.fromkeys(("b", "beta"), "beta"),
    **dict.fromkeys(("m", "milestone"), "milestone"),
    **dict.fromkeys(("pre", "preview", "prerelease", "tp", "ctp"), "preview"),
    **dict.fromkeys(("c", "rc", "cr", "candidate"), "rc"),
    **dict.fromkeys(("ea", "earlyaccess"), "ea"),
    **{word: word for word in ("canary", "cbt", "daily", "eap", "edge", "experimental", "insider", "insiders")},
    **{
        word: word
        for word in ("next", "nightly", "obt", "playtest", "poc", "prototype", _SNAPSHOT, "trunk", "unstable", "wip")
    },
}
# Words of later builds. A rebuild and a number without a word are the same.
_REBUILD = ""
_LATER = {
    **dict.fromkeys(("post", "rev", "revision", "r", "nb", "commits", "respin", "repack"), _REBUILD),
    **dict.fromkeys(("hotfix", "hf", "fix"), "hotfix"),
    **dict.fromkeys(("patch", "pl", "p"), "patch"),
    **dict.fromkeys(("sp", "pack"), "sp"),
    **dict.fromkeys(("update", "u"), "update"),
    **{word: word for word in ("cu", "dfsg", "security", "sr")},
}

# A larger first number is a changelist, a date without separators or a counter; a larger number without a second is no major version.
MAX_VERSION_DIGITS, MAX_MAJOR_DIGITS = 5, 3
MAX_LETTER_DIGITS = 2  # b1234 is a build, b12 a beta

_BEFORE, _ITSELF, _AFTER = 0, 1, 2
_NUMBER, _LETTER, _TEXT = 0, 1, 2

Number = tuple[int, str]  # the count of digits and the digits: int() takes no more than 4,300 of them
Stage = tuple[int, str, tuple[Number, ...]]  # before or after, the canonical word, its numbers
Build = tuple[int, Number]  # a number, a letter or a text, with its length


class Order(StrEnum):
    """The order of one release relative to another."""

    OLDER = "older"
    SAME = "same"
    NEWER = "newer"
    INCOMPARABLE = "incomparable"


class Kinship(IntEnum):
    """The numbers that two releases share: none of them, the first, those of one maintenance line, or all."""

    NONE = 0
    MAJOR = 1
    LINE = 2
    NUMBERS = 3


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A release's family, its maintenance line, a sortable value for its numbers and stages, and its builds."""

    family: tuple[str, str]  # the kind of numbers, and the name of the product
    line: tuple[Number, ...] = ()
    rank: tuple[tuple[Number, ...], tuple[object, ...]] = ((), ())
    builds: tuple[Build, ...] = ()
    numbers: tuple[Number, ...] = ()


def compare(release: str, reference: str, *, named: bool = True) -> Order:
    """The order of `release` relative to `reference`.

    Equal numbers and stages are the same if not both releases name a build. If `named` is false, a product's name counts only if both
    releases have one: people call the fix `iOS 5.1`, and the application reports 5.1. Such an order is not transitive.
    """
    left, right = _parsed(release), _parsed(reference)
    if left.family != right.family and (named or not _alike(left, right)):
        return Order.INCOMPARABLE
    if left.rank != right.rank:
        return Order.NEWER if left.rank > right.rank else Order.OLDER
    if not left.builds or not right.builds or left.builds == right.builds:
        return Order.SAME
    for own, counterpart in zip(left.builds, right.builds, strict=False):
        if own != counterpart:
            if own[0] != counterpart[0] or own[0] == _TEXT:
                return Order.SAME  # builds of different kinds
            return Order.NEWER if own > counterpart else Order.OLDER
    return Order.NEWER if len(left.builds) > len(right.builds) else Order.OLDER


def newest(releases: Iterable[str]) -> tuple[str, ...]:
    """The maximal releases: no other one is newer. There are several if they are equal or not comparable."""
    names = tuple(dict.fromkeys(releases))
    best: dict[tuple[str, str], list[str]] = {}
    # Older is transitive, so a release that is not maximal is older than a maximal one of its family, which this order visits before it.
    for name in sorted(names, key=_sortable, reverse=True):
        maximal = best.setdefault(_parsed(name).family, [])
        if not any(compare(name, release) is Order.OLDER for release in maximal):
            maximal.append(name)
    chosen = frozenset(chain.from_iterable(best.values()))
    return tuple(name for name in names if name in chosen)


def ordered(releases: Iterable[str]) -> list[str]:
    """The releases for people: one family after the other, the newest first in each."""
    by_age = sorted(sorted(set(releases)), key=_sortable, reverse=True)
    return sorted(by_age, key=lambda release: _parsed(release).family)


def kinship(left: str, right: str, *, named: bool = True) -> Kinship:
    """The numbers that both releases share.

    In one maintenance line, all numbers but the last are equal, at most the first two: 2.3.1 and 2.3.7 are of one line, 2.4.0 is not;
    145.1.87.42 and 145.1.90.7 are of one line. All dated releases are one line. A short name is its line: 2.3 and 2.3.7 are of one.
    `named` as in `compare`.
    """
    first, second = _parsed(left), _parsed(right)
    if first.family != second.family and (named or not _alike(first, second)):
        return Kinship.NONE
    if first.rank[0] == second.rank[0]:
        return Kinship.NUMBERS
    if first.line == second.line:
        return Kinship.LINE
    if first.line[:1] != second.line[:1] or first.numbers[:1] != second.numbers[:1]:
        return Kinship.NONE
    shared = min(len(first.numbers), len(second.numbers))
    is_short = first.family[0] == "version" and first.numbers[:shared] == second.numbers[:shared]
    return Kinship.LINE if is_short else Kinship.MAJOR


def is_final(release: str) -> bool:
    """True if the release names numbers, and neither a stage nor a build."""
    parsed = _parsed(release)
    return bool(parsed.numbers) and parsed.rank[1] == _rank(()) and not parsed.builds


def leaps(releases: Iterable[str], references: Iterable[str]) -> frozenset[str]:
    """Those of the releases whose first number is more than one above that of every reference of its family, such as 999.9.9 above 2.5.

    Changelists and other bare integers rise as they like, and what no reference is comparable with leaps nowhere.
    """
    highest: dict[tuple[str, str], int] = {}
    for reference in references:
        parsed = _parsed(reference)
        if parsed.family[0] not in ("integer", "text"):
            first = _first(parsed)
            highest[parsed.family] = max(first, highest.get(parsed.family, first))
    return frozenset(
        release
        for release in releases
        if (parsed := _parsed(release)).family in highest and _first(parsed) > highest[parsed.family] + 1
    )


def _first(parsed: _Parsed) -> int:
    return int("0" + parsed.numbers[0][1])  # zero has no digits


def _alike(left: _Parsed, right: _Parsed) -> bool:
    """True if the numbers are of one kind and at most one of the releases names a product."""
    return left.family[0] == right.family[0] != "text" and "" in (left.family[1], right.family[1])


def _sortable(release: str) -> tuple[object, ...]:
    """A value that sorts the releases of a family as `compare` orders them."""
    parsed = _parsed(release)
    return parsed.rank, parsed.builds


@lru_cache(maxsize=4096)
def _parsed(release: str) -> _Parsed:
    spelled = " ".join(release.split())
    alone = _Parsed(("text", spelled))
    if not spelled.isprintable() or any(letter.isdigit() and not letter.isascii() for letter in spelled):
        return alone
    if date := _DATE.fullmatch(spelled.casefold()):
        return _dated(date)
    if _HASH.fullmatch(spelled) or _LIST.search(spelled.casefold()):
        return alone
    text = _COMMIT.sub("", _PSEUDO.sub(r"-dev.\1", _DESCRIBED.sub(r" commits \1", spelled))).casefold()
    if quarter := _QUARTER.fullmatch(text):
        text = quarter.expand(r"\3-\1\2")
    if not _DOTTED.search(text):
        text = _UNDERSCORED.sub(lambda number: number[0].replace("_", "."), text)
    return _numbered(text) or alone


def _numbered(text: str) -> _Parsed | None:
    """A release with a number, in small letters and without commits; None if the text has no number."""
    first = _NUMBERS.search(text)
    if first is None:
        return None
    match = first if "." in first[2] else _DOTTED.search(text, first.end()) or first
    stages, builds = _stages(text[match.end() :])
    if match is not first and set(_WORD.findall(text[: first.start()])) <= _VERSION_WORDS:
        # In ue5+release-5.3 the release is 5.3, and in 12 beta 2.1 it is 12.
        early = _stages(text[first.end() :])
        match, (stages, builds) = (first, early) if _early(early[0]) else (match, (stages, builds))
    epoch, numbers = _number(match[1] or ""), [_number(part) for part in match[2].split(".")]
    front = _WORD.findall(text[: match.start()])
    name = [word for word in front if word not in _UNNAMED]
    if len(numbers) == 1:
        # A word with a number behind an integer makes another kind: 23w45a, 2026-Q1.
        shape = [word for order, word, own in stages[:1] if order == _AFTER and own and word not in _LATER.values()]
        major = (
            bool(match[1])
            or not _VERSION_WORDS.isdisjoint(front[-1:])
            or _early(stages)
            or _ADDED.match(text, match.end())
        )
        kind = "version" if major and not shape and numbers[0][0] <= MAX_MAJOR_DIGITS else "integer"
        name += shape
    else:
        kind = "version" if numbers[0][0] <= MAX_VERSION_DIGITS else "integer"
        name = [word for word in name if word != "r"]
    line = (epoch, *_trimmed(numbers[: min(2, max(1, len(numbers) - 1))]))
    rank = (epoch, *_trimmed(numbers)), _rank(stages)
    return _Parsed((kind, " ".join(name)), line, rank, builds, tuple(numbers))


def _dated(date: re.Match[str]) -> _Parsed:
    """A release whose numbers begin with a year and a month."""
    name = " ".join(word for word in _WORD.findall(date["front"]) if word not in _UNDATED)
    stages, builds = _stages(_COMMIT.sub("", date["rest"]))
    if date["time"]:
        stages = ((_AFTER, "time", (_number(date["time"].replace(":", "").ljust(6, "0")),)), *stages)
    kind, parts = ("date", ("year", "month", "day")) if date["day"] else ("month", ("year", "only_month"))
    core = tuple(_number(date[part]) for part in parts)
    return _Parsed((kind, name), (), (core, _rank(stages)), builds, core)


def _stages(rest: str) -> tuple[tuple[Stage, ...], tuple[Build, ...]]:
    """The stages and the builds that the text after the numbers names."""
    stages: list[Stage] = []
    builds: list[Build] = []
    building = False
    # deb-version(7): 2.4+git20240105-1 comes after 2.4-1, while SemVer's 2.4.0+46 is a build of 2.4.0.
    added, revision = rest.partition("+")[2], rest.rpartition("-")[2]
    debian = added[:1].isalpha() and "-" in added and revision[:1].isdigit()
    named = _ATTACHED.sub(r"-\1-", _PLATFORM.sub("", rest))
    for item in _ITEM.finditer((_WORDED if debian else _LETTERED).sub(r"\1--", named)):
        separator, word, digits = item["separator"], item["word"] or "", item["own"] or item["number"] or ""
        numbers = tuple(_number(part) for part in digits.split(".")) if digits else ()
        if word in _TIED:
            word = ""
        if not word and not numbers:
            continue
        stage = _stage(word, numbers, separator, stages)
        if debian and "+" in separator and "~" not in separator:
            stage = (_AFTER, word, _trimmed(numbers))
        bracketed = not {"(", "[", "#"}.isdisjoint(separator) and (len(word) < 2 or stage is None)
        metadata = "+" in separator and "~" not in separator and not debian and not _revised(stages)
        building = building or bracketed or metadata or (word in _BUILD_WORDS and stage is None)
        if building or stage is None or (not word and builds and "~" not in separator):
            if word and (builds or word not in _UNTYPED_BUILDS):
                builds.append((_LETTER if len(word) == 1 else _TEXT, (len(word), word)))
            builds += [(_NUMBER, number) for number in numbers]
        else:
            stages.append(stage)
    return tuple(stages), tuple(builds)


def _stage(word: str, numbers: tuple[Number, ...], separator: str, earlier: Sequence[Stage]) -> Stage | None:
    """Whether a word and its numbers come before or after the release without them; None if they say nothing of it."""
    last = earlier[-1][0] if earlier else _ITSELF
    canonical, own = _PRERELEASES.get(word), _trimmed(numbers)
    if canonical is not None and len(word) == 1 and (not numbers or last == _AFTER):
        canonical = None
    if canonical is not None and len(word) == 1 and numbers[0][0] > MAX_LETTER_DIGITS:
        return None
    if "~" in separator:
        return _BEFORE, word if canonical is None else canonical, own
    if canonical is not None:
        # SemVer: alpha.1 comes before alpha.beta. PEP 440 and Maven: a1.dev2 and beta-1-SNAPSHOT come before a1 and beta-1.
        return (_AFTER if last == _BEFORE and canonical not in (_DEV, _SNAPSHOT) else _BEFORE), canonical, own
    if not word or (word in _LATER and (numbers or len(word) > 1)):
        return _AFTER, _LATER.get(word, _REBUILD), own
    letter = _LETTER_WORD.fullmatch(word)
    if (numbers and (letter or not separator or _revised(earlier))) or (letter and not separator):
        return _AFTER, word, own
    return None


def _rank(stages: Sequence[Stage]) -> tuple[object, ...]:
    """The stages as a sortable value: alpha, alpha.1, alpha.beta, the release itself, its first rebuild."""
    parts: list[object] = []
    for order, word, numbers in stages:
        if order == _BEFORE and numbers:
            # A pre-release and its number are two parts, since a number comes before a second word.
            parts += [(order, word, ()), (_AFTER, "", numbers)]
        else:
            parts.append((order, word, numbers))
    return (*parts, (_ITSELF,))


def _early(stages: Sequence[Stage]) -> bool:
    """True if the text behind the numbers begins with the word of a pre-release."""
    return bool(stages) and stages[0][0] == _BEFORE


def _revised(stages: Sequence[Stage]) -> bool:
    """True if a rebuild is named, such as a Debian revision. What follows belongs to its number and is no build."""
    return any(order == _AFTER and word == _REBUILD for order, word, _ in stages)


def _number(digits: str) -> Number:
    bare = digits.lstrip("0")
    return len(bare), bare


def _trimmed(numbers: Iterable[Number]) -> tuple[Number, ...]:
    """The numbers without trailing zeros: 1.2 equals 1.2.0."""
    core = list(numbers)
    while core and not core[-1][0]:
        core.pop()
    return tuple(core)
