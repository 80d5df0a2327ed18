"""What a frame says about a crash, and the frame of a stack that a title names. Pure.

Each frame has a rank by the lists of `families` and those of a route. The first frame of the program's own is the culprit. Where none is,
the first of a library stands in, then one where the program waited, then `main`, then a prefix such as `memcpy`.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from itertools import islice

from syncd.core import frames, patterns
from syncd.core.titles.families import Family
from syncd.core.titles.families.apple import APPLE
from syncd.core.titles.families.chromium import CHROMIUM
from syncd.core.titles.families.cpp import CPP
from syncd.core.titles.families.dotnet import DOTNET
from syncd.core.titles.families.go import GO
from syncd.core.titles.families.godot import GODOT
from syncd.core.titles.families.jvm import JVM
from syncd.core.titles.families.native import NATIVE
from syncd.core.titles.families.qt import QT
from syncd.core.titles.families.rust import RUST
from syncd.core.titles.families.scripts import SCRIPTS
from syncd.core.titles.families.unreal import UNREAL
from syncd.core.titles.families.windows import WINDOWS
from syncd.core.titles.reading import LONGEST, Reading, bare_module, exception, read

FAMILIES = (NATIVE, CPP, WINDOWS, APPLE, JVM, GO, RUST, DOTNET, UNREAL, GODOT, QT, CHROMIUM, SCRIPTS)

MOST_FRAMES = 250  # that are judged; a culprit further down is too deep
_MOST_CHARACTERS = 40_000  # of frames that are judged, so that a hostile stack takes no longer than a long one
_MOST_OF_LIBRARIES = 40  # frames of libraries above a culprit: what is below them only began what crashed
_NEXT = 12  # frames in which the caller of a name that says nothing alone is sought
_MAIN = re.compile(r"(?:w?main|w?WinMain|_?tWinMain|real_main|main_impl|\[\w+ main\]|SDL_main|NSApplicationMain)$")
# Names that every program has: alone they say nothing.
_GENERIC = re.compile(
    r"(?:operator\(\)|operator[^\w\s]{1,3}|\{lambda\d*\}|lambda\d*|<lambda>|invoke\w{0,8}|run|call|apply|execute|exec|init\w{0,6}|__init__|__call__|setup|start|stop|open|close|get|set|add|remove|insert|erase|clear|reset|resize|size|length|empty|"
    r"begin|end|push|pop|push_back|front|back|at|find|next|create|destroy|delete|release|retain|copy|swap|move|send|recv|receive|connect|dispatch|notify|emit|wrapper|wrapped|inner|callback|cb|fn|func|function|f|g|h|e|t|n|r|o|i|"
    r"<init>|<clinit>|value|item|data|do_?it|do|impl|Start|Run|Init|Reset|Get|Set|Update|Call)\Z"
)
_PYTHON = "<module>"
# Functions of Python's standard library that only a stack of Python may have: anywhere else they are good names.
_OF_PYTHON = frozenset(
    (
        "decode",
        "encode",
        "loads",
        "load",
        "dumps",
        "dump",
        "iterencode",
        "result",
        "__get_result",
        "__call__",
        "__enter__",
        "__exit__",
        "wrapper",
        "raise_for_status",
        "inner",
        "_run",
        "_call",
        "send",
        "request",
        "urlopen",
    )
)


class Rank(IntEnum):
    """What a frame says about a crash, the less the higher."""

    OWN = 0
    LIBRARY = 1
    LOOP = 2
    MAIN = 3
    PREFIX = 4
    IRRELEVANT = 5
    NAMELESS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A route's patterns of functions, in addition to the lists of `families`; `only_these` leaves those lists out."""

    skip_frames: tuple[str, ...] = ()
    prefix_frames: tuple[str, ...] = ()
    library_frames: tuple[str, ...] = ()
    own_frames: tuple[str, ...] = ()
    only_these: bool = False

    def extended(self, rules: "Rules") -> "Rules":
        """These rules behind those of a route, which come first."""
        return Rules(
            skip_frames=(*rules.skip_frames, *self.skip_frames),
            prefix_frames=(*rules.prefix_frames, *self.prefix_frames),
            library_frames=(*rules.library_frames, *self.library_frames),
            own_frames=(*rules.own_frames, *self.own_frames),
            only_these=self.only_these or rules.only_these,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Culprit:
    """The function that a title names, with its caller where it says nothing alone, and the frames of both as the stack has them.

    `above` are the names in front of it in the stack. A text that leaves is made of a frame that is scrubbed as a whole: what makes a part of
    it private may be no part of the name.
    """

    name: str
    frame: str = ""
    caller: str = ""
    caller_frame: str = ""
    above: tuple[str, ...] = ()


DEFAULT = Rules()


def _together(name: str, families: Iterable[Family]) -> tuple[str, ...]:
    return tuple(pattern for family in families for pattern in getattr(family, name))


@lru_cache(64)
def _judge(rules: Rules) -> Callable[[Reading], Rank]:
    """A test of frames by a route's patterns and the lists."""
    families = () if rules.only_these else FAMILIES
    tests = [
        (_matcher(each), rank)
        for each, rank in (
            (rules.own_frames, Rank.OWN),
            (rules.skip_frames, Rank.IRRELEVANT),
            (rules.prefix_frames, Rank.PREFIX),
            (rules.library_frames, Rank.LIBRARY),
            (_together("irrelevant", families), Rank.IRRELEVANT),
            (_together("loops", families), Rank.LOOP),
        )
        if each
    ]
    library, prefix = _matcher(_together("library", families)), _matcher(_together("prefix", families))
    plumbing, modules = (_matcher(tuple(map(_lower, _together(name, families)))) for name in ("plumbing", "modules"))
    headers, places = _contained(_together("headers", families)), _contained(_together("places", families))
    own = len(
        [each for each in (rules.own_frames, rules.skip_frames, rules.prefix_frames, rules.library_frames) if each]
    )

    def judge(reading: Reading) -> Rank:
        """The rank of a named frame. A route's patterns come first, and may name the module in front: `game.exe!*`."""
        full = f"{reading.module}!{reading.key}" if reading.module else reading.key
        for index, (test, rank) in enumerate(tests):
            if test(reading.key) or (index < own and (test(reading.name) or test(full))):
                return rank
        if _MAIN.match(reading.key) and not rules.only_these:
            return Rank.MAIN
        module = reading.module.lower()
        if prefix(reading.key) or (headers(reading.place)) or (module and plumbing(module)):
            return Rank.PREFIX
        if library(reading.key) or (module and modules(module)) or places(reading.place):
            return Rank.LIBRARY
        return Rank.OWN

    return judge


def _lower(pattern: str) -> str:
    return pattern if pattern.startswith("/") else pattern.lower()


def _matcher(globs: tuple[str, ...]) -> Callable[[str], bool]:
    """A test for all patterns; the regular expressions among them are one, so that a name is read once."""
    sought = [each for each in map(patterns.searched, globs) if each is not None]
    shell = patterns.matcher(tuple(each for each in globs if patterns.searched(each) is None))
    if not sought:
        return shell
    every = patterns.expression("|".join(f"(?:{each})" for each in sought), 2**24, groups=False)
    return lambda text: shell(text) or every.search(patterns.encoded(text)) is not None


def _contained(parts: tuple[str, ...]) -> Callable[[str], bool]:
    return lambda place: bool(place) and any(part in place for part in parts)


def ranks(callstack: Sequence[str], application: str | None = None, rules: Rules = DEFAULT) -> tuple[Rank, ...]:
    """What each frame says about the crash. Those that are too deep to be judged count as nameless."""
    judge, base = _judge(rules), frames.base_name(application or "")
    is_python, characters, judged = _PYTHON in callstack[:MOST_FRAMES], 0, list[Rank]()
    for place, frame in enumerate(callstack):
        characters += min(len(frame), LONGEST)
        if place >= MOST_FRAMES or (characters > _MOST_CHARACTERS and place):
            break
        is_class = not place and len(callstack) > 1 and exception(frame) is not None
        judged.append(Rank.IRRELEVANT if is_class else _in_stack(*_ranked(frame, base, judge), is_python))
    return (*judged, *(Rank.NAMELESS,) * (len(callstack) - len(judged)))


def _in_stack(reading: Reading, rank: Rank, is_python: bool) -> Rank:
    """The rank of a frame in a stack of Python, whose own library has names that are good ones elsewhere."""
    return Rank.LIBRARY if is_python and rank is Rank.OWN and reading.name in _OF_PYTHON else rank


def culprit(callstack: Sequence[str], application: str | None = None, rules: Rules = DEFAULT) -> Culprit | None:
    """The function that the title of a crash names; None where no frame that could be it has a name."""
    judge, base = _judge(rules), frames.base_name(application or "")
    best: dict[Rank, tuple[str, str]] = {}
    above, modules = list[str](), list[tuple[str, str]]()
    libraries = nameless = characters = 0
    is_blocked, is_python = False, _PYTHON in callstack[:MOST_FRAMES]
    for place, frame in enumerate(islice(callstack, MOST_FRAMES)):
        characters += min(len(frame), LONGEST)
        if characters > _MOST_CHARACTERS and place:
            break
        if not place and exception(frame) and len(callstack) > 1:
            continue  # the class of what was thrown, as a title has it already
        reading, rank = _ranked(frame, base, judge)
        rank = _in_stack(reading, rank, is_python)
        if rank is Rank.OWN:
            caller, below = _caller(callstack[place + 1 :], reading, base, judge, is_python)
            return Culprit(name=reading.name, frame=frame, caller=caller, caller_frame=below, above=tuple(above))
        if rank is Rank.NAMELESS:
            nameless += 1
            module = bare_module(frame)
            is_foreign = module is not None and frames.base_name(module) != base
            modules += [(module, frame)] if module and is_foreign and judge(Reading(module=module)) is Rank.OWN else []
            # Nameless frames of the system hide nothing; those of the program may be the culprit.
            is_blocked = is_blocked or judge(reading) is Rank.OWN
            continue
        above.append(reading.key)
        libraries += rank is Rank.LIBRARY
        if rank is Rank.IRRELEVANT or not is_blocked:
            best.setdefault(rank, (reading.name, frame))
        if libraries >= _MOST_OF_LIBRARIES or (rank is Rank.LOOP and min(best, default=rank) is Rank.LIBRARY):
            break
    named = _instead(best, modules, all_named=not nameless)
    return None if named is None else Culprit(name=named[0], frame=named[1], above=tuple(above))


def _instead(
    best: Mapping[Rank, tuple[str, str]], modules: Sequence[tuple[str, str]], *, all_named: bool
) -> tuple[str, str] | None:
    """The best name, with its frame, where no function of the program has one: of the first frame of each rank, or of a module."""
    # What a program did within its loop says more than the loop.
    for rank in (Rank.LIBRARY, *((Rank.PREFIX,) if Rank.LOOP in best else ()), Rank.LOOP, Rank.MAIN, Rank.PREFIX):
        if rank in best:
            return best[rank]
    return modules[0] if modules else best.get(Rank.IRRELEVANT) if all_named else None


def _ranked(frame: str, application: str, judge: Callable[[Reading], Rank]) -> tuple[Reading, Rank]:
    reading = read(frame)
    if not reading.name or frames.is_module(frame[:256], application, ()) or _offset_only(frame, application):
        return reading._replace(name="", key=""), Rank.NAMELESS
    rank = judge(reading)
    if rank in (Rank.LIBRARY, Rank.LOOP) and _belongs(reading, application):
        return reading, Rank.OWN
    return reading, rank


def _offset_only(frame: str, application: str) -> bool:
    """True if the frame is the name of the application, alone or with an offset."""
    name, plus, offset = frame[:256].strip().partition("+")
    is_application = bool(application) and frames.base_name(name.strip()) == application
    return is_application and (not plus or offset.strip().isdigit())


def _belongs(reading: Reading, application: str) -> bool:
    """True if the name begins with that of the application, as packages of Java and crates of Rust do, or lies in its package of Python."""
    beginning = application.replace("-", "_")
    return len(beginning) > 2 and (
        reading.key.lower().replace("-", "_").startswith((f"{beginning}.", f"{beginning}::"))
        or f"-packages/{beginning}/" in reading.place
    )


def _caller(
    below: Sequence[str], reading: Reading, application: str, judge: Callable[[Reading], Rank], is_python: bool
) -> tuple[str, str]:
    """The next function of the program, with its frame, where the name of the culprit says nothing alone; empty where it says enough."""
    is_bare = not re.search(r"[.:\[!]", reading.key) or reading.key.startswith("operator")
    if not is_bare or not (is_python or _GENERIC.match(reading.key)):
        return "", ""
    for frame in islice(below, _NEXT):
        follower, rank = _ranked(frame, application, judge)
        if rank in (Rank.OWN, Rank.MAIN) and follower.name != reading.name:
            return follower.name, frame
    return "", ""
