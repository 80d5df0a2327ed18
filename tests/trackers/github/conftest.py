"""A fake GitHub, and adapters opened on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.config import GitHubSettings, Secret
from syncd.model import Issue
from syncd.trackers.github.tracker import GitHub
from tests.fakes.github import TOKEN, FakeGitHub
from tests.fakes.notebook import Memory
from tests.fakes.specs import check_traffic
from tests.trackers.clock import AdapterClock
from tests.trackers.github.parts import DRAFT, Open, linked


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    """GitHub; every request it took must be one that GitHub describes."""
    with FakeGitHub() as server:
        yield server
    check_traffic(server)


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def clock() -> AdapterClock:
    return AdapterClock()


@pytest.fixture
def open_github(fake: FakeGitHub, memory: Memory, clock: AdapterClock, tmp_path: Path) -> Iterator[Open]:
    opened: list[GitHub] = []

    def opener(token: str = TOKEN, patience: float = 10.0, **settings: object) -> GitHub:
        (tmp_path / "token").write_text(token)
        given = {
            "kind": "github",
            "repository": "acme/game",
            "token": Secret(file=str(tmp_path / "token")),
            "api_url": fake.url,
            **settings,
        }
        # Below the shortest timeout that a configuration may have.
        parsed = GitHubSettings.model_validate(given).model_copy(update={"timeout": patience})
        tracker = GitHub("crashes", parsed, memory, clock=clock, sleep=clock.sleep)
        opened.append(tracker)
        return tracker

    yield opener
    for tracker in opened:
        tracker.close()


@pytest.fixture
def tracker(open_github: Open) -> GitHub:
    return open_github()


@pytest.fixture
def issue(tracker: GitHub) -> Issue:
    return linked(tracker.create(DRAFT))


@pytest.fixture(params=["graphql", "rest"])
def reading(request: pytest.FixtureRequest, fake: FakeGitHub) -> None:
    """Both ways a number can be read."""
    fake.graphql = request.param == "graphql"
