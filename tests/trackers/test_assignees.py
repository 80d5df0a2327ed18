"""The names of assignees: shown as they are, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.scrub import Scrubber
from syncd.trackers.assignees import MOST, WITHHELD, owners


@pytest.mark.parametrize(
    ("people", "names"),
    [
        ([], ()),
        ([["alice"], ["bob"]], ("alice", "bob")),
        ([["Ada Lovelace", "ada"]], ("Ada Lovelace",)),
        ([["ada@acme.example", "ada"]], ("ada",)),
        ([["ada@acme.example", "ada@acme.example"]], (WITHHELD,)),
        ([["Ada <ada@acme.example>", None]], (WITHHELD,)),
        ([["x" * 500 + "ada@acme.example"]], (f"{'x' * 99}…",)),
        ([["", None], [7]], (WITHHELD,)),
        ([["\u202eada\x1b[2J\n"]], ("\ufffdada\ufffd[2J",)),
        ([["ada"], ["ada"]], ("ada",)),
        ([[f"person {number}"] for number in range(50)], tuple(f"person {number}" for number in range(MOST))),
    ],
)
def test_each_person_has_one_name(people: list[list[object]], names: tuple[str, ...]) -> None:
    assert owners(people) == names


@given(
    st.lists(
        st.lists(st.one_of(st.none(), st.text(max_size=40), st.emails(), st.emails().map("A <{}>".format)), max_size=3),
        max_size=4,
    )
)
def test_no_name_has_private_data(people: list[list[str | None]]) -> None:
    names = owners(people)
    assert bool(names) == bool(people), "an issue is assigned or not, whatever may be shown of its people"
    assert all(Scrubber().text(name) == name for name in names)
