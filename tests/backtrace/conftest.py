"""A double of Backtrace, and the configuration of its project."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.backtrace.client import Client, Target
from syncd.config import BacktraceProject, BacktraceSettings, Secret
from syncd.core.budget import Limit
from syncd.platform.clock import Clock
from tests.fakes.backtrace import TOKEN, FakeBacktrace

PLENTY = [Limit(count=1_000_000, seconds=1.0)]


@pytest.fixture
def fake() -> Iterator[FakeBacktrace]:
    with FakeBacktrace() as server:
        yield server
        assert server.problems == []


Configured = Callable[..., Target]


@pytest.fixture
def configured(fake: FakeBacktrace, tmp_path: Path) -> Configured:
    """The double's project, as a configuration has it; keywords are keys of the project."""

    def make(url: str | None = None, timeout: float = 5.0, **keys: Any) -> Target:
        file = tmp_path / "backtrace-token"
        file.write_text(f"{TOKEN}\n")
        values: dict[str, Any] = {"name": "game", "token": Secret(file=str(file)), "reads": PLENTY} | keys
        project = BacktraceProject(**values)
        settings = BacktraceSettings(url=url or fake.url, universe="acme", timeout=timeout, projects=[project])
        return Target(name="acme", settings=settings, project=project)

    return make


@pytest.fixture
def client(configured: Configured) -> Iterator[Client]:
    made = Client(configured(), Clock(), lambda _: None)
    yield made
    made.close()
