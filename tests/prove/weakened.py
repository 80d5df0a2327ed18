"""The daemon with `synchronous=NORMAL`, which it has no switch for: `python -m tests.prove.weakened run --config FILE`.

The control of the power-cut proof. SQLite then syncs its log only now and then, and the daemon answers 200 all the same.
"""

import sys
from functools import partial
from typing import Any

from syncd.store.sqlite.driver import sqlite3

# The daemon's own words, and its question whether they were heard.
_REPLACED = {"PRAGMA synchronous=FULL": "PRAGMA synchronous=NORMAL", "PRAGMA synchronous": "SELECT 2"}


class Weakened(sqlite3.Connection):
    """A connection that takes the one pragma for another."""

    def execute(self, sql: str, *parameters: Any) -> Any:
        return super().execute(_REPLACED.get(sql, sql), *parameters)


def main(arguments: list[str]) -> None:
    """Weaken, then be syncd."""
    sqlite3.connect = partial(sqlite3.connect, factory=Weakened)  # type: ignore[assignment]
    from syncd.cli import main as syncd

    sys.argv = ["syncd", *arguments]
    syncd()


if __name__ == "__main__":
    main(sys.argv[1:])
