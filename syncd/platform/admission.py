"""Who may use a listener: requests that a browser sends for a foreign page, peers that fail to log in, and refusals that fill a log."""

import asyncio
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

FAILURE_SECONDS = 1.0  # each failed login of a peer costs it as much waiting
LONGEST_SECONDS = 10.0  # the longest wait; a listener closes no connection earlier than that
PEERS = 4096  # that are remembered; the one whose latest failure is the oldest is forgotten first
LOG_SECONDS = 60.0
_LOOPBACK = re.compile(rb"(?:localhost|\[::1\]|127(?:\.[0-9]{1,3}){3})(?::[0-9]{1,5})?", re.IGNORECASE)


def is_loopback(host: bytes) -> bool:
    """Return whether a Host header is a name of this machine that no DNS server can give to a foreign page."""
    return _LOOPBACK.fullmatch(host) is not None


def browser_trace(headers: Iterable[tuple[bytes, bytes]], *, any_host: bool) -> str | None:
    """Return the header by which a browser gives away that it sends a request for a page, None if there is none.

    Every browser sends Sec-Fetch-Site to a loopback address or Origin with a POST (Fetch standard, "append a request Origin header"); programs
    send neither. Unless `any_host`, a Host that is no loopback name counts too: a page can give its own name this machine's address.
    """
    for name, value in headers:
        if name in (b"origin", b"sec-fetch-site") or (name == b"host" and not any_host and not is_loopback(value)):
            return name.decode().title()
    return None


@lru_cache(PEERS)
def network_of(peer: str) -> str:
    """Return what one machine has of addresses: an address, and with IPv6 a whole /64."""
    try:
        return str(ip_network((peer, 64), strict=False)) if ip_address(peer).version == 6 else peer
    except ValueError:
        return peer


class FailedLogins:
    """Makes a peer that fails to log in wait. A correct login never waits: many senders may share the address of a proxy."""

    def __init__(self, free: int) -> None:
        """A peer that has not failed for a while is answered `free` times at once."""
        self._free = free
        self._paid: dict[str, float] = {}  # by peer, until when its failures are paid off; the latest failure last

    def wait(self, peer: str, now: float) -> float:
        """Return how many seconds the answer to one more failed login of `peer` has to wait. `now` is a monotonic time."""
        key = network_of(peer)
        paid = max(self._paid.pop(key, now), now) + FAILURE_SECONDS
        self._paid[key] = min(paid, now + self._free * FAILURE_SECONDS + LONGEST_SECONDS)
        if len(self._paid) > PEERS:
            del self._paid[next(iter(self._paid))]
        return max(0.0, self._paid[key] - now - self._free * FAILURE_SECONDS)


class ThrottledLog:
    """Logs the first event of a kind at once, and those of each following minute in one line with their number. Belongs to one event loop."""

    def __init__(self, logger: Any) -> None:
        self._logger = logger
        self._waiting: dict[tuple[str, object], tuple[int, Mapping[str, object]]] = {}

    def warning(self, event: str, kind: object, **facts: object) -> None:
        """Note an event. `kind` is one of few constants; of the events in one line, `facts` are those of the latest."""
        key = event, kind
        if key in self._waiting:
            self._waiting[key] = self._waiting[key][0] + 1, facts
        else:
            self._logger.warning(event, **facts, count=1)
            self._begin(key)

    def _begin(self, key: tuple[str, object]) -> None:
        self._waiting[key] = 0, {}
        asyncio.get_running_loop().call_later(LOG_SECONDS, self._end, key)

    def _end(self, key: tuple[str, object]) -> None:
        count, facts = self._waiting.pop(key)
        if count:
            self._logger.warning(key[0], **facts, count=count)
            self._begin(key)
