"""Names that say nothing are refused wherever a name can be bound."""

import pytest

from tests import naming


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("told = 1", id="a variable"),
        pytest.param("_TOLD: int = 1", id="a constant with an underscore"),
        pytest.param("a.told = 1", id="an attribute"),
        pytest.param("def told(): ...", id="a function"),
        pytest.param("async def told_(): ...", id="a coroutine with an underscore behind it"),
        pytest.param("class Told: ...", id="a class"),
        pytest.param("def f(told): ...", id="a parameter"),
        pytest.param("def f(*, told=1): ...", id="a keyword"),
        pytest.param("def f(*told): ...", id="a variadic parameter"),
        pytest.param("lambda told: 1", id="a parameter of a lambda"),
        pytest.param("import x as told", id="an alias"),
        pytest.param("[1 for told in x]", id="a target of a comprehension"),
        pytest.param("for told in x: ...", id="a target of a loop"),
        pytest.param("with x as told: ...", id="a target of a with"),
        pytest.param("(told := 1)", id="a named expression"),
        pytest.param("try: ...\nexcept OSError as told: ...", id="a caught error"),
        pytest.param("match x:\n case [*told]: ...", id="the rest of a sequence"),
        pytest.param("match x:\n case {**told}: ...", id="the rest of a mapping"),
        pytest.param("match x:\n case int() as told: ...", id="a capture"),
        pytest.param("a, (told, b) = x", id="a part of a tuple"),
        pytest.param("def f():\n global told", id="a global"),
    ],
)
def test_a_forbidden_name_is_refused_wherever_it_is_bound(source: str) -> None:
    (problem,) = naming.problems("syncd/x.py", source)

    assert naming.PARTICIPLE in problem


@pytest.mark.parametrize("source", ["x.told", "print(told)", "retold = 1", "'told'", "one_line = 1", "f(told=1)"])
def test_a_use_and_a_longer_name_are_left_alone(source: str) -> None:
    assert list(naming.problems("syncd/x.py", source)) == []


def test_a_module_of_leftovers_is_refused() -> None:
    assert list(naming.problems("syncd/core/helpers.py", "")) != []


def test_a_module_of_the_program_that_is_too_long_is_refused() -> None:
    longest = "a = 1\n" * naming.LONGEST

    assert list(naming.problems("syncd/core/x.py", longest)) == []
    assert list(naming.problems("tests/x.py", longest + "a = 1\n")) == []
    assert list(naming.problems("syncd/core/x.py", longest + "a = 1\n")) != []


@pytest.mark.slow  # `make check` has just done the same
def test_every_name_of_the_checkout_is_allowed() -> None:
    assert [problem for name, path in naming.files() for problem in naming.problems(name, path.read_text())] == []
