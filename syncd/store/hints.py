"""Hints between processes that share a store: "something arrived". They only shorten the wait until the next poll; losing one is harmless."""

from collections.abc import Callable
from typing import Protocol

INBOX = "inbox"


def of_tracker(name: str) -> str:
    """Return the hint that a group is due at this tracker."""
    return f"tracker {name}"


class Hints(Protocol):
    """The seam for hints between processes. `leads` is true in the one process that absorbs."""

    leads: bool

    def send(self, *topics: str) -> None:
        """Send topics to all processes, this one included: soon, or never if the server is unavailable."""

    def listen(self, notify: Callable[[str], None]) -> None:
        """Call `notify` with every topic from now on, in a thread of its own."""

    def close(self) -> None:
        """Stop listening."""


class NoHints:
    """No hints, for a store on one machine: a process that stores something there wakes its own threads."""

    leads = True

    def send(self, *topics: str) -> None:
        pass

    def listen(self, notify: Callable[[str], None]) -> None:
        pass

    def close(self) -> None:
        pass
