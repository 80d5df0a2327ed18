"""Due times follow the wall clock of their machine when it is set back: a wait of a minute would otherwise become one of an hour and a
minute. A clock that is set forward only makes things due early. Decision 0024 says why `budget.HORIZON_SECONDS` is needed as well."""

from pathlib import Path
from typing import cast

from syncd.platform.clock import Clock
from syncd.store.connection import Connection, Transaction

JUMP_SECONDS = 5.0  # a smaller step of the clock is ignored

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SHIFTS = ("shift_outbox", "shift_issues", "shift_trackers", "shift_budgets", "shift_silences")


class DueTimes:
    """The due times of a store on one machine; for any thread."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        try:
            boot = _BOOT_ID.read_text().strip()  # the monotonic clock of each boot begins anew
        except OSError:
            boot = "unknown"
        self._name = f"clock.origin {boot}"
        self._origin: float | None = None

    def follow_clock(self) -> float:
        """Shift all due times if the clock was set back since this process or another one last looked, and return by how many seconds.
        Raises StoreUnavailable."""
        # The wall time at which the monotonic clock showed 0; it is the same for all processes of a machine until that is rebooted.
        origin = self._clock.wall() - self._clock.monotonic()
        if self._origin is not None and abs(origin - self._origin) < JUMP_SECONDS:
            return 0.0

        def write(transaction: Transaction) -> float:
            rows = transaction.rows("setting", name=self._name)
            shift = origin - float(cast(str, rows[0]["value"])) if rows else 0.0
            transaction.run("set", name=self._name, value=repr(origin))
            if shift > -JUMP_SECONDS:
                return 0.0
            for query in _SHIFTS:
                transaction.run(query, by=shift)
            return -shift

        back = self._connection.write(write)
        self._origin = origin
        return back
