"""Names of functions are read whole, in every language: groups that differ only within a name are not alike, and what a build, a run or a
report adds makes no difference."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from syncd.core import frames

# A frame and the name in it.
NAMES = [
    # Go
    ("main.(*Server).handle.func1.2(0x1, 0x2)", "main.(*Server).handle.func1.2"),
    ("main.Map[...].Get(0x1)", "main.Map[...].Get"),
    ("main.(*Map[go.shape.int,go.shape.*uint8]).Get(0x1)", "main.(*Map[go.shape.int,go.shape.*uint8]).Get"),
    ("github.com/x/y/v2.(*T).f(...)", "github.com/x/y/v2.(*T).f"),
    ("gopkg.in/yaml%2ev3.(*Decoder).Decode(0x1)", "gopkg.in/yaml%2ev3.(*Decoder).Decode"),
    ("main.main.func1()", "main.main.func1"),
    ("main.init.0()", "main.init.0"),
    ("main.T.Method-fm()", "main.T.Method-fm"),
    ("main.(*T).Method·f(0x1)", "main.(*T).Method·f"),
    ("main.run({0xc000, 0x2}, {0x0, 0x0})", "main.run"),
    ("created by main.(*T).run", "created by main.(*T).run"),
    ("created by main.(*T).run in goroutine 1", "created by main.(*T).run"),
    ("main.run(0x1) /home/x/main.go:12 +0x1d", "main.run"),
    ("main.Foo[int](0x1)", "main.Foo[int]"),
    ("main.foo(0xc0000, {0x1, 0x2, 0x3}, 0x1?)", "main.foo"),
    ("main.(*Loop[T]).Run.(*Loop[T]).spawn.func2(0x1)", "main.(*Loop[T]).Run.(*Loop[T]).spawn.func2"),
    ("panic({0x1, 0x2})", "panic"),
    # Rust
    (
        "core::ops::function::FnOnce::call_once{{vtable.shim}}::h0123456789abcdef",
        "core::ops::function::FnOnce::call_once{{vtable.shim}}",
    ),
    (
        "<alloc::boxed::Box<F,A> as core::ops::function::FnOnce<Args>>::call_once",
        "<alloc::boxed::Box<F,A> as core::ops::function::FnOnce<Args>>::call_once",
    ),
    ("<F as core::ops::FnOnce<()>>::call_once::h0123456789abcdef", "<F as core::ops::FnOnce<()>>::call_once"),
    ("game::World::tick::{{closure}}", "game::World::tick::{{closure}}"),
    ("game::World::tick::{closure#0}", "game::World::tick::{closure#0}"),
    ("game[1234567890abcdef]::World::tick", "game::World::tick"),
    (
        "<game[1234567890abcdef]::World as core[846817f741e54dfd]::ops::Drop>::drop",
        "<game::World as core::ops::Drop>::drop",
    ),
    ("std::panicking::try::do_call::hbd7d89dcbf3a96d4", "std::panicking::try::do_call"),
    ("game::f::<u8, (u16, u32)>", "game::f::<u8, (u16, u32)>"),
    ("<[T] as game::Sum>::sum", "<[T] as game::Sum>::sum"),
    ("<(A, B) as game::Pair>::first", "<(A, B) as game::Pair>::first"),
    ("<&mut F as core::ops::Fn<(u8,)>>::call", "<&mut F as core::ops::Fn<(u8,)>>::call"),
    ("<fn(u8) -> u8 as game::T>::go", "<fn(u8) -> u8 as game::T>::go"),
    ("<dyn game::T + core::marker::Send>::go", "<dyn game::T + core::marker::Send>::go"),
    ("game::run::h0123456789abcdef+0x1c", "game::run"),
    ("game::r#try::run", "game::r#try::run"),
    ("<[u8; 4] as game::T>::go", "<[u8; 4] as game::T>::go"),
    ("game::f::{{closure}}::{{closure}}::h0123456789abcdef", "game::f::{{closure}}::{{closure}}"),
    ("game::N<-3>::go", "game::N<-3>::go"),
    # C++
    ("Foo::operator bool() const", "Foo::operator bool"),
    ("Foo::operator std::string() const", "Foo::operator std::string"),
    ("Foo::operator int*() const", "Foo::operator int*"),
    ("Foo::operator()(int) const", "Foo::operator()"),
    ("Foo::operator[](int)", "Foo::operator[]"),
    ("Foo::operator->() const", "Foo::operator->"),
    ("Foo::operator->*(int)", "Foo::operator->*"),
    ("Foo::operator<=>(Foo const&) const", "Foo::operator<=>"),
    ("Foo::operator<<(int)", "Foo::operator<<"),
    ("std::ostream& operator<< <char>(std::ostream&, char)", "std::ostream& operator<< <char>"),
    ("bool operator< <int>(Foo<int> const&, Foo<int> const&)", "bool operator< <int>"),
    ("operator,(A, B)", "operator,"),
    ('operator"" _kg(unsigned long long)', 'operator"" _kg'),
    ("Foo::operator new(unsigned long)", "Foo::operator new"),
    ("Foo::operator delete[](void*)", "Foo::operator delete[]"),
    ("Foo::operator&&(Foo const&)", "Foo::operator&&"),
    ("Foo::operator=(Foo&&)", "Foo::operator="),
    ("Foo::operator+=(int)", "Foo::operator+="),
    ("Foo::operator++(int)", "Foo::operator++"),
    ("Foo::operator!() const", "Foo::operator!"),
    ("Foo::operator~() const", "Foo::operator~"),
    ("Foo::operator%(int)", "Foo::operator%"),
    ("game.exe!Foo::operator!=(Foo const&)", "Foo::operator!="),
    ("Foo<(A)1>::bar(int)", "Foo<(A)1>::bar"),
    ("Foo<&Bar::baz(int)>::go()", "Foo<&Bar::baz(int)>::go"),
    ("Foo<(Enum)3, (lambda at x.cpp:3:4)>::go()", "Foo<(Enum)3, (lambda at x.cpp:3:4)>::go"),
    ("Foo<(3 > 2)>::go()", "Foo<(3 > 2)>::go"),
    (
        "std::function<void (int, std::string)>::operator()(int, std::string) const",
        "std::function<void (int, std::string)>::operator()",
    ),
    (
        "void std::__invoke_impl<void, main::{lambda()#1}>(std::__invoke_other, main::{lambda()#1}&&)",
        "void std::__invoke_impl<void, main::{lambda()#1}>",
    ),
    ("main::{lambda(int)#1}::operator()(int) const", "main::{lambda(int)#1}::operator()"),
    ("main::$_0::operator()() const", "main::$_0::operator()"),
    ("main::'lambda'(int)::operator()(int) const", "main::'lambda'(int)::operator()"),
    ("Foo::bar()::'lambda0'(int)::operator()(int) const", "Foo::bar::'lambda0'(int)::operator()"),
    ("Foo::bar(int)::<lambda(int)>::operator()(int)", "Foo::bar::<lambda(int)>::operator()"),
    ("Foo::bar(int)::<lambda_1234abcd>::operator()(int)", "Foo::bar::<lambda_1234abcd>::operator()"),
    ("<lambda_0123456789abcdef0123456789abcdef>::operator()", "<lambda_0123456789abcdef0123456789abcdef>::operator()"),
    ("`anonymous namespace'::load(int)", "`anonymous namespace'::load"),
    ("Foo::`scalar deleting destructor'(unsigned int)", "Foo::`scalar deleting destructor'"),
    ("game.exe!`anonymous namespace'::load(int)", "`anonymous namespace'::load"),
    ("`Foo::bar'::`2'::<lambda_1>::operator()(int)", "`Foo::bar'::`2'::<lambda_1>::operator()"),
    ("Foo::~Foo()", "Foo::~Foo"),
    ("non-virtual thunk to Foo::bar(int)", "non-virtual thunk to Foo::bar"),
    ("virtual thunk to Foo::~Foo()", "virtual thunk to Foo::~Foo"),
    ("vtable for Foo", "vtable for Foo"),
    ("Foo::bar[abi:cxx11](int) const", "Foo::bar[abi:cxx11]"),
    ("Foo::bar(int) [clone .constprop.0]", "Foo::bar"),
    ("Foo::bar(int) (.cold.12)", "Foo::bar"),
    ("Foo::bar(int) (.part.0.isra.1)", "Foo::bar"),
    ("foo.isra.0.part.3", "foo"),
    ("foo.lto_priv.12", "foo"),
    ("foo.llvm.1234567890123", "foo"),
    ("_GLOBAL__sub_I_foo.cpp", "_GLOBAL__sub_I_foo.cpp"),
    (
        "auto foo<int>(int)::{lambda(auto:1)#1}::operator()<int>(int) const",
        "auto foo<int>::{lambda(auto:1)#1}::operator()<int>",
    ),
    ("decltype(auto) std::__invoke<int>(int&&)", "decltype(auto) std::__invoke<int>"),
    ("decltype (f(x)) foo<int>(int)", "decltype (f(x)) foo<int>"),
    ("int (*foo(int))(char)", "int (*foo(int))"),
    ("void (*signal(int, void (*)(int)))(int)", "void (*signal(int, void (*)(int)))"),
    ("void foo(int (*)(char), int (&)[3])", "void foo"),
    ("foo(char const (&) [12])", "foo"),
    ("foo(int Foo::*)", "foo"),
    ("Foo<int>::bar(void (Foo<int>::*)(int))", "Foo<int>::bar"),
    ("foo() requires bar<int>", "foo"),
    ("Foo::bar(int) &&", "Foo::bar"),
    ("Foo::bar(int) const &", "Foo::bar"),
    ("Foo::bar(int) noexcept", "Foo::bar"),
    ("Foo::bar(int) volatile", "Foo::bar"),
    ("std::map<int, std::less<>>::at(int)", "std::map<int, std::less<>>::at"),
    ("Foo<'<'>::bar(int)", "Foo<'<'>::bar"),
    ("Foo<(char)60>::bar(int)", "Foo<(char)60>::bar"),
    (
        "TBaseDelegate<FDefaultDelegateUserPolicy, void (float)>::Execute(float)",
        "TBaseDelegate<FDefaultDelegateUserPolicy, void (float)>::Execute",
    ),
    # ObjC / Swift
    ("-[Foo bar:baz:] + 12", "-[Foo bar:baz:]"),
    ("+[Foo(Cat) bar]", "+[Foo(Cat) bar]"),
    ("__26-[Foo bar]_block_invoke_2", "__26-[Foo bar]_block_invoke_2"),
    ("__26-[Foo bar]_block_invoke.12", "__26-[Foo bar]_block_invoke"),
    ("closure #1 in Foo.bar(_:)", "closure #1 in Foo.bar"),
    ("closure #2 in closure #1 in Foo.bar(x:y:)", "closure #2 in closure #1 in Foo.bar"),
    ("partial apply for closure #1 in Foo.bar()", "partial apply for closure #1 in Foo.bar"),
    ("specialized Foo.bar(_:)", "specialized Foo.bar"),
    ("@objc Foo.bar(_:)", "@objc Foo.bar"),
    ("Foo.bar.getter", "Foo.bar.getter"),
    ("static Foo.== infix(_:_:)", "static Foo.== infix"),
    ("static Foo.< infix(_:_:)", "static Foo.< infix"),
    ("protocol witness for Foo.bar() in conformance Baz", "protocol witness for Foo.bar"),
    ("(1) suspend resume partial function for Foo.bar()", "(1) suspend resume partial function for Foo.bar"),
    ("(1) await resume partial function for Foo.bar(x:)", "(1) await resume partial function for Foo.bar"),
    ("Foo.subscript.getter", "Foo.subscript.getter"),
    ("Foo.init(x:)", "Foo.init"),
    ("Foo.(bar in _1234ABCD)(x:)", "Foo.(bar in _1234ABCD)"),
    ("generic specialization <Swift.Int> of Foo.bar(_:)", "generic specialization <Swift.Int> of Foo.bar"),
    ("Array<A>.foo(_:)", "Array<A>.foo"),
    ("Foo.bar<A where A: Baz>(_:)", "Foo.bar<A where A: Baz>"),
    ("implicit closure #1 in Foo.bar()", "implicit closure #1 in Foo.bar"),
    ("closure #1 () -> () in Foo.bar()", "closure #1 in Foo.bar"),
    ("$s4Game5WorldC4tickyyF", "$s4Game5WorldC4tickyyF"),
    # JVM
    ("com.acme.Foo.bar(Foo.java:12)", "com.acme.Foo.bar"),
    ("com.acme.Foo$1.run(Foo.java)", "com.acme.Foo$1.run"),
    ("com.acme.Foo.lambda$bar$0(Foo.java:12)", "com.acme.Foo.lambda$bar$0"),
    ("com.acme.Foo.<init>(Foo.java:12)", "com.acme.Foo.<init>"),
    ("com.acme.Foo.<clinit>(Unknown Source)", "com.acme.Foo.<clinit>"),
    ("com.acme.Foo$$Lambda$14/0x0000000800066840.run(Unknown Source)", "com.acme.Foo$$Lambda.run"),
    ("com.acme.FooKt$bar$1$2.invokeSuspend(Foo.kt:1)", "com.acme.FooKt$bar$1$2.invokeSuspend"),
    ("com.acme.Foo.-$$Nest$mfoo(Unknown Source:0)", "com.acme.Foo.-$$Nest$mfoo"),
    ("com.acme.Foo.access$100 (Foo.java:12)", "com.acme.Foo.access$100"),
    ("java.base/java.lang.Thread.run(Thread.java:833)", "java.lang.Thread.run"),
    ("app//com.acme.Foo.bar(Foo.java:1)", "com.acme.Foo.bar"),
    ("com.acme.Foo.foo-abc1234(Foo.kt:3)", "com.acme.Foo.foo-abc1234"),
    ("void com.acme.Foo.bar(java.lang.String)", "void com.acme.Foo.bar"),
    ("com.acme.Foo.bar(com.acme.Foo$Bar, int)", "com.acme.Foo.bar"),
    # .NET / Unity
    ("Foo.Bar`1[T].Baz(T x)", "Foo.Bar`1[T].Baz"),
    ("Foo.Bar`1[[System.Int32, mscorlib]].Baz ()", "Foo.Bar`1[[System.Int32, mscorlib]].Baz"),
    ("Foo.Bar.<Baz>d__3.MoveNext()", "Foo.Bar.<Baz>d__3.MoveNext"),
    ("Foo.Bar+<>c__DisplayClass3_0.<Baz>b__0(Int32 x)", "Foo.Bar+<>c__DisplayClass3_0.<Baz>b__0"),
    ("Foo.Bar/<Baz>c__Iterator0.MoveNext ()", "Foo.Bar/<Baz>c__Iterator0.MoveNext"),
    ("Foo.Bar.<Baz>g__Local|3_0(Int32 x)", "Foo.Bar.<Baz>g__Local|3_0"),
    ("Foo.Bar..ctor()", "Foo.Bar..ctor"),
    ("Foo.Bar.op_Implicit(Foo)", "Foo.Bar.op_Implicit"),
    ("Foo.Bar.Baz[T](T x)", "Foo.Bar.Baz[T]"),
    ("Foo.Bar.Baz[T] (T x) [0x00012] in <abcdef>:0", "Foo.Bar.Baz[T]"),
    ("(wrapper managed-to-native) Foo.Bar.Baz (intptr)", "(wrapper managed-to-native) Foo.Bar.Baz"),
    ("Foo:Bar (System.Int32 x) (at Assets/Foo.cs:12)", "Foo:Bar"),
    ("Foo.Bar () (at <0644a29a3982489697a59c517069fe62>:0)", "Foo.Bar"),
    (
        "System.Collections.Generic.List`1[System.ValueTuple`2[System.Int32,System.Int32]].Add(T item)",
        "System.Collections.Generic.List`1[System.ValueTuple`2[System.Int32,System.Int32]].Add",
    ),
    ("Foo_Bar_m1234567890ABCDEF1234567890ABCDEF12345678", "Foo_Bar_m1234567890ABCDEF1234567890ABCDEF12345678"),
    ("async Task<(string a, int b)> Foo.Bar.ReadAsync()", "async Task<(string a, int b)> Foo.Bar.ReadAsync"),
    # JS
    ("Object.<anonymous> (app.js:1:2)", "Object.<anonymous>"),
    ("new Foo (app.js:1:2)", "new Foo"),
    ("async Foo.bar (app.js:1:2)", "async Foo.bar"),
    ("Foo.bar [as baz] (app.js:1:2)", "Foo.bar"),
    ("render/</<@app.js:1:2", "render/</<"),
    ("foo@https://acme.example/app.js:1:2", "foo"),
    ("Foo.prototype.bar@app.js:1:2", "Foo.prototype.bar"),
    ("Array.forEach (<anonymous>)", "Array.forEach"),
    ("Promise.all (index 0)", "Promise.all"),
    ("eval at foo (app.js:1:2)", "eval at foo"),
    # other
    ("Enum.map/2", "Enum.map/2"),
    ("anonymous fn/1 in Foo.bar/2", "anonymous fn/1 in Foo.bar/2"),
    ("block in Foo#bar", "block in Foo#bar"),
    ("rescue in Foo#bar", "rescue in Foo#bar"),
    ("Foo::Bar#baz", "Foo::Bar#baz"),
    ("<module>", "<module>"),
    ("Foo.bar.<locals>.<lambda>", "Foo.bar.<locals>.<lambda>"),
    ("in function 'Foo.bar'", "in function 'Foo.bar'"),
    ("pure nothrow int core.foo!(int).bar(int)", "pure nothrow int core.foo!(int).bar"),
    ("foo!(int, char).bar(int)", "foo!(int, char).bar"),
    ("a!b!c(int)", "b!c"),
]


@pytest.mark.parametrize(("frame", "name"), NAMES)
def test_a_name_is_read_whole_in_every_language(frame: str, name: str) -> None:
    assert frames.name_of(frame) == name


def test_names_that_differ_are_the_names_of_different_groups() -> None:
    names = {name for _, name in NAMES if frames.meaningful([name, "Another::top"]) == name}
    signatures = {frames.signature("game", [name]) for name in names}

    assert len(signatures) == len(names)
    assert len({frames.sub_key("0" * 64, "game", [name]) for name in names}) == len(names)


WORD = st.from_regex(r"[A-Z][a-z]{2,6}", fullmatch=True)
NUMBER = st.integers(0, 99)
TYPE = st.one_of(
    WORD,
    st.builds("{}*".format, WORD),
    st.builds("{} const&".format, WORD),
    st.builds("void ({}, {})".format, WORD, WORD),
    st.builds("std::map<{}, {}>".format, WORD, WORD),
    st.builds("({}){}".format, WORD, NUMBER),
)
# The places in a name that tell functions apart, one spelling for each language and kind of function.
SHAPES = [
    "main.(*{word}).run", "main.(*{word}[go.shape.int]).run.func1", "github.com/x/y.(*Loop).{word}", "main.Map[{word}].Get", "main.(*Loop).Run.func{number}",
    "game::{word}::tick", "<game::{word} as core::ops::Drop>::drop", "<F as game::Go<({word},)>>::go", "game::run::{{{{closure}}}}::{word}", "game::f::<{word}>",
    "<dyn Fn({word}) -> u8 as game::T>::call", "std::function<{type}>::operator()", "Foo<{type}>::bar", "Foo<{type}, int>::operator[]", "Foo::operator {word}",
    "void std::__invoke_impl<{type}, int>", "main::{{lambda({type})#1}}::operator()", "main::{{lambda()#{number}}}::operator()", "Foo::'lambda'({type})::operator()",
    "Foo::bar::<lambda_{number}>::operator()", "(anonymous namespace)::{word}::load", "`anonymous namespace'::{word}", "Foo::{word}[abi:cxx11]", "decltype(auto) pick<{type}>",
    "-[{word} bar:baz:]", "+[Foo({word}) bar]", "__26-[{word} bar]_block_invoke_{number}", "closure #{number} in Foo.bar", "specialized {word}.bar",
    "com.acme.{word}$1.run", "com.acme.Foo.lambda${word}$0", "com.acme.{word}.<init>", "com.acme.FooKt${word}$1.invokeSuspend", "Foo.Bar`1[{word}].Baz",
    "Foo.Bar.<{word}>d__3.MoveNext", "Foo.Bar+<>c__DisplayClass3_{number}.<Baz>b__0", "Foo.Bar/<{word}>c__Iterator0.MoveNext", "Foo.Bar.Baz[{word}]",
    "Foo:{word}", "{word}.prototype.bar", "Object.{word}", "foo!({word}, int).bar", "int (*{word}(int))(char)", "anonymous fn/{number} in Foo.bar/2",
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=20)
@given(
    first=st.tuples(WORD, TYPE, NUMBER),
    second=st.tuples(WORD, TYPE, NUMBER),
    behind=st.sampled_from(["", "(int, char const*)", "(0x1, 0xc000012345)", "()"]),
    front=st.sampled_from(
        ["", "0x00007ff6a1b2c3d4 ", "#7  0x00007ff6a1b2c3d4 in ", "[ 07 ] ", "  7: 0x5593502b9312 - "]
    ),
    module=st.sampled_from(["", "game.exe!", "libx.so.6!"]),
    offset=st.sampled_from(["", "+0x1c", " + 242"]),
)
def test_functions_that_differ_within_brackets_are_not_alike_and_those_that_do_not_are(
    shape: str,
    first: tuple[str, str, int],
    second: tuple[str, str, int],
    behind: str,
    front: str,
    module: str,
    offset: str,
) -> None:
    name, another = (shape.format(word=word, type=kind, number=number) for word, kind, number in (first, second))
    reported = f"{front}{module}{name}{'' if '[as' in name else behind}{offset}"
    assume(name != another)

    assert frames.signature("game", [reported]) == frames.signature("game", [name])
    assert frames.signature("game", [reported]) != frames.signature("game", [another])


@pytest.mark.parametrize(
    ("build", "later"),
    [
        ("game::run::h0123456789abcdef", "game::run::hfedcba9876543210"),
        ("game[1234567890abcdef]::run", "game[0fedcba987654321]::run"),
        ("parse.constprop.0", "parse.isra.3.constprop.1"),
        ("parse.llvm.123456", "parse.llvm.98765"),
        ("a.B$$Lambda$14/0x0000000800066840.run", "a.B$$Lambda$3/0x0000000800011111.run"),
        ("java.base@17.0.1/java.util.ArrayList.grow", "java.base@21.0.2/java.util.ArrayList.grow"),
        ("foo@https://acme.example/app.1.js:1:2", "foo@https://acme.example/app.2.js:7:9"),
        ("main.run(0x1) /home/x/main.go:12 +0x1d", "main.run(0x2) /src/main.go:13 +0x2d"),
        ("created by main.run in goroutine 1", "created by main.run in goroutine 34"),
        ("#3  0x00007ff6a1b2c3d4 in draw (x=1) at draw.c:3", "#9  0x00007ff6ffffffff in draw (x=2) at draw.c:5"),
        ("0x00007FF6D5E4A5B8 (Game) Loop::tick", "0x00007FF6AAAAAAAA (Game) Loop::tick"),
    ],
)
def test_what_a_build_or_a_run_adds_makes_no_difference(build: str, later: str) -> None:
    assert frames.signature("game", [build]) == frames.signature("game", [later])
