"""Call stacks: the names of functions and modules, frames without information, and signatures of similar stacks. Pure."""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import islice
from typing import TypeVar

from syncd.core import patterns

# Functions on top of stacks of every kind, which give no information about the crash. Shell patterns.
DEFAULT_SKIP: tuple[str, ...] = (
    # leaving the program
    "abort", "*_abort", "raise", "*GI_raise", "*GI_abort", "gsignal", "kill", "tgkill", "tkill", "*pthread_kill*", "exit", "_exit",
    "__libc_message*", "*fortify_fail*", "*stack_chk_fail*", "*assert_fail*", "*assert_rtn*", "_wassert", "_invoke_watson",
    "_invalid_parameter*", "terminate", "*TerminateProcess", "__debugbreak", "DebugBreak",
    # memory
    "mem[csm]*", "__mem[csm]*", "*memcpy*", "*memmove*", "*memset*", "*memcmp*", "str[cln]*", "__str[cln]*", "malloc", "calloc", "realloc", "free",
    "_int_malloc", "_int_free", "_int_realloc", "__libc_malloc", "__libc_calloc", "__libc_realloc", "__libc_free", "malloc_printerr",
    "malloc_consolidate", "unlink_chunk*", "operator new*", "operator delete*", "je_*", "tc_*", "mi_*", "HeapAlloc", "HeapFree",
    "Rtlp*", "RtlAllocateHeap", "RtlFreeHeap", "RtlReportCriticalFailure", "szone_*", "tiny_*", "nano_*",
    # raising
    "__cxa_throw", "__cxa_rethrow", "*_cxa_bad*", "*CxxThrowException", "RaiseException", "RaiseFailFastException", "std::terminate*",
    "std::_*terminate*", "__cxxabiv1::*", "__gnu_cxx::*verbose_terminate*", "std::__throw_*", "std::rt::*panic*", "rust_begin_unwind",
    "rust_panic*", "__rust_*", "core::panicking::*", "std::panicking::*", "core::option::*_failed", "core::result::*_failed", "runtime.gopanic",
    "runtime.sigpanic", "runtime.throw", "runtime.fatal*", "runtime.panic*", "swift_*", "_swift_*", "_assertionFailure", "objc_*",
    "NSException*", "-[[]NSException *", "System.ThrowHelper.*", "System.Environment.FailFast", "java.lang.*Exception.*", "kotlin.*Exception*",
    "mono_*", "UnityEngine.Debug.*", "FDebug::*", "FError::*",
    # signals and unwinding
    "*sigtramp*", "*restore_rt", "<signal handler called>", "KiUserExceptionDispatch*", "RtlDispatchException", "RtlRaiseException",
    "*UnhandledException*", "_Unwind_*", "__C_specific_handler", "*crashpad*", "*breakpad*", "*google_breakpad*",
)  # fmt: skip

_LONGEST_CACHED = 256
_TOP = 5  # frames that a signature is made of
_MERGED_ZEROS = 16  # the fingerprint of groups merged in Backtrace begins with at least as many zeros

_ADDRESS = re.compile(r"(?:0x)?[0-9a-fA-F]{8,16}|0x[0-9a-fA-F]+")
_UNKNOWN = re.compile(r"\?+|[<\[(]?unknown(?: module| function)?[>\])]?", re.IGNORECASE)
# A module is a file: unlike a function it has a folder or a file extension.
_FILE = r"[^\s!(<]*(?:[/\\][^\s!(<]+|\.(?:exe|dll|so|dylib|sys|node|bin|elf)(?:\.[0-9.]+)?)"
_MODULE = re.compile(r"([^\s!(<]{1,255}?)(?<!operator)!")
_MODULE_OFFSET = (
    "(" + _FILE + r")\s?[+(]\s?(?:0x)?[0-9a-fA-F]+\s?\)?"
)  # of RE2: many of its characters can be read in two ways
_GLIBC = re.compile(r"([^\s(]{1,255})\(([^\s()+]{1,255})\+0x[0-9a-fA-F]+\)")
_OFFSET = re.compile(r"\s?\+\s?(?:0x)?[0-9a-fA-F]+\Z")
_OPERATOR = re.compile(r"(?<![\w$])operator\s?(?:\(\)|\[\]|->\*?|<=>|<<=?|>>=?|[<>]=?)")
_OPENING = {"(": ")", "[": "]", "<": ">", "{": "}"}
# A clause that names the function of a Swift closure, behind the types of the closure.
_CLOSURE = re.compile(r"closure #\d+\s*\Z")
# What a build adds to a name: the hashes of Rust's symbols and crates, and the numbers of copies that an optimiser makes.
_OF_BUILD = re.compile(
    r"::h[0-9a-f]{16}(?![\w:])|(?<=\w)\[[0-9a-f]{8,16}\]|\.(?:llvm|isra|constprop|part|cold|lto_priv|__uniq)\.\d+|\s\(\.[\w.]+\)\Z"
)


Result = TypeVar("Result")


def _cached(function: Callable[[str], Result]) -> Callable[[str], Result]:
    """Remember results: the same functions are in the stacks of many groups, and of every repetition of one. No sender can fill the memory
    with long frames."""
    cached = lru_cache(8192)(function)
    return lambda frame: (cached if len(frame) <= _LONGEST_CACHED else function)(frame)


