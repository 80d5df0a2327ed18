"""Call stacks: the names of functions and modules, frames without information, and signatures of similar stacks. Pure."""

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from itertools import islice
from typing import TypeVar

from syncd.core import patterns

# Functions on top of stacks of every kind, which give no information about the crash. Shell patterns. Signatures and sub-keys are made with
# them, so a change files crashes with the all-zero fingerprint again; titles have lists of their own in `core/titles` (decision 0052).
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
    "*exceptionPreprocess", "NtRaiseException", "ZwRaiseException", "*DumpWithoutCrashing",
    # signals and unwinding
    "*sigtramp*", "*restore_rt", "<signal handler called>", "KiUserExceptionDispatch*", "RtlDispatchException", "RtlRaiseException",
    "*UnhandledException*", "_Unwind_*", "__C_specific_handler", "*crashpad*", "*breakpad*", "*google_breakpad*",
    # where threads and programs begin; what enters a program from a virtual machine
    "BaseThreadInitThunk", "*RtlUserThreadStart", "RtlInitializeExceptionChain", "RtlGetAppContainerNamedObjectPath", "BaseProcessStart",
    "BaseThreadStart", "start_thread", "thread_start*", "__start_thread", "*pthread_start", "_pthread_body", "*pthread_wqthread", "start_wqthread",
    "clone3", "__clone*", "_start", "__libc_start*", "__libc_init", "generic_start_main*", "_dl_start*", "*mainCRTStartup", "*MainCRTStartup",
    "__scrt_common_main*", "invoke_main", "*beginthread*", "call_thread_func*", "UnityMain", "UnityMain2", "runtime.goexit",
    "java.lang.Thread.run", "art_quick_*", "art_jni_trampoline", "ExecuteNterpImpl", "nterp_helper", "Java_J_N_*",
    # what languages call functions without a name
    "anonymous", "<anonymous>", "(anonymous)", "(anonymous function)", "<lambda>", "<module>", "[[]native code]", "MoveNext",
)  # fmt: skip

# Spellings of frames without a name, as expressions of RE2 that ignore case. What debuggers, crash reporters and engines write for a function
# whose symbol they lack; of those that could be the name of a function only the form in brackets counts.
PLACEHOLDERS: tuple[str, ...] = (
    # Breakpad, Rust, gdb, valgrind, perf, Chromium, Unreal, Backtrace
    r"unknown(?:[ _-]?(?:function|module|symbol|method|source|frame|address|image|name|pc))?", r"\?{2,}", r"unsymbolicated",
    r"no[ -](?:symbols?|name|function name)(?: (?:information|info|available|found|loaded))*", r"(?:missing|invalid|unresolved) (?:symbols?|address|frame)",
    r"symbols? (?:not found|not loaded|missing)", r"function[ -]name not (?:available|found)", r"name omitted", r"corrupt frame\(s\)",
    r"translation info unavailable", r"(?:couldn't|could not|cannot) map pc to fn name", r"(?:error\(-1\): )?no debug info in pe/coff executable",
    r"(?:-- )?error: unable to obtain symbol name for this frame", r"external code", r"(?:un)?managed to (?:un)?managed transition", r"n/a",
    r"native to managed transition", r"[<\[(](?:redacted|hidden|missing|null|nil|none|stripped|unnamed|unresolved|deduplicated_symbol)[>\])]",
    r"<(?:unknown|\.[a-z]+ elf section) in [^>]*>",
)  # fmt: skip
# Names that a tool makes up of an address or a number, and headers that stand for all of a stripped program.
INVENTED: tuple[str, ...] = (
    r"_*lldb_unnamed_(?:symbol|function)[\w$.]*",
    r"(?:j_|thunk_)?(?:sub|loc|locret|unk|nullsub|fun|lab|func|code|undefinedfunction)_(?:0x)?[0-9a-f]*[0-9][0-9a-f]{3,}",
    r"(?:j_|thunk_)?(?:sub|loc|fun|func)_(?:0x)?[0-9a-f]{3,}[0-9][0-9a-f]*", r"(?:j_)?nullsub_\d+", r"unknown_libname_\d+",
    r"(?:fcn|sub|loc|func)\.[0-9a-f]{6,16}", r"ordinal\d+", r"#\d+", r"\$?(?:wasm-function|func)\[\d+\]", r"<wasm-function \d+>", r"\$func\d+",
    r"_*mh_(?:execute|dylib|bundle)_header", r"__dso_handle", r"_+hidden#\d+_?", r"_kdart\w*instructions", r"\.(?:text|plt|init|fini)(?:\.\w+)?",
)  # fmt: skip
# Symbols that are near whatever has none: they stand for it with an offset or without a line only.
NEAREST = (
    "_end", "_edata", "_etext", "_init", "_fini", "__bss_start", "_r_debug", "_dynamic", "__data_start", "entrypoint", "dllentrypoint",
)  # fmt: skip
# Modules that stacks name without an extension.
MODULES: tuple[str, ...] = (
    "ntdll", "kernel32", "kernelbase", "user32", "win32u", "gdi32(?:full)?", "ucrtbased?", "msvcrt", r"msvc[pr]\d+", r"vcruntime\d+(?:_\d)?", "combase",
    "ole32", "rpcrt4", r"d3d\d+(?:core)?", "dxgi", r"nv\w+umx?", r"nvoglv\d+", r"ati\w+xx", r"amd\w+64", r"ig\w+(?:umd|icd)\d+", r"xinput\d_\d", r"wow64\w*",
    "coreclr", "mscorwks", "gameassembly", "unityplayer", "unityframework", "libil2cpp", "libunity", "libmono", "libmain", "libc", "libart", "dyld", "linux-vdso",
    r"(?:unreal|ue[45])(?:editor|game)(?:[-_]\w+)*", r"\w+[-_](?:win64|win32|linux|mac|android|ios)[-_](?:shipping|test|debuggame|development)",
    r"\w+(?: \w+)* (?:framework|helper)", r"(?:mono jit code|jit code|dalvik-jit-code-cache|jit-cache)", r"\[(?:vdso|vsyscall|heap|stack|kernel\S*|anon:[^\]]*)\]",
    r"<anonymous:[0-9a-f]+>", r"<?unloaded_[^>\s]*>?",
)  # fmt: skip

