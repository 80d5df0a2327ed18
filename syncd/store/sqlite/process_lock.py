"""The living processes of one machine. Each holds a lock on a file of its own, which the kernel releases when the process ends, however it
dies: there is no heartbeat to wait for, and no process id that may belong to another process by now."""

import fcntl
import os
import secrets
import socket
from contextlib import suppress
from pathlib import Path


def new_owner() -> str:
    """Return a name that no other process has or had."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


class ProcessLock:
    """The lock of this process, which holds as long as the process lives; `owner` is its name."""

    def __init__(self, database: Path) -> None:
        """Raises OSError if this user may not write next to the database."""
        self._folder = folder_of(database)
        self._folder.mkdir(0o700, exist_ok=True)
        self.owner = new_owner()
        # Locked before it gets its name: no other process can take it for the file of a dead one.
        unnamed = self._folder / f".{self.owner}"
        self._file = unnamed.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        unnamed.rename(self._folder / self.owner)
        for file in self._folder.iterdir():
            # A file that begins with a dot is about to be locked by a process that starts at this moment.
            if not file.name.startswith(".") and self.is_dead(file.name):
                with suppress(PermissionError):
                    file.unlink(missing_ok=True)

    def is_dead(self, owner: str) -> bool:
        """Return whether an owner has died; an owner is a process, then `/` and a thread."""
        instance = owner.partition("/")[0]
        try:
            return instance != self.owner and not is_locked(self._folder / instance)
        except PermissionError:
            return False  # nobody takes work from a process that may live

    def close(self) -> None:
        """Release the lock and remove its file."""
        (self._folder / self.owner).unlink(missing_ok=True)
        self._file.close()


def folder_of(database: Path) -> Path:
    """Return the folder with one locked file for each living process of a database, named after its owner."""
    return database.with_name(f"{database.name}-instances")


def is_locked(path: Path) -> bool:
    """Return whether the process of this file lives. Raises PermissionError if the file is another user's, which can be neither locked nor judged."""
    try:
        with path.open("r") as file:
            # Shared: two processes that look at the file of a dead one at the same time must not take each other for it.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
