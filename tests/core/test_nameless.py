"""Frames without a name, in every spelling that crash reporters, debuggers and engines write; and names that look like them."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from syncd.core import frames

ADDRESS = st.builds("0x{:012x}".format, st.integers(0x10000000, 2**47))
OFFSET = st.builds("0x{:x}".format, st.integers(1, 2**28))
WORD = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,11}", fullmatch=True)
LIBRARY = st.one_of(
    st.builds("lib{}.so".format, WORD),
    st.builds("lib{}.so.{}".format, WORD, st.integers(0, 99)),
    st.builds("{}.{}".format, WORD, st.sampled_from(["exe", "dll", "dylib", "DLL"])),
    st.builds("{}.x86_64".format, WORD),
)
FILE = st.one_of(
    LIBRARY,
    st.builds("/usr/lib/{}/{}".format, WORD, LIBRARY),
    st.builds("/data/app/~~{}==/base.apk!{}".format, WORD, LIBRARY),
    st.builds("C:\\{}\\{}".format, WORD, LIBRARY),
    st.builds("/opt/{}/bin/{}".format, WORD, WORD),
    st.sampled_from(["ntdll", "KERNELBASE", "ucrtbase", "GameAssembly", "UnityPlayer", "UnrealEditor_Engine"]),
    st.builds("{}-Win64-Shipping".format, WORD),
)
# What stands for a name, wherever a name could be.
PLACEHOLDER = st.one_of(
    st.sampled_from(
        [
            "??", "???", "<unknown>", "[unknown]", "(unknown)", "Unknown", "UnknownFunction", "unknown function", "<Unknown>", "<unknown module>",
            "<redacted>", "<name omitted>", "(no symbol)", "(No symbol)", "[no symbols]", "<no symbol>", "(null)", "<missing>", "(Missing)", "(hidden)",
            "<deduplicated_symbol>", "(function-name not available)", "<couldn't map PC to fn name>", "__mh_execute_header", "_mh_execute_header",
            "<.text ELF section in libxul.so>", "<unknown in igd10iumd64.dll>", "wasm-function[123]",
        ]
    ),
    st.builds("sub_{:X}".format, st.integers(0x401000, 2**40).filter(lambda number: re.search(r"\d", f"{number:X}"))),
    st.builds("FUN_{:08x}".format, st.integers(0x401000, 2**40).filter(lambda number: re.search(r"\d", f"{number:x}"))),
    st.builds("fcn.{:08x}".format, st.integers(0x401000, 2**32)),
    st.builds("___lldb_unnamed_symbol{}$${}".format, st.integers(1, 99999), WORD),
    st.builds("___lldb_unnamed_symbol{}".format, st.integers(1, 99999)),
)  # fmt: skip


def formed(form: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(form.format, *parts)


NAMELESS = st.one_of(
    ADDRESS,
    FILE,
    PLACEHOLDER,
    st.builds("{:016x}".format, st.integers(2**32, 2**47)),
    # Breakpad, WinDbg, Socorro, gdb, Unreal
    formed("{}+{}", FILE, OFFSET),
    formed("{} + {}", FILE, OFFSET),
    formed("{} ({})", FILE, OFFSET),
    formed("{}@{}", LIBRARY, OFFSET),
    formed("{}!{}", WORD, PLACEHOLDER),
    formed("{}!{}", LIBRARY, ADDRESS),
    formed("{} {}!UnknownFunction []", ADDRESS, LIBRARY),
    formed("#3  {} in ?? ()", ADDRESS),
    formed("#3  {} in ?? () from {}", ADDRESS, FILE),
    formed("{} in {}", ADDRESS, FILE),
    # Apple
    formed("{} + 123", PLACEHOLDER),
    formed("3   {}   {} {} + 43981", WORD, ADDRESS, ADDRESS),
    formed("3   {}   {} {}", LIBRARY, ADDRESS, ADDRESS),
    formed("{}`{} + 24", WORD, PLACEHOLDER),
    # Android and Unity
    formed("#04 pc 000000000471f654  {} (BuildId: 85f8023f9b6b474a14197a320d87942d)", FILE),
    formed("#04 pc 0471f654  {} (offset 0x173c000)", FILE),
    formed("lib{}.{}", WORD, OFFSET),
    formed("lib{}.{}(Native Method)", WORD, OFFSET),
    formed("{} ({}) (function-name not available)", ADDRESS, WORD),
    formed("{} ({})", ADDRESS, WORD),
    formed("  at <unknown> <{}>", OFFSET),
    # Godot, glibc, Wine, Rust, perf, Boost, the sanitizers, the JVM, Backtrace
    formed("[7] {}(+{}) [{}] (??:0)", FILE, OFFSET, ADDRESS),
    formed("[7] {}", PLACEHOLDER),
    formed("_end at ??:{}", st.sampled_from(["0", "?"])),
    formed("=>0 {} in {} {} (+{}) ({})", ADDRESS, WORD, WORD, OFFSET, ADDRESS),
    formed("  7:     {} - {}", ADDRESS, PLACEHOLDER),
    formed(" 7# {} in {}", ADDRESS, FILE),
    formed("#7 {}  ({}+{})", ADDRESS, FILE, OFFSET),
    formed("C  [{}+{}]", LIBRARY, OFFSET),
    formed("[ 07 ] {}", ADDRESS),
    formed("{} [{}]", PLACEHOLDER, ADDRESS),
)


@given(NAMELESS)
def test_a_frame_without_a_name_is_recognised_in_every_spelling(frame: str) -> None:
    assert frames.unsymbolicated([frame])
    assert frames.signature("game", [frame]) is None
    assert frames.meaningful([frame, "Game::loop"]) == "Game::loop"


# A frame of every stack does not name a crash.
@pytest.mark.parametrize(
    "common",
    [
        "RtlUserThreadStart",
        "ntdll.dll!RtlUserThreadStart+0x21",
        "BaseThreadInitThunk",
        "start_thread",
        "_pthread_start",
        "__libc_start_main",
        "0x78B15665 (UnityPlayer) UnityMain",
        "abort",
        "#00 pc 00000000000dc5d0  /system/lib64/libc.so (abort+164)",
        "[ 00 ] crash_reporter::DumpWithoutCrashing() ( crashpad.cc:267 )",
        "3   CoreFoundation   0x00000001a1b2c3d4 __exceptionPreprocess + 242",
    ],
)
def test_frames_of_every_stack_are_no_symbols(common: str) -> None:
    for stack in (["game.exe+0x12345", common], [common, "game.exe+0x12345", common], ["??", "<unknown>", common]):
        assert frames.unsymbolicated(stack)
        assert frames.sub_key("0" * 64, "game", [*stack[:-1], "0x1234567890"]) is None
    assert not frames.unsymbolicated(["game.exe+0x12345", "Game::loop", common])
    assert not frames.unsymbolicated([common])


def test_a_thread_begins_at_the_end_of_a_stack_only() -> None:
    assert frames.unsymbolicated(["game.exe+0x12345", "libc.so.6!clone+0x3f"])
    assert not frames.unsymbolicated(["clone", "game.exe+0x12345"])
    assert not frames.unsymbolicated(["start"])
    assert not frames.unsymbolicated(["abort", "clone"])


@pytest.mark.parametrize("application", ["gladius.exe", "C:\\games\\Gladius.exe", "/opt/bin/gladius"])
def test_a_module_without_an_extension_is_known_by_its_application(application: str) -> None:
    stack = ["ucrtbase!abort+0x4e", "ucrtbase!terminate+0x1e", "gladius+0x455006"]

    assert frames.unsymbolicated(stack, application)
    assert frames.signature(application, stack) is None
    assert not frames.unsymbolicated(stack, "another.exe")
    assert not frames.unsymbolicated(["gladius+0x1c"], application)


def test_a_module_without_an_extension_is_known_by_the_frames_around_it() -> None:
    assert frames.unsymbolicated(["Engine!UnknownFunction", "Engine", "Engine"])
    assert not frames.unsymbolicated(["Engine", "Engine"])


NAMES = st.sampled_from(
    [
        "main", "draw", "sub_add", "sub_menu", "sub_total", "sub_bad", "sub_2", "sub_face", "unknown_command", "UnknownFunctionHandler", "unknownHandler",
        "loc_table", "func_to_call", "fun_with_flags", "lab_results", "code_point", "deadline", "decade", "acceded", "cafe", "add", "missing", "hidden",
        "stripped", "redacted", "unresolved", "none", "no_name", "nosymbol", "null_check", "kernel32_wrapper", "unity_main", "libraryInit", "libvlc_retain",
        "Module._extensions..node", "process.bin", "strings.ToLower", "github.com/x/y.Run", "github.com/x/y.(*A).f", "os/exec.(*Cmd).Wait",
        "Unknown.Method", "IsUnknown", "Missing::symbols", "NoSymbolFactory::make", "App\\Http\\Controllers\\Foo::bar", "lists:map/2", "$", "_", "a", "e0",
        "operator()", "operator+", "x86", "x86_64_init", "b64decode", "data_path", "endpoint", "init", "_init", "_end", "text", "framework", "nullsub", "ordinal",
        "dyld_stub_binder", "~Foo", "??0Foo@@QEAA@XZ", "?foo@@YAXXZ", "_ZN3foo3barEv", "<Foo as Bar>::baz", "(anonymous namespace)::load",
        "-[Home go]", "main.lua:301: in function 'x'", "closure #1 in Foo.bar", "lambda$main$0", "Foo.<>c.<Bar>b__0",
    ]
)  # fmt: skip
NAMED = st.one_of(
    NAMES,
    WORD.filter(lambda word: not frames.unsymbolicated([word])),
    st.builds("{}::{}".format, WORD, WORD),
    st.builds("{}.{}.{}".format, WORD, WORD, st.from_regex(r"[a-z]{3,6}Thing", fullmatch=True)),
)


@given(NAMED, st.sampled_from(["", "()", "+0x1c", " + 242", "(int, char const*)"]))
def test_a_name_that_looks_like_none_stays_a_name(name: str, behind: str) -> None:
    # With an offset, the nearest symbol of what has none, and a file.
    assume("+" not in behind or not (name in frames.NEAREST or name.endswith((".node", ".bin"))))
    assert not frames.unsymbolicated([name + behind]), name + behind


FORMS = [
    "#1  0x000055aabbcc in {}() at main.c:3",
    "#1  0x000000373a607d14 in {}() from /lib64/libfoo.so.0",
    "#0 0x4f1234aabb in {} /src/x.c:3",
    "#1 0x7f1234aabb in {} (/lib/libfoo.so+0x2082f)",
    "0   CoreFoundation   0x00000001a1b2c3d4 {} + 242",
    "(libvlc) {}",
    "0x78B15665 (UnityPlayer) {}",
    "#00 pc 00000000000dc5d0  /system/lib64/libart.so ({}(int)+264)",
    "#00 pc 00000000000dc5d0  /system/lib64/libart.so (offset 0x1da000) ({}+228) (BuildId: 85f8023f9b6b)",
    "[ 00 ] {}() ( crashpad_android.cc:664 )",
    "0x00007ff75a7eea8f Game-Win64-Shipping.exe!{}() [D:\\x.cpp:3]",
    "frame #3: 0x00000001a1b2c3d4 MyApp`{} + 12",
    "  5: 0x5593502b9312 - {}",
    "at {}()",
    "libx.so.6!{}+0x1c",
    "/usr/lib/libc.so.6({}+0x12f)",
]


@pytest.mark.parametrize("form", FORMS)
def test_a_name_is_read_out_of_every_form(form: str) -> None:
    for name in ("draw_all", "Game::Loop::tick", "unknown_command"):
        assert frames.name_of(form.format(name)) == name
        assert not frames.unsymbolicated([form.format(name)])
    assert frames.signature("game", [form.format("draw")]) == frames.signature("game", ["draw"])
