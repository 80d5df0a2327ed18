"""Scrubbing removes private data and keeps all other text."""

import os
import time
from collections import Counter
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.scrub import Scrubber
from tests.core.innocent import TEXTS
from tests.core.planted import MAKERS, Part, planted
from tests.core.scrub_corpus import HARMLESS, PRIVATE

ALL = Scrubber()
NONE = Scrubber(user_folders=False, emails=False, ips=False, tokens=False, devices=False)
PAIRS = [(switch, before, after) for switch, pairs in PRIVATE.items() for before, after in pairs]


def test_there_is_enough_to_judge_by() -> None:
    assert len(PAIRS) + len(HARMLESS) >= 80
    assert len(HARMLESS) >= 40


@pytest.mark.parametrize(("switch", "before", "after"), PAIRS)
def test_private_data_is_removed(switch: str, before: str, after: str) -> None:
    assert ALL.text(before) == after
    assert ALL.text(after) == after


@pytest.mark.parametrize(("switch", "before", "after"), PAIRS)
def test_each_kind_can_be_switched_off(switch: str, before: str, after: str) -> None:
    alone = {name: name == switch for name in PRIVATE}

    assert Scrubber(**alone).text(before) == after
    assert NONE.text(before) == before


# Names with nothing but a blank before their value: such a value must look like a secret, and `abc12` may be a variable.
LOOSE = 0.2
SEED = int(os.environ.get("SYNCD_FUZZ_SEED", "20"))


@pytest.mark.parametrize("part", get_args(Part))
def test_no_planted_item_leaves(part: Part) -> None:
    leaks = Counter[str]()
    texts = list(planted(SEED, part, 60))
    for item in texts:
        scrubbed = ALL.text(item.text)
        leaks[item.kind] += item.secret in scrubbed
        assert ALL.text(scrubbed) == scrubbed, item

    loose = sum(item.kind == "loose" for item in texts)
    assert leaks.pop("loose") <= LOOSE * loose
    assert sum(leaks.values()) <= 0.01 * len(texts), leaks


def test_the_plan_of_planted_items_has_every_kind() -> None:
    kinds = {item.kind for part in get_args(Part) for item in planted(SEED, part, 10)}

    assert set(MAKERS) <= kinds
    assert all(item.secret in item.text for item in planted(SEED, "tuning", 10))


@pytest.mark.parametrize("text", sorted({*HARMLESS, *TEXTS}))
def test_text_that_only_looks_private_stays(text: str) -> None:
    assert ALL.text(text) == text


pieces = st.sampled_from([before for _, before, _ in PAIRS] + HARMLESS) | st.text(max_size=8)


@given(st.lists(pieces, max_size=6).map(" ".join))
def test_scrubbing_twice_changes_nothing_more(text: str) -> None:
    once = ALL.text(text)

    assert ALL.text(once) == once
    assert NONE.text(text) == text


@given(st.text(max_size=300))
def test_whatever_a_text_holds_nothing_fails(text: str) -> None:
    assert len(ALL.text(text)) <= 8 * len(text) + 8


# Each makes an engine that tries again read a text many times over.
PIECES = [
    "a", "1.", "a@", "/home/", ":", "eyJ", "token=", "a.", "=", "-----BEGIN ", "\\", "http://a:", "_-", "a-", "authorization: bearer ", "1:", "a@b.",
    "a@b.c ", "/home/a ", "C:\\Users\\", "1.1.1.1 ", "%2f", "é@", "::", "a:b:", "://", "password ", "login=", "from: a@b ", "<password>", 'name="pass" ', "mysql -p ", "-----BEGIN A ", "mac=", "C:\\Users\\a ", "a at b dot ",
    "host name=", "-u a:", "token: x ", "pass=a1 ", "/home/a b/", "a (at) b ", "&key=", "sk-", "eyJaaaaaaaaaaaaa.",
]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.slow
def test_a_text_of_any_length_is_read_in_linear_time(piece: str) -> None:
    ALL.text(piece * 100)  # compiles
    costs = []
    for length in (10_000, 80_000):
        text = piece * (length // len(piece))
        began = time.thread_time()
        ALL.text(text)
        costs.append((time.thread_time() - began) / length)

    assert costs[1] < 6e-6  # seconds for a character
    assert costs[1] < 3 * costs[0] + 1e-7


def test_what_is_shown_costs_no_more_than_its_length() -> None:
    began = time.thread_time()
    for piece in PIECES:
        ALL.excerpt(piece * (1_000_000 // len(piece)), 1000)
    assert time.thread_time() - began < 1.0


@given(st.lists(pieces, min_size=1, max_size=4).map(" ".join), st.integers(0, 80), st.sampled_from([" ", "", "-", "/"]))
def test_no_half_of_an_item_remains_where_a_text_is_cut(text: str, before: int, between: str) -> None:
    whole = "x" * (200 - before) + between + text + " tail" * 300

    excerpt = ALL.excerpt(whole, 200)
    assert excerpt.endswith("…")
    assert len(excerpt) <= 201
    assert ALL.text(whole).startswith(excerpt[:-1])


@given(st.lists(pieces, min_size=1, max_size=4).map(" ".join), st.integers(0, 80), st.sampled_from([" ", "", "-", "/"]))
def test_no_half_of_an_item_remains_where_a_stored_text_was_cut(text: str, before: int, between: str) -> None:
    whole = "x" * (200 - before) + between + text + " tail" * 300

    excerpt = ALL.excerpt(whole[:200], 200, 200)
    assert excerpt.endswith("…")
    assert ALL.text(whole).startswith(excerpt[:-1])


@pytest.mark.parametrize(
    "text", ["alice [at] example [dot] com", "alice at example dot com", "alice [at]example[dot]com"]
)
@pytest.mark.parametrize("before", range(1, 28))
def test_no_half_of_an_address_in_words_remains_where_a_stored_text_was_cut(text: str, before: int) -> None:
    whole = "x" * (199 - before) + " " + text + " tail" * 300

    assert ALL.text(whole).startswith(ALL.excerpt(whole[:200], 200, 200)[:-1])


@pytest.mark.parametrize("text", ["", "a" * 199, "alice@example.com"])
def test_a_text_that_was_not_cut_is_shown_whole(text: str) -> None:
    assert ALL.excerpt(text, 200, 200) == ALL.text(text)
