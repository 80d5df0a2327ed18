"""What a call stack says: the names in it, those that say nothing, and which stacks look alike. Pure."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from fnmatch import translate
from functools import lru_cache
from itertools import islice

# Functions that stand on top of stacks of every kind, and say nothing about the crash. Patterns, as in a shell.
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

_TOP = 5  # frames that a signature is made of
_MERGED_ZEROS = 16  # Backtrace gives merged groups a SHA-256 that begins with many

_ADDRESS = re.compile(r"(?:0x)?[0-9a-fA-F]{8,16}|0x[0-9a-fA-F]+")
_UNKNOWN = re.compile(r"\?+|[<\[(]?unknown(?: module| function)?[>\])]?", re.IGNORECASE)
# Unlike a function, a module is a file: it has a folder, or an ending of its own.
_FILE = r"[^\s!(<]{0,255}(?:[/\\][^\s!(<]{1,255}|\.(?:exe|dll|so|dylib|sys|node|bin|elf)(?:\.[0-9.]{1,20})?)"
_OFFSET_ONLY = re.compile(_FILE + r"\s?[+(]\s?(?:0x)?[0-9a-fA-F]+\s?\)?")
_MODULE = re.compile(r"([^\s!(<]{1,255}?)!")
_MODULE_OFFSET = re.compile("(" + _FILE + r")\s?[+(]\s?(?:0x)?[0-9a-fA-F]+\s?\)?")
_GLIBC = re.compile(r"([^\s(]{1,255})\(([^\s()+]{1,255})\+0x[0-9a-fA-F]+\)")
_OFFSET = re.compile(r"\s?\+\s?(?:0x)?[0-9a-fA-F]+\Z")
_CALLABLE = ("operator()", "(anonymous namespace)", "(anonymous class)", "(lambda)")


@lru_cache(8192)  # the same functions are in the stacks of many groups, and of every repetition of one
def name_of(frame: str) -> str:
    """The function's name: without its module, arguments and offset."""
    text = frame.strip()
    if found := _GLIBC.match(text):
        return found[2]
    if found := _MODULE.match(text):
        text = text[found.end() :]
    return _without_arguments(_OFFSET.sub("", text)).strip() or text


def _without_arguments(text: str) -> str:
    """The text up to its argument list; parentheses that belong to a name stay."""
    start = 0
    while (place := text.find("(", start)) > -1:
        known = next((word for word in _CALLABLE if text.startswith(word, place - word.index("("))), None)
        if known is None:
            return text[:place] if place else text
        start = place + len(known) - known.index("(")
    return text


def module_of(frame: str) -> str | None:
    """The module that the frame names, without its folders; None where it names none."""
    text = frame.strip()
    found = _GLIBC.match(text) or _MODULE.match(text) or _MODULE_OFFSET.fullmatch(text)
    if found is None or _ADDRESS.fullmatch(found[1]):
        return None
    return re.split(r"[/\\]", found[1])[-1] or None


def meaningful(callstack: Sequence[str], skip: Sequence[str] = DEFAULT_SKIP) -> str | None:
    """The first frame that says something about the crash, as it came; else the first; None for an empty stack."""
    return next(_meaningful(callstack, skip), callstack[0] if callstack else None)


def _meaningful(callstack: Sequence[str], skip: Sequence[str]) -> Iterator[str]:
    return filter(_judge(tuple(skip)), callstack)


@lru_cache
def _judge(skip: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether a frame says something. One expression instead of a hundred patterns for each."""
    skipped = re.compile("|".join(map(translate, skip)) or r"(?!)")

    @lru_cache(8192)
    def says(frame: str) -> bool:
        return not _nameless(frame) and not skipped.match(name_of(frame))

    return says


def unsymbolicated(callstack: Sequence[str]) -> bool:
    """Whether there is a stack, and nothing in it but addresses and modules."""
    return bool(callstack) and all(map(_nameless, callstack))


def _nameless(frame: str) -> bool:
    text = frame.strip()
    bare = text.split("!", 1)[1] if "!" in text and not text.endswith("!") else text
    return any(pattern.fullmatch(one) for one in (text, bare) for pattern in (_ADDRESS, _UNKNOWN)) or (
        _OFFSET_ONLY.fullmatch(text) is not None
    )


def signature(application: str | None, callstack: Sequence[str], skip: Sequence[str] = DEFAULT_SKIP) -> str | None:
    """What groups have in common that crash in the same application with the same frames on top, whatever addresses and arguments;
    None where no frame has a name. 32 hex digits."""
    names = [name_of(frame) for frame in islice(_meaningful(callstack, skip), _TOP)]
    if not names:
        return None
    base = re.split(r"[/\\]", (application or "").rstrip("/\\"))[-1].casefold()
    return hashlib.sha256("\0".join([base, *names]).encode("utf-8", "replace")).hexdigest()[:32]


def all_zero(fingerprint: str) -> bool:
    """Whether it is what reports without a stack have in common."""
    return len(fingerprint) >= 8 and not fingerprint.strip("0")


def merged(fingerprint: str) -> bool:
    """Whether it is that of groups which were merged in Backtrace."""
    whole = re.fullmatch(r"[0-9a-fA-F]{64}", fingerprint) is not None
    return whole and fingerprint.startswith("0" * _MERGED_ZEROS) and not all_zero(fingerprint)


def sub_key(
    fingerprint: str, application: str | None, callstack: Sequence[str], skip: Sequence[str] = DEFAULT_SKIP
) -> str | None:
    """A fingerprint that tells groups with the same one apart by their frames; None where there are none to tell by."""
    found = signature(application, callstack, skip)
    return None if found is None else f"{fingerprint}/{found}"
