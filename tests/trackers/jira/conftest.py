"""A fake of each deployment, and adapters opened on it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.config import JiraSettings
from syncd.trackers.jira.tracker import Jira
from tests.fakes.jira import EMAIL, TOKEN, FakeJira, FakeJiraCloud, FakeJiraDataCenter
from tests.fakes.notebook import Memory
from tests.trackers.clock import AdapterClock
from tests.trackers.jira.parts import Open

DEPLOYMENTS = {"cloud": FakeJiraCloud, "datacenter": FakeJiraDataCenter}


@pytest.fixture(params=sorted(DEPLOYMENTS))
def fake(request: pytest.FixtureRequest) -> Iterator[FakeJira]:
    with DEPLOYMENTS[request.param]() as server:
        yield server
        assert server.problems == []


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


@pytest.fixture
def clock() -> AdapterClock:
    return AdapterClock()


@pytest.fixture
def opened(fake: FakeJira, token_file: Path, clock: AdapterClock) -> Iterator[Open]:
    """Opens adapters on the fake, with further settings, and closes them."""
    adapters: list[Jira] = []
    memory = Memory()

    def opener(patience: float = 5.0, **settings: Any) -> Jira:
        cloud = isinstance(fake, FakeJiraCloud)
        given = {
            "kind": "jira",
            "deployment": "cloud" if cloud else "datacenter",
            "url": fake.url,
            "project": fake.project,
            "token": {"file": str(token_file)},
        } | ({"email": EMAIL} if cloud else {})
        parsed = JiraSettings.model_validate({**given, **settings})
        # Below the shortest timeout that a configuration may have.
        parsed = parsed.model_copy(update={"timeout": patience})
        adapters.append(Jira("mobile", parsed, memory, clock=clock, sleep=clock.sleep))
        return adapters[-1]

    yield opener
    for adapter in adapters:
        adapter.close()
