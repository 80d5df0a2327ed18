"""The console's own listener, in a thread of its own: whatever is asked there, the receiver's event loop turns."""

import socket
import threading

import structlog

from syncd.config import Config
from syncd.console.site import site
from syncd.errors import ConfigError
from syncd.platform import http_server
from syncd.store import Store

log = structlog.get_logger("syncd.console")

HEADER_SECONDS = 10.0
MAX_CONNECTIONS = 100


class Serving(threading.Thread):
    """Serves the console until it is stopped."""

    def __init__(self, config: Config, store: Store, bound: socket.socket) -> None:
        """Raises ConfigError when the console's password cannot be read."""
        super().__init__(name="console", daemon=True)
        self._bound = bound
        self._server = http_server.Server(site(config, store), HEADER_SECONDS, MAX_CONNECTIONS, self._ready)

    def _ready(self) -> None:
        log.info("console_listening", address=f"http://{http_server.address_of(self._bound)}/")

    def run(self) -> None:
        self._server.run(sockets=[self._bound])

    def stop(self) -> None:
        """Finish what was asked, and return."""
        self._server.stop()
        self.join()


def serving(config: Config, store: Store) -> Serving | None:
    """The console where it is configured; None where it is off, or cannot listen: that must not keep notifications from being taken.

    Raises ConfigError when the console's password cannot be read."""
    if config.console.address is None:
        return None
    try:
        bound = http_server.bind(config.console.address)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no host name"
        log.warning("console_disabled", listen=config.console.listen, reason=why, remedy="set console.listen")
        return None
    try:
        return Serving(config, store, bound)
    except ConfigError:
        bound.close()
        raise
