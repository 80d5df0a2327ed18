"""Consoles to look at."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.config import StoreSettings
from syncd.store import Store, open_store
from tests.console.site import Site, configuration, live, served
from tests.postgres import Databases


@pytest.fixture(scope="session")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store that holds a week of crashes, and their issues. Each test gets a copy of the store; the issues are in
    one place, where the store says they are."""
    folder = tmp_path_factory.mktemp("week")
    settings = StoreSettings(url=f"sqlite:{folder}/syncd.db")
    store = open_store(settings)
    live(Site(configuration(folder, settings), store, ("", 0)))
    store.close()
    return folder


@pytest.fixture
def site(tmp_path: Path, week: Path) -> Iterator[Site]:
    """A console over a week of crashes."""
    shutil.copy(week / "syncd.db", tmp_path / "syncd.db")
    settings = StoreSettings(url=f"sqlite:{tmp_path}/syncd.db")
    store = open_store(settings)
    with served(configuration(week, settings), store) as made:
        yield made
    store.close()


@pytest.fixture
def server_site(tmp_path: Path, servers: Databases) -> Iterator[Site]:
    """The same over a store on a server."""
    settings = StoreSettings(url=servers.new())
    store: Store = open_store(settings)
    with served(configuration(tmp_path, settings), store) as made:
        live(made)
        yield made
    store.close()


@pytest.fixture(params=["site", "server_site"], ids=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest) -> Site:
    """A console on each database, for pages with queries of their own."""
    made: Site = request.getfixturevalue(request.param)
    return made
