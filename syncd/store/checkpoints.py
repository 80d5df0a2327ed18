"""Checkpoints: what commits left in the log is put in its place by a thread of its own, so that no commit has to wait for it."""

import threading
from pathlib import Path

from sqlite_utils.utils import sqlite3

from syncd.errors import StoreUnavailable
from syncd.store.opened import Opened

PERIOD_SECONDS = 1.0
# Beyond so many pages (64 MB) the committing thread does what is left to do, which is little: only then can the log begin anew,
# where there is always somebody who writes.
LIMIT_PAGES = 16_000


class Checkpointer(threading.Thread):
    """Copies from the log of one file until it is stopped."""

    def __init__(self, path: Path) -> None:
        super().__init__(name="checkpoint", daemon=True)
        self._path = path
        self._written = threading.Event()
        self._stopping = threading.Event()
        self._copying = threading.Lock()
        self._paused = False

    def written(self) -> None:
        """There is something in the log."""
        self._written.set()

    def run(self) -> None:
        while self._written.wait():
            self._written.clear()  # before it is asked whether to stop: what stop() sets afterwards is not missed
            if self._stopping.wait(PERIOD_SECONDS):
                return
            with self._copying:
                if not self._paused:
                    self._copy()

    def _copy(self) -> None:
        """Keeps nobody waiting: it copies what is there, up to what a reader still looks at.

        On a connection of its own each time. The last one to a file removes its log by name when it is closed, and SQLite tells another file
        in its place only by its inode (os_unix.c, fileHasMoved): one that lingered after a disk was replaced by its copy would remove
        the log of the copy, and what was committed there with it.
        """
        try:
            opened = Opened(self._path)
            try:
                opened.database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            finally:
                opened.close()
        except (sqlite3.Error, OSError, StoreUnavailable):
            return  # what is wrong with the file the next commit tells; what was not copied stays in the log

    def pause(self) -> None:
        """Leave the file alone, from now on."""
        with self._copying:
            self._paused = True

    def go_on(self) -> None:
        """Copy again."""
        self._paused = False

    def stop(self) -> None:
        """End it, and wait for that."""
        self._stopping.set()
        self._written.set()
        self.join()
