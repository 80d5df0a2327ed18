"""Two processes on one store, for tests of the guarantees that hold between them."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from syncd.config import StoreSettings
from syncd.model import Action, Plan
from syncd.store import Store, open_store

DONE = Plan(action=Action.NOTHING, reason="all is shown")
MANY = [f"{number:03}" for number in range(60)]


@pytest.fixture
def another(settings: StoreSettings, store: Store) -> Iterator[Store]:
    """A second process on the same store, as far as the store can tell."""
    opened = open_store(settings)
    yield opened
    opened.close()


def at_once(*calls: Callable[[], object]) -> list[object]:
    """What calls return that all begin at the same moment."""
    gate = threading.Barrier(len(calls))

    def attempt(call: Callable[[], object]) -> object:
        gate.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return [future.result() for future in [threads.submit(attempt, call) for call in calls]]
