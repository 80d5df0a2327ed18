"""Which processes are alive. Each holds a lock on a file of its own, which the kernel gives up with the process, however
it dies: no heartbeat to wait for, and no process id that another may have been given since."""

import fcntl
import os
import secrets
import socket
from pathlib import Path


def new_owner() -> str:
    """A name that no other process has or had."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


class ProcessLock:
    """This process, known to the others by `owner` for as long as it lives."""

    def __init__(self, database: Path) -> None:
        self._folder = database.with_name(f"{database.name}-instances")
        self._folder.mkdir(exist_ok=True)
        self.owner = new_owner()
        # Locked before it gets its name: nobody can take it for one that was left behind.
        unnamed = self._folder / f".{self.owner}"
        self._file = unnamed.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        unnamed.rename(self._folder / self.owner)
        self._sweep()

    def is_dead(self, owner: str) -> bool:
        """Whether whoever claimed as `owner` (an instance, then `/` and a thread) has died."""
        instance = owner.partition("/")[0]
        return instance != self.owner and not _held(self._folder / instance)

    def _sweep(self) -> None:
        for left in self._folder.iterdir():
            # One without a name yet is about to be locked by a process that starts at this moment.
            if left.name != self.owner and not left.name.startswith(".") and not _held(left):
                left.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave."""
        (self._folder / self.owner).unlink(missing_ok=True)
        self._file.close()


def _held(path: Path) -> bool:
    try:
        with path.open("r") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
