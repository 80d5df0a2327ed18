"""Fixtures of the store."""

from collections.abc import Iterator

import pytest

from syncd.config import StoreSettings
from syncd.store import Store, open_store


@pytest.fixture
def another(settings: StoreSettings, store: Store) -> Iterator[Store]:
    """A second process on the same store, as far as the store can tell."""
    opened = open_store(settings)
    yield opened
    opened.close()
