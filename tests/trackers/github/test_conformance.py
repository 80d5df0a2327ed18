"""GitHub does what every tracker must do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.plugin.conformance import Conformance
from tests.trackers.github.world import GitHubAppWorld, GitHubWorld


class TestGitHub(Conformance):
    @pytest.fixture(params=["graphql", "rest"])
    def world(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GitHubWorld]:
        with GitHubWorld(tmp_path) as world:
            world.fake.graphql = request.param == "graphql"
            yield world


@pytest.mark.slow
class TestGitHubApp(Conformance):
    """With a token that ends every few requests."""

    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[GitHubAppWorld]:
        with GitHubAppWorld(tmp_path) as world:
            yield world
