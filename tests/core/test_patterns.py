"""Patterns agree with the standard library's, and read any text in linear time."""

import pkgutil
import random
import re
import time
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from importlib import import_module
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import syncd
from syncd.core import patterns

_parser: Any = import_module("re._parser")

signs = st.sampled_from([*"ab.*?[]!-^\\", "é", "\n", "*", "*", "[a-b]", "[!a]", "[b-a]", "[]a]", "[a-", "🙂"])
globs = st.lists(signs, max_size=8).map("".join)
texts = st.lists(st.sampled_from([*"abc.[]!-^\\é\n🙂"]), max_size=8).map("".join)


@given(st.lists(globs, max_size=4), texts | globs)
def test_shell_patterns_are_those_of_the_standard_library(chosen: list[str], text: str) -> None:
    # Where a range is empty, the standard library reads a `!` behind it as the first one.
    assume(not any(first > last for pattern in chosen for first, last in re.findall("(?s)(?=(.)-(.))", pattern)))

    assert patterns.fits(text, chosen) == any(fnmatchcase(text, pattern) for pattern in chosen)


@pytest.mark.parametrize(
    ("pattern", "text", "takes"),
    [("[b-a]", "a", False), ("[!b-a]", "a", True), ("[b-ac]", "c", True), ("[b-a]*", "", False)],
)
def test_an_empty_range_has_no_character(pattern: str, text: str, takes: bool) -> None:
    assert patterns.fits(text, [pattern]) is takes


def test_a_lone_surrogate_is_read_as_a_question_mark() -> None:
    assert patterns.fits("a\ud83d", ["a[?]"])
    assert not patterns.fits("a\ud83d", ["[b]*"])


@pytest.mark.parametrize("pattern", ["(", r"\Z", "(?=a)", r"(a)\1", "a{1001}", "a" * 1001, r"(\pL{900}){20}"])
def test_an_expression_that_is_none_or_not_cheap_is_refused_with_a_sentence(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"regular expression|too large"):
        patterns.check_expression(pattern)


@pytest.mark.parametrize(
    "pattern", ["a" * 1001, "*a" * 33, "?" * 999, "[!é]" * 250, "/(?:.?){999}/", "(?i)(?:x*){1000}y"]
)
def test_a_shell_pattern_that_is_not_cheap_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"pattern|`\*`|too large: it takes up to"):
        patterns.check_glob(pattern)


def test_patterns_that_are_cheap_alone_are_refused_where_they_are_too_many() -> None:
    chosen = [f"*{'?' * 60}{number}*" for number in range(40)]

    with pytest.raises(ValueError, match="these 40 patterns are too large together"):
        patterns.check_globs(chosen)
    patterns.check_globs(chosen[:10])
    patterns.check_globs([f"game-{number}*" for number in range(10_000)])  # they are compared without an expression


@pytest.mark.parametrize(
    "pattern", [r"([\pL\pN_]+)", r"v?(\d+)\.(\d+)\.(\d+)(?:[-+.](\w+))*", "(?i)" + "|".join(["version"] * 80), ".{150}"]
)
def test_an_expression_as_people_write_them_is_allowed(pattern: str) -> None:
    patterns.check_expression(pattern)


ATOMS = [
    "a",
    "b",
    ".",
    r"\w",
    r"\d",
    r"\W",
    "[ab]",
    "[^a]",
    r"[^\x00-\x{FFFF}]",
    r"\pL",
    r"\b",
    "",
    "é",
    "🙂",
    "$",
    "(?i:k)",
]
# Each takes a pattern and makes one that RE2 may compile to many times as many instructions, or none at all.
SHAPES = [
    "(?:{})?", "(?:{})*", "({})", "(?:{}){{999}}", "(?:{}){{0,200}}", "(?:{}){{7,30}}", "(?:{}|a)*", "(?:{}|()|.)", ".*{}.*", "(?:(?:{})?){{50}}", "{}$",
]  # fmt: skip


def made(chance: random.Random) -> str:
    """A pattern of repetitions in repetitions, alternatives, classes and groups."""
    pattern = "".join(chance.choices(ATOMS, k=chance.randint(1, 4)))
    for _ in range(chance.randint(1, 4)):
        pattern = chance.choice(SHAPES).format(pattern)
        if chance.random() < 0.3:
            pattern = f"(?:{pattern}|{''.join(chance.choices(ATOMS, k=3))})"
    return pattern


