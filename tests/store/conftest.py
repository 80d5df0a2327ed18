from collections.abc import Iterator
from pathlib import Path

import pytest

from syncd.config import StoreSettings
from syncd.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    opened = open_store(StoreSettings(url=f"sqlite:{tmp_path}/syncd.db"))
    yield opened
    opened.close()
