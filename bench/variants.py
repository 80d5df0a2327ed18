"""syncd with one thing changed, to measure what it is worth: `python -m bench.variants CHANGES run …`.

CHANGES are joined by commas: `alone` gives every request a commit of its own; `delay=4` makes every sync of the disk take so many
milliseconds longer.
"""

import asyncio
import sys
import time

from syncd import cli
from syncd.store.connection import Transaction
from syncd.store.inbox import Inbox
from syncd.store.sqlite import connection as sqlite
from syncd.store.sqlite.opened import Opened


async def _accept(self: Inbox, body: bytes, received_at: float) -> int:
    def insert(transaction: Transaction) -> int:
        packed = self._bodies.pack(transaction, [body])
        return transaction.add("accept", [(received_at, *packed[0])])[0]

    return await asyncio.wrap_future(self._connection.submit(insert))


def _alone() -> None:
    Inbox.accept = _accept  # type: ignore[method-assign]
    sqlite.MAX_SHARED = 1


def _delay(seconds: float) -> None:
    committed = Opened.require_in_place

    def delayed(self: Opened) -> None:
        time.sleep(seconds)
        committed(self)

    Opened.require_in_place = delayed  # type: ignore[method-assign]


def main() -> None:
    """The command line of syncd, after its first argument."""
    for change in sys.argv.pop(1).split(","):
        name, _, value = change.partition("=")
        if name == "alone":
            _alone()
        elif name == "delay":
            _delay(float(value) / 1000)
        else:
            raise SystemExit(f"there is no change {name}")
    cli.main()


if __name__ == "__main__":
    main()
