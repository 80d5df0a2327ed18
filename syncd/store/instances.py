"""Which processes share the store, and which of them have died.

On one machine the kernel tells. From another one a process is taken for dead only when it has not renewed its line for longer than
any lease lasts: whatever it still had in hand is too late to be sent by then.
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
from syncd.store.claims import LEASE_SECONDS
from syncd.store.connection import Connection
from syncd.store.sqlite.process_lock import ProcessLock, new_owner

DEAD_SECONDS = LEASE_SECONDS + SKEW_SECONDS

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A process as it last showed itself. `part` is `all`, `receiver` or `worker`."""

    owner: str
    host: str
    machine: str
    pid: int
    begun: str
    part: str
    version: str
    started_at: float
    beat_at: float


class Registration:
    """This process among those that share the store, known to the others by `owner`."""

    def __init__(self, connection: Connection, part: str, now: float, lock: ProcessLock | None) -> None:
        """`lock` is held on a file beside a store on one machine, where it tells even better who lives."""
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
            "started_at": now,
        }
        self.beat(now)

    def beat(self, now: float) -> None:
        """Show that this process lives. Raises StoreUnavailable."""
        self._connection.write(lambda transaction: transaction.run("beat", beat_at=now, **self._line), exclusive=False)

    def judge(self, now: float) -> Callable[[str], bool]:
        """Tells of whoever claimed as an owner (an instance, then `/` and a thread) whether it has died."""
        if self._lock is not None:
            return self._lock.is_dead
        known = {one.owner: one for one in running(self._connection)}

        def is_dead(owner: str) -> bool:
            instance = owner.partition("/")[0]
            return instance != self.owner and (instance not in known or _has_died(known[instance], now))

        return is_dead

    def sweep(self, is_dead: Callable[[str], bool]) -> None:
        """Forget those that died; a line of one that was only asleep comes back with its next beat."""
        for owner in [one.owner for one in running(self._connection) if is_dead(one.owner)]:
            self._forget(owner)

    def close(self) -> None:
        """Leave. Raises StoreUnavailable."""
        try:
            self._forget(self.owner)
        finally:
            if self._lock is not None:
                self._lock.close()

    def _forget(self, owner: str) -> None:
        self._connection.write(lambda transaction: transaction.run("forget_instance", owner=owner), exclusive=False)


def running(connection: Connection) -> list[Running]:
    """All processes that have not left, the longest running first."""
    rows = connection.read(lambda transaction: transaction.rows("instances"))
    return [Running(**cast(Mapping[str, Any], row)) for row in rows]


def _has_died(one: Running, now: float) -> bool:
    if one.machine == _machine():
        return _begun(one.pid) != one.begun
    return now - one.beat_at > DEAD_SECONDS


def _machine() -> str:
    """One start of one machine, and the process numbers that are counted there: a container has its own."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        (_PROC / "1/stat").read_text()  # a sandbox may hide the processes of others: they would all look dead
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return f"unknown {secrets.token_hex(8)}"  # then only the beat tells


def _begun(pid: int) -> str | None:
    """When a process began, in ticks since its machine did (proc(5), field 22 of stat); None where there is none."""
    try:
        said = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    fields = said.rpartition(")")[2].split()  # a program's name may hold blanks and brackets
    return None if fields[0] in ("Z", "X") else fields[19]