# A frame without a name: what is in front, what stands for the name, and what is behind, each of them optional but the second.
_HEX = r"(?:(?:0x)?[0-9a-f]{8,16}|0x[0-9a-f]+|[0-9a-f]{8}`[0-9a-f]{8})"
_BINARY = r"\.(?:exe|dll|out|so|dylib|ocx|drv|pyd|apk|odex|oat|vdex|prx|sprx|nso|nro|x86_64)(?:\.[0-9.]+)?"
_ANY_BINARY = r"\.(?:exe|dll|out|so|dylib|sys|ocx|drv|pyd|node|bin|elf|apk|odex|oat|vdex|dex|art|efi|prx|sprx|nso|nro|wasm|x86(?:_64)?|arm64)(?:\.[0-9.]+)?"
_MODULE_FILE = (
    r"(?:(?:[a-z]:)?[^\s!(<:]*" + _BINARY + r"|(?:[a-z]:)?[^\s!(<:]*[/\\][^\s!(<:]*" + _ANY_BINARY + r"|[a-z]:[/\\][^!<>|*?:]*" + _ANY_BINARY
    + r"|(?:[a-z]:|[.~]{1,2})?[/\\](?:[^\s!(<:]*[/\\])?[^\s!(<:./\\]+|" + "|".join(MODULES) + ")"
)  # fmt: skip
_WITH_OFFSET = r"\s?(?:[+@]|\(\+?)\s?(?:0x)?[0-9a-f]+\s?\)?"
_BEFORE = (
    r"(?:=>\s?|\d{1,4}[:#]?\s+|#\d{1,4}:?\s*|\[\s?\d{1,4}\s?\]:?\s*|frame\s#?\d{1,4}:\s*|(?:at|by|in|abs|virt|pc|from)\s+|[-@]\s*|\[callstack\]\s*"
    r"|address\s?=\s?|" + _HEX + r":?\s+|[0-9a-f]{5,16}\s+-\s+|\[(?:ra|inlined|thunk|system)\]\s+|[cvj]\s+|\([\w .<>+-]{1,80}\)\s+|<[\w ]{1,80}>\s+|[^!`\s(<]{1,255}[!`]|wasm://\S*:)*"
)  # fmt: skip
_BEHIND = (
    r"(?:\s*(?:[+@:]\s?(?:0x)?[0-9a-f]+(?:\sbytes)?|\(\s?(?:[+-]|offset\s)?\s?(?:0x)?[0-9a-f]+\s?\)|\[\s?(?:0x)?[0-9a-f]*(?:\+0x[0-9a-f]+)?\s?\]"
    r"|<(?:0x)?[0-9a-f]+(?:\s\+\s(?:0x)?[0-9a-f]+)?>|\(\s?\)|\(?(?:at\s)?\?{2,3}:[0?]\)?|:[0?]|\(build\s?id:?[^)]*\)|\(missing\s[^)]*\)|\(deleted\)"
    r"|\((?:native method|unknown source|filename not found|unknown)(?::\d+)?\)|\[[^\]]*[/\\][^\]]*\]|\[[^\]\s]*\]|\((?:0x[0-9a-f]+\s)?in\s[^()]*\)"
    r"|(?:in|from)\s(?:[^\s()!]*!)?" + _MODULE_FILE + r"|in\s[^()+:]{1,80}\s\(\+0x[0-9a-f]+\)|\((?:[^\s()!]*!)?" + _MODULE_FILE + r"(?:\+0x[0-9a-f]+)?\)|\[(?:[^\s()!]*!)?" + _MODULE_FILE
    + r"(?:\+0x[0-9a-f]+)?\]|load address\s0x[0-9a-f]+))*"
)  # fmt: skip
_NAMELESS = (
    r"(?is)" + _BEFORE + r"(?:[<\[({]?" + _HEX + r"[>\])}]?|\+0x[0-9a-f]+|[<\[({]?(?:" + "|".join(PLACEHOLDERS) + r")[>\])}]?|[^0-9a-z_$\x{80}-\x{10ffff}]+|" + "|".join(INVENTED)
    + "|(?:" + "|".join(NEAREST) + r")(?:\+0x[0-9a-f]+(?:\(\)(?:\sin\s[^()]{1,80}\(0x[0-9a-f]+\))?)?|(?:\sat)?\s\?\?:[0?])|" + _MODULE_FILE
    + r"|[^\s!(<:]+(?:" + _ANY_BINARY + r"|[/\\][^\s!(<:./\\]+)" + _WITH_OFFSET + r"|\[" + _MODULE_FILE + r"\+0x[0-9a-f]+\]|[\w-]+\.0x[0-9a-f]+"
    r"|[^\s()!:<][^()!:<]{0,80}\s+0x[0-9a-f]+\s+(?:0x[0-9a-f]+(?:\s\+\s\d+)?|\+\s\d+)|" + _HEX + r"\s+\([\w .<>+-]{1,80}\))" + _BEHIND
)  # fmt: skip