def fault_of(pattern: str) -> str:
    try:
        patterns.check_expression(pattern)
    except ValueError as error:
        return str(error)
    return ""


def test_whatever_expression_is_allowed_reads_a_hostile_text_quickly() -> None:
    chance, allowed, refused = random.Random(20261130), 0, 0
    for _ in range(120):
        pattern = made(chance)
        if fault := fault_of(pattern):
            refused += 1
            assert re.search("is not a regular expression of RE2|too large: it takes up to|too long", fault)
            continue
        allowed += 1
        data = patterns.encoded("".join(chance.choices("ab1.é🙂k ", k=300)))
        compiled, costs = patterns.expression(pattern), []
        for _ in range(2):
            began = time.thread_time()
            compiled.search(data)
            costs.append(time.thread_time() - began)
        assert min(costs) < len(data) * 40e-6, pattern
    assert allowed > 40
    assert refused > 20


# Each takes the standard library's engine time that doubles, or is squared, with each character.
HOSTILE = [
    r"^(\w+\.?)+$",
    r"(a*)*b",
    r"(a|a)*$",
    r"(a|aa)+$",
    r"(.*a){12}$",
    r"(\w+\s?)*:",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
]


@pytest.mark.parametrize("pattern", HOSTILE)
@pytest.mark.parametrize("text", ["a" * 4096 + "!", "a." * 2048 + "!", "a b " * 1024])
def test_an_expression_reads_a_hostile_text_in_linear_time(pattern: str, text: str) -> None:
    re.compile(pattern)  # the standard library has it too
    patterns.check_expression(pattern)
    compiled, data = patterns.expression(pattern), patterns.encoded(text)

    began = time.thread_time()
    for _ in range(10):
        compiled.search(data)
    assert time.thread_time() - began < 10 * len(data) * 2e-6


@pytest.mark.parametrize("pattern", ["*a" * 32, "*a?" * 31 + "b", "*" + "a" * 200 + "b*", "*[ab]*[bc]" * 8])
def test_a_shell_pattern_reads_a_hostile_text_in_linear_time(pattern: str) -> None:
    patterns.check_glob(pattern)
    text = "a" * 4096

    began = time.thread_time()
    for _ in range(10):
        patterns.fits(text, [pattern])
    assert time.thread_time() - began < 10 * len(text) * 2e-6


def _patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every compiled expression that a module of syncd has as a constant."""
    for module in pkgutil.walk_packages(syncd.__path__, "syncd."):
        if module.name == "syncd.__main__":
            continue
        for name, value in vars(import_module(module.name)).items():
            if isinstance(value, re.Pattern):
                yield f"{module.name}.{name}", value


def _stale(tokens: Iterable[Any], *, repeated: bool = False) -> bool:
    """True if a group that is repeated possessively repeats something behind its beginning."""
    for place, (operator, operand) in enumerate(tokens):
        name = str(operator)
        if repeated and place and "REPEAT" in name:
            return True
        if name == "BRANCH":
            inner = [(branch, repeated) for branch in operand[1]]
        elif name in ("SUBPATTERN", "ASSERT", "ASSERT_NOT"):
            inner = [(operand[-1], repeated)]
        elif name == "ATOMIC_GROUP":
            inner = [(operand, repeated)]
        elif "REPEAT" in name:
            inner = [(operand[2], repeated or name == "POSSESSIVE_REPEAT")]
        else:
            inner = []
        if any(_stale(each, repeated=within) for each, within in inner):
            return True
    return False


@pytest.mark.parametrize(
    ("expression", "stale"),
    [
        (r"[0-9]++(?:\.[0-9]++)*", False),
        (r"[0-9]++(?:\.[0-9]++)*+", True),
        (r"(?:[^a]++|b.)*+", False),
        (r"(?:%(?:25)*+a)++", True),
    ],
)
def test_a_possessive_repeat_that_an_old_python_reads_wrongly_is_recognised(expression: str, stale: bool) -> None:
    assert _stale(_parser.parse(expression)) is stale


def test_every_expression_means_the_same_to_each_patch_of_python() -> None:
    """Before 3.11.5 Python does not go back where a turn of a possessive repeat fails behind an inner repeat (gh-106052): Debian 12 has 3.11.2."""
    patterns = dict(_patterns())

    assert len(patterns) > 50
    assert [name for name, pattern in patterns.items() if _stale(_parser.parse(pattern.pattern, pattern.flags))] == []
