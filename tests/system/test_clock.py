"""A clock that is set, forward or back, holds nothing up."""

from pathlib import Path

import pytest

from tests.prove import clock, shifted

pytestmark = pytest.mark.skipif(shifted.missing() is not None, reason=shifted.missing() or "")


def test_a_clock_that_is_set_back_amid_back_offs_leaves_one_issue_for_each_crash_and_every_count_right(
    tmp_path: Path,
) -> None:
    jumped = clock.jump(tmp_path, 3, "-1d")

    assert jumped.failed >= clock.GROUPS
    assert jumped.accepted == clock.NOTIFICATIONS
    assert jumped.filed_after < 60
