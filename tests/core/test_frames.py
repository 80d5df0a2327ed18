"""Call stacks: names, modules, frames without information, signatures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core import frames


@pytest.mark.parametrize(
    ("frame", "name", "module"),
    [
        ("draw", "draw", None),
        ("Renderer::draw(Frame const&)", "Renderer::draw", None),
        ("game.exe!Renderer::draw(int)+0x1c", "Renderer::draw", "game.exe"),
        ("libc.so.6!__memcpy_avx_unaligned_erms+0x1a", "__memcpy_avx_unaligned_erms", "libc.so.6"),
        ("/usr/lib/libc.so.6(abort+0x12f)", "abort", "libc.so.6"),
        ("C:\\game\\engine.dll!Foo::bar", "Foo::bar", "engine.dll"),
        ("(anonymous namespace)::load(char const*)", "(anonymous namespace)::load", None),
        ("Functor::operator()(int) const", "Functor::operator()", None),
        ("std::map<int, (lambda)>::at(int)", "std::map<int, (lambda)>::at", None),
        ("game.exe+0x12", "game.exe", "game.exe"),
        ("libx.so (0x12)", "libx.so", "libx.so"),
        ("draw+0x8", "draw", None),
        ("0x7fff5fbff8c0", "0x7fff5fbff8c0", None),
        ("System.NullReferenceException at Updater.Check()", "System.NullReferenceException at Updater.Check", None),
        ("main.(*Server).serve", "main.(*Server).serve", None),
        ("github.com/x/y.(*A).f(0x1, {0xc000, 0x2})", "github.com/x/y.(*A).f", None),
        ("(*World).Tick.func1(0x1)", "(*World).Tick.func1", None),
        ("pkg.Map[go.shape.int,go.shape.string].Get(0x1)", "pkg.Map[go.shape.int,go.shape.string].Get", None),
        ("std::function<void (int)>::operator()(int) const", "std::function<void (int)>::operator()", None),
        ("ns::f(int) const::{lambda(int)#1}::operator()(int)", "ns::f::{lambda(int)#1}::operator()", None),
        ("void (anonymous namespace)::load(char const*)", "void (anonymous namespace)::load", None),
        ("decltype(auto) pick<int>(int)", "decltype(auto) pick<int>", None),
        ("boost::function1<void, (Mode)1>::call(int)", "boost::function1<void, (Mode)1>::call", None),
        ("List::operator<(List const&)", "List::operator<", None),
        ("game!List::operator!=(List const&)", "List::operator!=", "game"),
        ("operator-><int>(int)", "operator-><int>", None),
        ("<dyn Fn(u8) -> u8 as Trait>::call::h1b928aa0c0ffee00", "<dyn Fn(u8) -> u8 as Trait>::call", None),
        ("diss::run::{{closure}}::h1b928aa0c0ffee00", "diss::run::{{closure}}", None),
        ("diss::run::h1b928aa0c0ffee00.llvm.1234567", "diss::run", None),
        ("core[846817f741e54dfd]::slice::fail", "core::slice::fail", None),
        ("parse.constprop.0", "parse", None),
        ("parse(int) [clone .isra.0]", "parse", None),
        ("parse() (.cold)", "parse", None),
        ("-[Home(Cat) go:with:] + 12", "-[Home(Cat) go:with:]", None),
        ("closure #1 (Swift.Int) -> () in Foo.bar() -> ()", "closure #1 in Foo.bar", None),
        ("Foo.<>c.<Bar>b__0 (System.Int32 x) [0x00012] in <abc>:0", "Foo.<>c.<Bar>b__0", None),
        ("forEach [native code]", "forEach", None),
        ("a < b", "a < b", None),
        ("cut(int, std::map<", "cut", None),
        ("::cut(int", "::cut", None),
        (" const::cut(int, in (", "const::cut", None),
        ("", "", None),
        ("!", "!", None),
    ],
)
def test_a_frame_has_a_name_and_maybe_a_module(frame: str, name: str, module: str | None) -> None:
    assert (frames.name_of(frame).strip(), frames.module_of(frame)) == (name, module)


_WORD = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True).filter(
    lambda word: word not in ("operator", "decltype")
)
_TYPE = st.recursive(
    _WORD,
    lambda inner: st.one_of(
        st.builds("{}<{}>".format, _WORD, inner),
        st.builds("{} ({}, {})".format, inner, inner, inner),
        st.builds("({}){}".format, _WORD, st.integers(0, 99)),
        st.builds("dyn Fn({}) -> {}".format, inner, inner),
    ),
    max_leaves=5,
)
_PART = st.one_of(
    _WORD,
    st.builds("{}<{}>".format, _WORD, _TYPE),
    st.just("(anonymous namespace)"),
    st.builds("{{lambda({})#{}}}".format, _TYPE, st.integers(1, 9)),
)
_LAST = st.one_of(
    _PART, st.sampled_from(["operator()", "operator<", "operator<<", "operator->", "operator[]", "operator!=", "~Loop"])
)
_NAME = st.one_of(
    st.builds(lambda parts, last: "::".join([*parts, last]), st.lists(_PART, max_size=3), _LAST),
    st.builds("{}/{}.(*{}).{}".format, _WORD, _WORD, _WORD, _WORD),
    st.builds("<{} as {}>::{}".format, _TYPE, _WORD, _WORD),
)


@given(_NAME, _TYPE, st.sampled_from(["", "game.exe!", "libx.so.6!"]), st.sampled_from(["", "+0x1c", " + 242"]))
def test_a_name_is_read_whole_whatever_brackets_it_has(name: str, argument: str, module: str, offset: str) -> None:
    for behind in ("", "()", f"({argument})", f"({argument}, {argument}*) const"):
        assert frames.name_of(f"{module}{name}{behind}{offset}") == name


@given(_NAME, st.integers(0, 2**64 - 1), st.sampled_from(["", ".llvm.7", ".llvm.123456"]))
def test_what_a_build_adds_is_no_part_of_a_name(name: str, build: int, copy: str) -> None:
    assert frames.name_of(f"{name}::h{build:016x}{copy}") == name


def test_groups_whose_functions_differ_within_brackets_are_not_alike() -> None:
    first = ["main.(*World).Tick(0x1)", "main.(*Loop).Run(0x2)"]
    second = ["main.(*Inventory).At(0x1)", "main.(*Save).Load(0x2)"]
    assert frames.signature("game", first) != frames.signature("game", second)
    assert frames.sub_key("0" * 64, "game", first) != frames.sub_key("0" * 64, "game", second)


NOISE = [
    "abort", "__GI_raise", "gsignal", "__pthread_kill_implementation", "tgkill", "memcpy", "__memcpy_avx_unaligned_erms", "malloc", "free(void*)",
    "_int_free", "operator new(unsigned long)", "operator delete[](void*)", "je_malloc", "tc_free", "RtlpAllocateHeap", "HeapAlloc", "__cxa_throw",
    "_CxxThrowException", "KERNELBASE!RaiseException", "std::terminate()", "__cxxabiv1::__terminate", "__gnu_cxx::__verbose_terminate_handler",
    "rust_panic", "std::panicking::begin_panic", "core::option::unwrap_failed", "core::panicking::panic_fmt", "rust_begin_unwind", "runtime.gopanic",
    "runtime.panicmem", "runtime.sigpanic", "swift_retain", "_assertionFailure", "objc_msgSend", "-[NSException raise]", "__assert_fail", "_wassert",
    "__stack_chk_fail", "_sigtramp", "__restore_rt", "<signal handler called>", "KiUserExceptionDispatcher", "System.ThrowHelper.Throw()",
    "??", "0x7fff5fbff8c0", "game.exe+0x12", "strlen", "__strcmp_sse2",
]  # fmt: skip


@pytest.mark.parametrize("noise", NOISE)
def test_frames_of_every_stack_have_no_information(noise: str) -> None:
    assert frames.meaningful([noise, "Game::loop", "main"]) == "Game::loop"


@pytest.mark.parametrize(
    "frame",
    [
        "abort_mission",
        "Memory::free_all",
        "raise_flag(int)",
        "freeze",
        "operator_loop",
        "Mallocator::run",
        "killer_whale",
        "memory_map",
        "strategy()",
    ],
)
def test_similar_names_of_a_program_have_information(frame: str) -> None:
    assert frames.meaningful([frame, "main"]) == frame


def test_a_stack_of_nothing_but_noise_is_named_by_its_top() -> None:
    assert frames.meaningful(["abort", "raise"]) == "abort"
    assert frames.meaningful([]) is None
    assert frames.meaningful(["draw", "main"], ["dr*"]) == "main"
    assert frames.meaningful(["abort", "main"], []) == "abort"


@pytest.mark.parametrize(
    ("stack", "bare"),
    [
        ([], False),
        (["0x7ff6a1b2c3d4", "00007ff6a1b2c3d4"], True),
        (["game.exe+0x12", "libx.so (0x12)", "/opt/game/bin/game+0x99"], True),
        (["??", "<unknown>", "[unknown]", "unknown module", "game.exe!0x7ff6a1b2"], True),
        (["0x7ff6a1b2c3d4", "draw"], False),
        (["draw+0x8"], False),
        (["game.exe!draw+0x8"], False),
        (["deadbeef"], True),
        (["decade"], False),
    ],
)
def test_a_stack_without_names_has_no_symbols(stack: list[str], bare: bool) -> None:
    assert frames.unsymbolicated(stack) is bare


def test_two_groups_look_alike_whose_application_and_top_frames_are_the_same() -> None:
    signature = frames.signature("/opt/game/bin/Game", ["abort", "libx.so!draw(int)+0x1", "loop", "main"])

    assert signature is not None
    assert len(signature) == 32
    assert signature == frames.signature("C:\\game\\game", ["raise", "draw(long)+0x99", "loop()", "main"])
    assert signature != frames.signature("editor", ["draw", "loop", "main"])
    assert signature != frames.signature("game", ["draw", "main"])
    assert frames.signature("game", ["a", "b", "c", "d", "e", "f"]) == frames.signature(
        "game", ["a", "b", "c", "d", "e", "g"]
    )
    assert frames.signature("game", ["a", "b", "c", "d", "e"]) != frames.signature("game", ["a", "b", "c", "d", "x"])
    assert frames.signature("game", ["0x7ff6a1b2c3d4", "abort"]) is None
    assert frames.signature(None, []) is None
    assert frames.signature(None, ["a"]) == frames.signature("", ["a"])


@pytest.mark.parametrize(
    ("fingerprint", "zero", "merged"),
    [
        ("0" * 64, True, False),
        ("0" * 8, True, False),
        ("0" * 7, False, False),
        ("0" * 16 + "a" * 48, False, True),
        ("0" * 15 + "a" * 49, False, False),
        ("0" * 40 + "A" * 24, False, True),
        ("0" * 40 + "x" * 24, False, False),
        ("0" * 16 + "a" * 47, False, False),
        ("", False, False),
    ],
)
def test_fingerprints_of_empty_stacks_and_of_merged_groups_are_recognised(
    fingerprint: str, zero: bool, merged: bool
) -> None:
    assert (frames.all_zero(fingerprint), frames.merged(fingerprint)) == (zero, merged)


def test_reports_without_a_fingerprint_are_distinguished_by_their_frames() -> None:
    zero = "0" * 64
    signature = frames.sub_key(zero, "game", ["draw", "main"])

    assert signature is not None
    assert signature.startswith(f"{zero}/")
    assert signature != frames.sub_key(zero, "game", ["load", "main"])
    assert not frames.all_zero(signature)
    assert frames.sub_key(zero, "game", ["0x1234"]) is None


_PIECES = st.lists(
    st.sampled_from(
        [
            "(", ")", "[", "]", "<", ">", "::", "!", "`", "'", "@", "/", "\\", ".", "+", "#", "a", "b0", "0x7ff6a1b2c3d4",
            "operator", "operator!", "decltype", "'lambda'", "const::", "$$Lambda/0a", ":12", " ", " in ", "#1 ",
            "#1 pc 01234567 ", "closure #1 ", "(offset 0x1) ", "java.base/", " const::",
        ]
    ),
    max_size=16,
).map("".join)  # fmt: skip


@given(st.lists(st.text(max_size=80) | _PIECES, max_size=8), st.text(max_size=20) | st.none())
def test_whatever_a_stack_holds_nothing_fails(stack: list[str], application: str | None) -> None:
    frames.signature(application, stack)
    frames.unsymbolicated(stack)
    assert (frames.meaningful(stack) is None) is (not stack)
    for frame in stack:
        frames.module_of(frame)
        frames.name_of(frame)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "a!" * 50_000,
        "x" * 100_000 + "+0x",
        "/" * 100_000,
        "." * 100_000,
        "<" * 100_000,
        "operator()" * 10_000,
        "f()::" * 20_000,
        "closure #1() in " * 6_000,
        "(<[{" * 25_000,
        "a (.b" * 20_000,
    ],
)
@pytest.mark.slow
def test_a_frame_of_any_length_is_read(text: str) -> None:
    frames.name_of(text)
    frames.module_of(text)
    frames.unsymbolicated([text])
