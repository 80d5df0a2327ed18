"""A poisoned crash and a dead tracker cost nobody else an issue."""

from pathlib import Path

from tests.prove import neighbours
from tests.prove.crashes import Tally


def test_two_hundred_crashes_are_filed_beside_poisoned_ones_and_a_tracker_that_hangs_which_are_shown_with_their_reason(
    tmp_path: Path,
) -> None:
    filed = neighbours.file_healthy(tmp_path, hangs=True)

    assert filed.healthy == Tally(issues=neighbours.HEALTHY, missing=0, doubles=0)
    assert filed.wrong() == []
