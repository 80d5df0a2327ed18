"""Consoles to look at."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.config import StoreSettings
from syncd.store import Store
from tests.console.site import Site, configuration, live, served


@pytest.fixture
def site(tmp_path: Path, settings: StoreSettings, store: Store) -> Iterator[Site]:
    """A console over a week of crashes, on each database."""
    with served(configuration(tmp_path, settings), store) as made:
        live(made)
        yield made
