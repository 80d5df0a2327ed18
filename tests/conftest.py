"""Fixtures of several tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.config import Config, LocalSettings, Route, StoreSettings
from syncd.rules import Rules
from syncd.store import open_store
from tests.scene import PROBES, Scene, Tracker


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    settings = StoreSettings(url=f"sqlite:{tmp_path}/syncd.db")
    store = open_store(settings)
    config = Config(
        store=settings,
        trackers={"here": LocalSettings(kind="local", folder="unused", probe_after=PROBES)},
        routes=[Route(tracker="here", status_interval=1.0)],
    )
    yield Scene(store, Rules(config=config, instance_key=store.instance_key()), Tracker(), tmp_path / "syncd.db")
    store.close()
