"""syncd with changes whose effect is measured: `python -m bench.variants CHANGES run …`.

CHANGES is a list separated by commas. `alone` commits each request separately; `delay=4` adds so many milliseconds to each sync of the
disk by the store, `slow=4` to those of other files.
"""

import asyncio
import os
import sys
import time
from typing import Any

from syncd import cli
from syncd.model import Identity
from syncd.store.connection import Transaction
from syncd.store.inbox import Inbox
from syncd.store.sqlite import connection as sqlite


async def _accept(self: Inbox, body: bytes, received_at: float, identity: Identity, note: str | None = None) -> int:
    def insert(transaction: Transaction) -> int:
        return self._bodies.accept(transaction, [(received_at, body, identity.number, note, None)])[0]

    return await asyncio.wrap_future(self._connection.submit(insert))


def _alone() -> None:
    Inbox.accept = _accept  # type: ignore[method-assign]
    sqlite.MAX_SHARED = 1


def _delay(seconds: float) -> None:
    carry_out = sqlite.Sqlite._carry_out

    def delayed(self: sqlite.Sqlite, *arguments: Any) -> None:
        carry_out(self, *arguments)
        time.sleep(seconds)

    sqlite.Sqlite._carry_out = delayed  # type: ignore[assignment, method-assign]


def _slow(seconds: float) -> None:
    sync = os.fsync

    def delayed(descriptor: Any) -> None:
        time.sleep(seconds)
        sync(descriptor)

    os.fsync = delayed  # type: ignore[assignment]


def main() -> None:
    """Apply CHANGES, the first argument, and run the command line of syncd."""
    for change in sys.argv.pop(1).split(","):
        name, _, value = change.partition("=")
        if name == "alone":
            _alone()
        elif name == "delay":
            _delay(float(value) / 1000)
        elif name == "slow":
            _slow(float(value) / 1000)
        else:
            raise SystemExit(f"unknown change: {name}")
    cli.main()


if __name__ == "__main__":
    main()