_LONGEST_CACHED = 256
_TOP = 5  # frames that a signature is made of
_MERGED_ZEROS = 16  # the fingerprint of groups merged in Backtrace begins with at least as many zeros

_ADDRESS = re.compile(r"(?:0x)?[0-9a-fA-F]{8,16}|0x[0-9a-fA-F]+")
# A module is a file: unlike a function it has a folder or a file extension.
_FILE = r"[^\s!(<]*(?:[/\\][^\s!(<]+|\.(?:exe|dll|so|dylib|sys|node|bin|elf)(?:\.[0-9.]+)?)"
_MODULE = re.compile(r"([^\s!(<]{1,255}?)(?<!operator)!(?!\((?!anonymous|lambda|\*))")
# What debuggers and crash reporters write in front of a name: the number of the frame, the module, the address.
_IN_FRONT = re.compile(
    r"(?:(?:=>\s?|frame\s)?(?:#\d{1,4}:?|\d{1,4}[:#]?|\[\s?\d{1,4}\s?\]:?)\s{1,9}|\[Callstack\]\s)?(?:at\s{1,9}(?=\S))?"
    r"(?:(?:[\w.+-]+(?:\s[\w.+-]+){0,5}\s{1,40})?0x[0-9a-fA-F]{6,16}:?\s{1,9}(?:in\s|-\s)?)?(?:\((?!anonymous|lambda|wrapper|\d+\))[\w .-]{1,80}\)\s(?=\S))?(?:[\w.+-]{1,80}`(?=[A-Za-z_+-][^`']*\Z))?"
    r"(?:(?:app|platform)//|(?:java|jdk)\.[\w.]{1,80}(?:@[\w.+-]{1,40})?/)?"
)
# Android's: the name is behind the module, in parentheses.
_TOMBSTONE = re.compile(
    r"#\d{1,4}\s+pc\s+[0-9a-f]{8,16}\s+\S{1,1000}\s(?:\(offset\s0x[0-9a-f]+\)\s)?\((?!BuildId|offset)(.{1,3000}?)\+\d{1,9}\)"
)
# A program with an offset that is too large for one in a function.
_WORD_AND_OFFSET = re.compile(
    r"(?:0x[0-9a-fA-F]{1,16}\s+in\s+)?([^\s+(<!:]{1,255})(\s?\+\s?0x[0-9a-fA-F]{4,16})?(?:\(\))?"
)
# Names of functions that begin a thread where they are at the end of a stack, and may be a program's own anywhere else.
_BEGINNINGS = ("clone", "start")
# Where a name ends and its place in the source, or in the program, begins.
_PLACE = re.compile(
    r"\s(?:/|\./|[A-Za-z]:\\)\S{1,1000}:\d{1,9}\Z|(?<=.)@[^\s@]{0,1000}:\d{1,9}\Z|\sin goroutine \d{1,12}\Z"
)
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
    r"::h[0-9a-f]{16}(?![\w:])|(?<=\w)\[[0-9a-f]{8,16}\]|\.(?:llvm|isra|constprop|part|cold|lto_priv|__uniq)\.\d+|\s\(\.[\w.]+\)\Z|(?<=_block_invoke)\.\d+"
    r"|(?<=\$\$Lambda)(?:\$\d+)?/(?:0x)?[0-9a-f]+"
)


