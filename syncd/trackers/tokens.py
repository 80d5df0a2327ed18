"""A token that a server gives for a time: fetched before the call that needs it, once for all threads, and replaced early."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from syncd.errors import Deferred, Misconfigured, Throttled, TrackerError, Unavailable
from syncd.platform.clock import Clock, Reading

T = TypeVar("T")

# GitHub's and Atlassian's documentation: for so long a token lasts.
HOUR = 3600.0
_MARGIN_SECONDS = 300.0  # so long before its end a token is replaced; a twelfth of its time where that is shorter
_SPARE_SECONDS = 60.0  # and so much earlier before what must not be sent twice
_LAST_SECONDS = 60.0  # for so long a token is used whose replacement cannot be fetched
_AGAIN_SECONDS = 30.0  # between two tries to replace a token that still lasts


@dataclass(frozen=True, slots=True)
class Fetched(Generic[T]):
    """A token, fetched when the clocks showed `reading`, and good for `seconds` from then on."""

    token: T = field(repr=False)
    reading: Reading
    seconds: float


class Tokens(Generic[T]):
    """The token of one login, for all threads of a process.

    `fetch` gets a new token and raises Unavailable, Throttled or Misconfigured; one thread calls it, while others wait. `release` ends its
    connections, whatever came of it. `lock` is held meanwhile; `fetches` counts the calls that have ended.
    """

    def __init__(self, clock: Clock, fetch: Callable[[], Fetched[T]], release: Callable[[], None]) -> None:
        self._clock, self._fetch, self._release = clock, fetch, release
        self.lock = threading.Lock()
        self.fetches = 0
        self._failure: TrackerError | None = None  # of the last fetch
        self._again_at = 0.0  # monotonic
        self._held: Fetched[T] | None = None

    def get(self, *, once: bool = False) -> T:
        """A token that lasts longer than a call takes; with `once`, longer than a call and its preparations that must not be sent twice.

        Raises as `fetch` does, and then nothing was sent but its own requests.
        """
        spare, before = _SPARE_SECONDS if once else 0.0, self.fetches
        if (held := self._lasting(spare)) is not None:
            return held.token
        with self.lock:
            if (held := self._lasting(spare)) is not None:
                return held.token
            if self.fetches != before and self._failure is not None:
                raise self._failure  # of the thread that this one waited for
            try:
                self._held, self._failure = self._fetch(), None
            except (Unavailable, Throttled) as error:
                self._failure = error
                if self._held is None or self._seconds_left(self._held) < _LAST_SECONDS:
                    raise
                self._again_at = self._clock.monotonic() + _AGAIN_SECONDS
            except TrackerError as error:
                self._failure = error
                raise
            finally:
                self.fetches += 1
                self._release()
            return self._held.token

    def refuse(self, token: T) -> None:
        """Do not return this token again: the server does not accept it."""
        with self.lock:
            if self._held is not None and self._held.token is token:
                self._held = None

    def drop(self) -> None:
        """Fetch a new token for the next call. The caller holds `lock`."""
        self._held = None

    def _lasting(self, spare: float) -> Fetched[T] | None:
        """The present token if it lasts for `spare` seconds more than the margin, or if it lasts and cannot be replaced right now."""
        held = self._held
        if held is None:
            return None
        left, part = self._seconds_left(held), min(1.0, held.seconds / HOUR)
        waits = self._clock.monotonic() < self._again_at and left >= _LAST_SECONDS
        return held if waits or left >= (_MARGIN_SECONDS + spare) * part else None

    def _seconds_left(self, held: Fetched[T]) -> float:
        return held.seconds - self._clock.since(held.reading)


def without_token(error: TrackerError, client: str) -> TrackerError:
    """The same failure of a request for a token, with the addition that `client`, such as "the App", sent nothing else."""
    reason = f"{client} gets no token, so that nothing was sent: {error.reason}"
    match error:
        case Deferred(retry_after=after):
            return Deferred(reason, after)
        case Unavailable(retry_after=after):
            return Unavailable(reason, after)
        case Throttled(seconds=seconds, narrow=narrow):
            return Throttled(reason, seconds, narrow=narrow)
        case Misconfigured(silent=page):
            return Misconfigured(reason, page=page, login=True)
    return error
