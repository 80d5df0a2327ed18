"""The processes that share the store, and which of them have died.

On its own machine the kernel shows whether a process lives. A process of another machine counts as dead only after it has not renewed its
registration for longer than any lease lasts: by then it may not write to a tracker any more.
"""

import os
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from syncd import __version__
from syncd.core.budget import SKEW_SECONDS
from syncd.store.connection import Connection, Transaction
from syncd.store.outbox import LEASE_SECONDS
from syncd.store.sqlite.process_lock import ProcessLock, new_owner

DEAD_SECONDS = LEASE_SECONDS + SKEW_SECONDS

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A process as it was registered last. `part` is `all`, `receiver` or `worker`."""

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
        self.beat(now)

    def beat(self, now: float) -> None:
        """Renew the registration. Raises StoreUnavailable."""
        self._connection.write(lambda transaction: transaction.run("beat", beat_at=now, **self._line), exclusive=False)

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
            if process.machine == _machine():
                return _begun(process.pid) != process.begun
            return now - process.beat_at > DEAD_SECONDS

        return is_dead

    def close(self) -> None:
        """Remove this registration. Raises StoreUnavailable."""
        try:
            self._connection.write(
                lambda transaction: transaction.run("forget_instance", owner=self.owner), exclusive=False
            )
        finally:
            if self._lock is not None:
                self._lock.close()


def running(connection: Connection) -> list[Running]:
    """Return all registered processes, the longest running first."""
    return connection.read(_processes)


def judge_otherwise(transaction: Transaction, routes: str) -> bool:
    """True if a process runs that judges groups by other routes than those with this digest."""
    return bool(transaction.rows("instances_unlike", routes=routes))


def _processes(transaction: Transaction) -> list[Running]:
    return [Running(**cast(Mapping[str, Any], row)) for row in transaction.rows("instances")]


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
