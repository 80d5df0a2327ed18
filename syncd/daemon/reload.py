"""SIGHUP: the configuration is read anew. One that can be used is gone on with by the same program in the same process, once what is in
hand is finished; one that cannot is said, and nothing changes."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

import structlog

from syncd.config import Config
from syncd.errors import ConfigError
from syncd.platform.http_server import on_signals
from syncd.platform.systemd import Manager

log = structlog.get_logger("syncd")


@dataclass(frozen=True, slots=True)
class Again:
    """What the next program is handed: what the manager told this one, and the socket that stays open."""

    manager: Manager
    listening: socket.socket | None
    by_manager: bool

    def go_on(self) -> NoReturn:
        """Begin anew in this process: its number, its manager and its socket stay the same."""
        # Until it hears signals itself: the one that is its own would end it.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.manager.give_back(os.environ, self.listening, by_manager=self.by_manager)
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - as it was started


class Reload:
    """Waits for the signal beside a daemon that runs. `again` is set once it is to begin anew."""

    def __init__(
        self, reread: Callable[[], Config] | None, make_room: Callable[[Config], Again], stop: Callable[[], None]
    ) -> None:
        """`reread` raises ConfigError for a configuration that cannot be used; None leaves the signal alone."""
        self._reread = reread
        self._make_room = make_room
        self._stop = stop
        self._asked = threading.Event()
        self._ended = False
        self.again: Again | None = None

    @contextmanager
    def on_signal(self) -> Iterator[None]:
        """As long as the context lasts, SIGHUP is heard."""
        if self._reread is None:
            yield
            return
        thread = threading.Thread(target=self._wait, args=(self._reread,), name="reload", daemon=True)
        with on_signals((signal.SIGHUP,), self._asked.set):
            thread.start()
            try:
                yield
            finally:
                self._ended = True
                self._asked.set()
                thread.join()

    def _wait(self, reread: Callable[[], Config]) -> None:
        while self._asked.wait() and not self._ended:
            self._asked.clear()
            try:
                config = reread()
            except ConfigError as error:
                log.error("reload_refused", problems=error.problems)
                continue
            except Exception:  # this thread's boundary: the daemon goes on as it is
                log.exception("bug")
                continue
            log.info("reloading")
            self.again = self._make_room(config)
            self._stop()
            return
