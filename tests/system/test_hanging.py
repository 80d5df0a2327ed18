"""A tracker that hangs holds up nobody else, and is filed in once it answers again."""

from pathlib import Path

from tests.prove import hanging


def test_a_tracker_that_hangs_recovers_by_itself_while_another_is_filed_in_as_if_nothing_were(tmp_path: Path) -> None:
    came = hanging.hang(tmp_path, 3, seconds=8)

    assert came.creates > 0
    assert came.healthy_after < 8
    assert came.filed_after < 60