Result = TypeVar("Result")


def cached(function: Callable[[str], Result]) -> Callable[[str], Result]:
    """Remember results: the same functions are in the stacks of many groups, and of every repetition of one. No sender can fill the memory
    with long frames."""
    remembered = lru_cache(8192)(function)
    return lambda frame: (remembered if len(frame) <= _LONGEST_CACHED else function)(frame)


@cached
def name_of(frame: str) -> str:
    """The name of the function, without its module, arguments and offset."""
    text = frame.strip()
    if tombstone := _TOMBSTONE.match(text):
        text = tombstone[1]
    elif (front := _IN_FRONT.match(text)) and front.end() < len(text):
        text = text[front.end() :]
    if glibc := _GLIBC.match(text):
        return glibc[2]
    if module := _MODULE.match(text):
        text = text[module.end() :]
    bare = _OF_BUILD.sub("", _OFFSET.sub("", _PLACE.sub("", text)))
    pairs, parts, begin, place = _pairs(bare), list[str](), 0, 0
    while place < len(bare):
        end = pairs.get(place, -1)
        if bare[place] == "o" and (operator := _OPERATOR.match(bare, place)):
            place = operator.end()
        elif bare[place] == "[" and place and bare[place - 1] == " ":
            break  # a place in the source, or `[clone …]`
        elif bare[place] == "(" and place and not _belongs(bare, place, end):
            parts.append(bare[begin:place])
            if end > place and (bare.startswith("::", end + 1) or bare.startswith(" const::", end + 1)):
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
    """True if the parenthesis is part of a name: `(anonymous namespace)::`, a receiver as in `pkg.(*T).f`, the types of a lambda or of D's
    `f!(T)`, a function that returns one as in `int (*f(int))(int)`."""
    return (
        name[place - 1] in ".:"
        or (name[place - 1] == "!" and not name.endswith("operator!", 0, place))
        or (name[place - 1] == "'" and name.startswith("'lambda", name.rfind("'", 0, place - 1)))
        or name.startswith(("(anonymous", "(lambda", "(extension in"), place)
        or name.endswith(("decltype", "decltype "), 0, place)
        or (name.startswith(("(*", "(&"), place) and name.startswith("(", end + 1) and name[place - 1] == " ")
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
    return cached(lambda frame: not nameless(frame) and not skipped(name_of(frame)))


def unsymbolicated(callstack: Sequence[str], application: str | None = None) -> bool:
    """True if there are frames without a name, and no frame has one but those that say nothing about a crash."""
    has_meaning = _meaning(DEFAULT_SKIP)
    modules = {base_name(module) for module in map(module_of, callstack) if module is not None}
    base = base_name(application or "")
    bare = [nameless(frame) or is_module(frame, base, modules) for frame in callstack]
    named = [frame for frame, lacks in zip(callstack, bare, strict=True) if not lacks and has_meaning(frame)]
    if named and named[-1] is callstack[-1] and name_of(named[-1]) in _BEGINNINGS:
        named.pop()
    return any(bare) and not named


def base_name(module: str) -> str:
    """The name of a module as frames may write it: without folders and extension, in lower case."""
    name = re.split(r"[/\\]", module.rstrip("/\\"))[-1].casefold()
    return name.removesuffix(".exe").removesuffix(".dll").removesuffix(".so").removesuffix(".dylib")


def is_module(frame: str, application: str, modules: Collection[str]) -> bool:
    """True if the frame is nothing but the name of its application with an offset, or the name of a module of the stack."""
    word = _WORD_AND_OFFSET.fullmatch(frame.strip())
    return word is not None and (
        (word[2] is not None and base_name(word[1]) == application)
        or (word[2] is None and base_name(word[1]) in modules)
    )


@cached
def nameless(frame: str) -> bool:
    """True if the frame has an address, a module or a placeholder instead of a name."""
    return patterns.expression(_NAMELESS).fullmatch(patterns.encoded(frame.strip())) is not None


def signature(application: str | None, callstack: Sequence[str], skip: Sequence[str] = DEFAULT_SKIP) -> str | None:
    """32 hex digits that are equal for groups with the same application and the same top frames, whatever their addresses and
    arguments; None if no frame has a name."""
    base = base_name(application or "")
    named = (frame for frame in filter(_meaning(tuple(skip)), callstack) if not is_module(frame, base, ()))
    names = [name_of(frame) for frame in islice(named, _TOP)]
    if not names:
        return None
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