@_cached
def name_of(frame: str) -> str:
    """The name of the function, without its module, arguments and offset."""
    text = frame.strip()
    if glibc := _GLIBC.match(text):
        return glibc[2]
    if module := _MODULE.match(text):
        text = text[module.end() :]
    bare = _OF_BUILD.sub("", _OFFSET.sub("", text))
    pairs, parts, begin, place = _pairs(bare), list[str](), 0, 0
    while place < len(bare):
        end = pairs.get(place, -1)
        if bare[place] == "o" and (operator := _OPERATOR.match(bare, place)):
            place = operator.end()
        elif bare[place] == "[" and place and bare[place - 1] == " ":
            break  # a place in the source, or `[clone …]`
        elif bare[place] == "(" and place and not _belongs(bare, place, end):
            parts.append(bare[begin:place])
            if bare.startswith("::", end + 1) or bare.startswith(" const::", end + 1):
                begin = place = bare.index("::", end)  # a function within this one
            elif _CLOSURE.search(bare, max(0, place - 30), place) and " in " in bare[end:]:
                begin = place = bare.index(" in ", end) + (bare[place - 1] == " ")
            else:
                begin = place
                break
        else:
            place = max(place, end) + 1
    return "".join([*parts, bare[begin:place]]).strip() or text


def _pairs(name: str) -> dict[int, int]:
    """The places of opening brackets, with those of the brackets that close them. Operators and arrows have no brackets."""
    pairs, opened, place = dict[int, int](), list[int](), 0
    while place < len(name):
        character = name[place]
        if character == "o" and (operator := _OPERATOR.match(name, place)):
            place = operator.end()
            continue
        if character in _OPENING:
            opened.append(place)
        elif character in ")]}" or (character == ">" and name[place - 1 : place] not in ("-", "=")):
            # A `<` without its `>` is no bracket.
            while opened and name[opened[-1]] == "<" and character != ">":
                opened.pop()
            if opened and _OPENING[name[opened[-1]]] == character:
                pairs[opened.pop()] = place
        place += 1
    return pairs


def _belongs(name: str, place: int, end: int) -> bool:
    """True if the parenthesis is part of a name: `(anonymous namespace)::`, a receiver as in `pkg.(*T).f`, a lambda's `(lambda)`."""
    return (
        name[place - 1] in ".:"
        or name.startswith(("(anonymous", "(lambda", "(extension in"), place)
        or name.endswith("decltype", 0, place)
    ) and end > place


def module_of(frame: str) -> str | None:
    """The file name of the frame's module, or None if the frame names none."""
    text = frame.strip()
    module = _GLIBC.match(text) or _MODULE.match(text)
    name = None if module is None else module[1]
    if name is None and (offset := patterns.expression(_MODULE_OFFSET).fullmatch(patterns.encoded(text))):
        name = (offset[1] or b"").decode("utf-8", "replace")
    if name is None or _ADDRESS.fullmatch(name):
        return None
    return re.split(r"[/\\]", name)[-1] or None


def meaningful(callstack: Iterable[str], skip: Sequence[str] = DEFAULT_SKIP) -> str | None:
    """The first frame with information about the crash, unchanged; else the first frame; None for an empty stack. No frame below it is
    read."""
    has_meaning, first = _meaning(tuple(skip)), None
    for frame in callstack:
        if has_meaning(frame):
            return frame
        first = frame if first is None else first
    return first


@lru_cache
def _meaning(skip: tuple[str, ...]) -> Callable[[str], bool]:
    """A test for frames with information."""
    skipped = patterns.matcher(skip)
    return _cached(lambda frame: not _nameless(frame) and not skipped(name_of(frame)))


def unsymbolicated(callstack: Sequence[str]) -> bool:
    """True if there is a stack and it has only addresses and modules."""
    return bool(callstack) and all(map(_nameless, callstack))


def _nameless(frame: str) -> bool:
    text = frame.strip()
    bare = text.split("!", 1)[1] if "!" in text and not text.endswith("!") else text
    return any(pattern.fullmatch(part) for part in (text, bare) for pattern in (_ADDRESS, _UNKNOWN)) or (
        patterns.expression(_MODULE_OFFSET).fullmatch(patterns.encoded(text)) is not None
    )


def signature(application: str | None, callstack: Sequence[str], skip: Sequence[str] = DEFAULT_SKIP) -> str | None:
    """32 hex digits that are equal for groups with the same application and the same top frames, whatever their addresses and
    arguments; None if no frame has a name."""
    names = [name_of(frame) for frame in islice(filter(_meaning(tuple(skip)), callstack), _TOP)]
    if not names:
        return None
    base = re.split(r"[/\\]", (application or "").rstrip("/\\"))[-1].casefold()
    return hashlib.sha256("\0".join([base, *names]).encode("utf-8", "replace")).hexdigest()[:32]


def all_zero(fingerprint: str) -> bool:
    """True for the fingerprint of reports without a stack."""
    return len(fingerprint) >= 8 and not fingerprint.strip("0")


def merged(fingerprint: str) -> bool:
    """True for the fingerprint of groups that were merged in Backtrace."""
    whole = re.fullmatch(r"[0-9a-fA-F]{64}", fingerprint) is not None
    return whole and fingerprint.startswith("0" * _MERGED_ZEROS) and not all_zero(fingerprint)


def sub_key(
    fingerprint: str, application: str | None, callstack: Sequence[str], skip: Sequence[str] = DEFAULT_SKIP
) -> str | None:
    """A fingerprint that also distinguishes the frames of groups with the same fingerprint; None without named frames."""
    digest = signature(application, callstack, skip)
    return None if digest is None else f"{fingerprint}/{digest}"
