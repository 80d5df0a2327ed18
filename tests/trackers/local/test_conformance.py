"""A folder of files does what every tracker must do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.plugin.conformance import Conformance
from tests.trackers.local.world import LocalWorld


class TestLocal(Conformance):
    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[LocalWorld]:
        with LocalWorld(tmp_path) as world:
            yield world
