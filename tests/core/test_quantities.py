"""Numbers, durations and lists as text."""

import pytest

from syncd.core.quantities import counted, duration, listed


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"), (1, "1s"), (59.2, "60s"), (60, "1m"), (90, "90s"), (119, "119s"), (120, "2m"), (121, "3m"), (3600, "1h"),
        (3601, "61m"), (7200, "2h"), (7201, "3h"), (86400, "1d"), (90000, "25h"), (172800, "2d"), (172801, "3d"),
    ],
)  # fmt: skip
def test_a_duration_has_the_unit_that_people_would_choose(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_one_is_singular() -> None:
    assert (counted(0, "user"), counted(1, "user"), counted(2000, "user")) == ("0 users", "1 user", "2,000 users")


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (list("abcde"), "a, b, c and 2 more"),
    ],
)
def test_a_list_names_at_most_three_items(items: list[str], text: str) -> None:
    assert listed(items) == text
