"""A tracker of another package, found by its entry point, does what every tracker must do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.plugin.conformance import Conformance
from tests.trackers.sample.world import DeskWorld, KeyedDeskWorld


class TestDesk(Conformance):
    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[DeskWorld]:
        with DeskWorld(tmp_path) as world:
            yield world


class TestKeyedDesk(Conformance):
    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[KeyedDeskWorld]:
        with KeyedDeskWorld(tmp_path) as world:
            yield world
