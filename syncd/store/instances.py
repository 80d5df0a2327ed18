"""The processes that share the store, and which of them have died.

On its own machine the kernel shows whether a process lives. A process of another machine counts as dead only after it has not renewed its
registration for longer than any lease lasts: by then it may not write to a tracker any more.
"""

import os
import secrets
import socket
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from syncd import __version__
from syncd.core.budget import SKEW_SECONDS
from syncd.store.connection import Connection, Transaction
from syncd.store.outbox import LEASE_SECONDS
from syncd.store.sqlite.connection import Sqlite
from syncd.store.sqlite.process_lock import ProcessLock, folder_of, is_locked, new_owner

DEAD_SECONDS = LEASE_SECONDS + SKEW_SECONDS
CRASHES_SECONDS = 600.0  # for so long a start that nobody stopped is on record
_START = "start."  # setting of a process, with the time of its start, from then until it is stopped on purpose
_CONSOLE = "console."  # setting of a process that should serve the console, with the reason why it does not

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A process as it was registered last. `part` is a `Part`."""

    owner: str
    host: str
    machine: str
    pid: int
    begun: str
    part: str
    version: str
    routes: str | None  # the digest of those by which it judges groups, None if it judges none
    started_at: float
    beat_at: float
    folds: float  # deliveries in a second, by the latest heartbeats
    lives: bool = True  # as far as this machine can tell; a process of another machine by its last heartbeat


class Registration:
    """The registration of this process. Its `owner` is the name under which it claims groups."""

    def __init__(
        self, connection: Connection, part: str, now: float, lock: ProcessLock | None, routes: str | None = None
    ) -> None:
        """`lock` is the lock on a file next to a SQLite store; None for a server. It shows at once that a process has died. `routes` is
        the digest of the routes by which this process judges groups."""
        self._connection = connection
        self._lock = lock
        self.owner = lock.owner if lock is not None else new_owner()
        self._line = {
            "owner": self.owner,
            "host": socket.gethostname(),
            "machine": _machine(),
            "pid": os.getpid(),
            "begun": _begun(os.getpid()) or "",
            "part": part,
            "version": __version__,
            "routes": routes,
            "started_at": now,
        }

        def write(transaction: Transaction) -> None:
            transaction.run("forget_starts", before=now - CRASHES_SECONDS)
            transaction.run("forget_consoles")
            transaction.run("set", name=f"{_START}{self.owner}", value=repr(now))
            transaction.run("beat", beat_at=now, folds=0.0, **self._line)

        connection.write(write, exclusive=False)

    def beat(self, now: float, folds: float = 0.0) -> None:
        """Renew the registration of a process that folds so many deliveries in a second. Raises StoreUnavailable."""
        self._connection.write(
            lambda transaction: transaction.run("beat", beat_at=now, folds=folds, **self._line), exclusive=False
        )

    def note_console(self, fault: str) -> None:
        """Put down that this process serves the console, or, by a `fault`, why it does not. Raises StoreUnavailable."""
        name = f"{_CONSOLE}{self.owner}"
        self._connection.write(lambda transaction: transaction.run("set", name=name, value=fault), exclusive=False)

    def judge(self, transaction: Transaction, now: float) -> Callable[[str], bool]:
        """Return a function that says whether an owner has died; an owner is a process, then `/` and a thread. It holds in the
        transaction that read the processes, and not after it."""
        if self._lock is not None:
            return self._lock.is_dead
        processes = {process.owner: process for process in _processes(transaction)}

        def is_dead(owner: str) -> bool:
            instance = owner.partition("/")[0]
            process = processes.get(instance)
            if process is None or instance == self.owner:
                return instance != self.owner
            return not _lives(process, None, now)

        return is_dead

    def close(self, *, stopped: bool = True) -> None:
        """Remove this registration. The start stays on record unless somebody has `stopped` the process. Raises StoreUnavailable."""

        def write(transaction: Transaction) -> None:
            transaction.rows("forget_instance", owner=self.owner)
            transaction.run("unset", name=f"{_CONSOLE}{self.owner}")
            if stopped:
                transaction.run("unset", name=f"{_START}{self.owner}")

        try:
            self._connection.write(write, exclusive=False)
        finally:
            if self._lock is not None:
                self._lock.close()


def running(connection: Connection, now: float) -> list[Running]:
    """Return all registered processes, the longest running first. One that died is registered until another process takes over."""
    database = connection.path if isinstance(connection, Sqlite) else None
    return [replace(process, lives=_lives(process, database, now)) for process in connection.read(_processes)]


def crashes(connection: Connection, alive: Collection[str], now: float) -> int:
    """Return how many processes, none of those `alive`, started in the last CRASHES_SECONDS and ended without being stopped."""
    starts = connection.select("starts", since=now - CRASHES_SECONDS, until=now + SKEW_SECONDS)
    return sum(row["owner"] not in alive for row in starts)


def consoles(connection: Connection, alive: Collection[str]) -> dict[str, str]:
    """Return by process, of those `alive` that should serve the console, why it does not; empty for one that does."""
    return {str(row["owner"]): str(row["fault"]) for row in connection.select("consoles") if row["owner"] in alive}


def judge_otherwise(transaction: Transaction, routes: str) -> bool:
    """True if a process runs that judges groups by other routes than those with this digest."""
    return bool(transaction.rows("instances_unlike", routes=routes))


def _processes(transaction: Transaction) -> list[Running]:
    return [Running(**cast(Mapping[str, Any], row)) for row in transaction.rows("instances")]


def _lives(process: Running, database: Path | None, now: float) -> bool:
    """Judge by the lock next to a SQLite `database`, which holds for every container and user that may look at it; else by the kernel,
    and on another machine by the heartbeat."""
    if database is not None:
        with suppress(PermissionError):
            return is_locked(folder_of(database) / process.owner)
    if process.machine == _machine():
        return _begun(process.pid) == process.begun
    return now - process.beat_at <= DEAD_SECONDS


def _machine() -> str:
    """Identify this boot of this machine and this namespace of process ids: a container has its own."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        (_PROC / "1/stat").read_text()  # a sandbox may hide other processes: all of them would look dead
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return f"unknown {secrets.token_hex(8)}"  # only the beat is left to judge by


def _begun(pid: int) -> str | None:
    """Return when a process began, in ticks since the boot (proc(5), field 22 of stat); None if it does not exist."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name of a program may contain blanks and brackets
    return None if fields[0] in ("Z", "X") else fields[19]
