"""Hints between processes that share a store: "something arrived". They only save the wait until the next poll; none is needed."""

from collections.abc import Callable
from typing import Protocol

INBOX = "inbox"


def of_tracker(name: str) -> str:
    """The hint that a group owes this tracker a call."""
    return f"tracker {name}"


class Hints(Protocol):
    """What processes tell each other."""

    @property
    def leads(self) -> bool:
        """Whether this process is the one to absorb."""

    def send(self, *topics: str) -> None:
        """Tell all processes, this one included; at once, later, or, where the server is away, never."""

    def listen(self, told: Callable[[str], None]) -> None:
        """Call `told` with every topic from now on, from a thread of its own."""

    def close(self) -> None:
        """Stop listening."""


class NoHints:
    """Of a store on one machine: whoever stores something there wakes its own threads."""

    leads = True

    def send(self, *topics: str) -> None:
        pass

    def listen(self, told: Callable[[str], None]) -> None:
        pass

    def close(self) -> None:
        pass
