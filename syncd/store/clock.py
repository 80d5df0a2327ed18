"""The clock that all due times are kept in. Where it is set back, what waits is moved along: what had to wait a minute more would
have to wait an hour and a minute otherwise. Where it is set forward, things are only due early."""

import time
from pathlib import Path
from typing import cast

from syncd.store.connection import Connection, Transaction

JUMP_SECONDS = 5.0  # less is nobody's concern

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_MOVES = ("move_outbox", "move_issues", "move_trackers", "move_silences")


class Clock:
    """Operations on the clock of the one machine that a file is on; for any thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._name = f"clock.origin {_boot()}"
        self._origin: float | None = None

    def follow(self) -> float:
        """Move what waits along with a clock that was set back since it was last looked at, by this process or another: by how many
        seconds. Raises StoreUnavailable."""
        origin = time.time() - _uptime()
        if self._origin is not None and abs(origin - self._origin) < JUMP_SECONDS:
            return 0.0

        def move(transaction: Transaction) -> float:
            known = transaction.rows("setting", name=self._name)
            moved = origin - float(cast(str, known[0]["value"])) if known else 0.0
            transaction.run("set", name=self._name, value=repr(origin))
            transaction.run("heal_budgets", now=time.time())
            if moved > -JUMP_SECONDS:
                return 0.0
            for query in _MOVES:
                transaction.run(query, by=moved)
            return -moved

        back = self._connection.write(move)
        self._origin = origin
        return back


def _boot() -> str:
    """Tells this start of this machine from any other: each counts its uptime from another beginning."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return "unknown"


def _uptime() -> float:
    """Seconds that nobody can set, sleep included, the same for all processes of a machine until it is started anew."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
