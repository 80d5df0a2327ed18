"""What the clients of one folder share: which digests are in the names of its files, and flushes of its entries to disk."""

import os
import threading
from pathlib import Path
from weakref import WeakValueDictionary

from syncd.platform.clock import Clock
from syncd.platform.fsync import sync

ENDING = ".md"
_PLACES = (
    2**20
)  # for digests: of new issues in a folder of 50,000, 1 in 20 shares the place of a file's digest and needs a reading
_PAUSE = 20  # the folder is read again after so many times as long as reading it took


def shared(folder: Path) -> "Folder":
    """Return the object that all clients of the folder in this process use."""
    return _FOLDERS.setdefault(folder, Folder(folder))


class Folder:
    """The files and entries of one folder; for any thread. Every method raises OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._reading = threading.Lock()
        self._digests = bytearray(_PLACES)  # 1 where a file may have such a digest; never 0 again
        self._read_again_at = 0.0
        self._flushed = threading.Condition()
        self._flushing = False
        self._begun = 0  # the number of the latest flush
        self._failed = 0  # the number of the latest flush that failed, and its error
        self._error = OSError()

    def has_files(self) -> bool:
        """Return whether there is any issue."""
        try:
            with os.scandir(self._folder) as entries:
                return any(entry.name.endswith(ENDING) for entry in entries)
        except FileNotFoundError:
            return False

    def files(self, digest: str = "") -> list[Path]:
        """Return the files whose names end with a digest, by default all files, in the order of their names."""
        ending = f"-{digest}{ENDING}" if digest else ENDING
        names = (
            sorted(name for name in os.listdir(self._folder) if name.endswith(ending)) if self._folder.is_dir() else []
        )
        return [self._folder / name for name in names]

    def may_have(self, digest: str, clock: Clock) -> bool:
        """Return False if no file has the digest in its name. Reading a large folder for each new issue would take longer than filing it:
        a file that another process added since the last reading counts only after the next, _PAUSE times as long after it as it took."""
        with self._reading:
            began = clock.monotonic()
            if began >= self._read_again_at:
                for path in self.files():
                    self.announce(path.stem[-8:])
                self._read_again_at = (ended := clock.monotonic()) + _PAUSE * (ended - began)
        return bool(self._digests[_place(digest)])

    def announce(self, digest: str) -> None:
        """A file with this digest in its name is about to be there."""
        self._digests[_place(digest)] = 1

    def flush(self) -> None:
        """Return when the entries that the folder has now are on disk. All who wait for the end of a flush share the next."""
        with self._flushed:
            number = self._begun + 1
            self._flushed.wait_for(lambda: not self._flushing or self._begun > number)
            if self._begun >= number:
                if self._failed >= number:
                    raise OSError(*self._error.args)
                return
            self._begun, self._flushing = number, True
        try:
            sync(self._folder)
        except OSError as error:
            self._failed, self._error = number, error
            raise
        finally:
            with self._flushed:
                self._flushing = False
                self._flushed.notify_all()


def _place(digest: str) -> int:
    return hash(digest) % _PLACES


_FOLDERS: WeakValueDictionary[Path, Folder] = WeakValueDictionary()
