"""Scrubbing removes private data and keeps all other text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.scrub import Scrubber
from tests.core.scrub_corpus import HARMLESS, PRIVATE

ALL = Scrubber()
NONE = Scrubber(user_folders=False, emails=False, ips=False, tokens=False)
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


@pytest.mark.parametrize("text", HARMLESS)
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


@pytest.mark.parametrize(
    "piece", ["a", "1.", "a@", "/home/", ":", "eyJ", "token=", "a.", "=", "-----BEGIN ", "\\", "http://a:"]
)
def test_a_text_of_any_length_is_read_in_one_go(piece: str) -> None:
    ALL.text(piece * (20_000 // len(piece)))
