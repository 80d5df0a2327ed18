"""Operations that begin at the same moment, for tests of the guarantees between threads and processes."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from syncd.model import Action, Plan

DONE = Plan(action=Action.NOTHING, reason="all is shown")
MANY = [f"{number:03}" for number in range(60)]


def at_once(*calls: Callable[[], object]) -> list[object]:
    """What calls return that all begin at the same moment."""
    gate = threading.Barrier(len(calls))

    def attempt(call: Callable[[], object]) -> object:
        gate.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return [future.result() for future in [threads.submit(attempt, call) for call in calls]]
