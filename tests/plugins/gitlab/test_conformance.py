"""GitLab does what every tracker must do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.plugin.conformance import Conformance
from tests.plugins.gitlab.world import GitLabWorld


class TestGitLab(Conformance):
    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[GitLabWorld]:
        with GitLabWorld(tmp_path) as world:
            yield world
