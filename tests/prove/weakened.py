"""A daemon with `synchronous=NORMAL`, which no option can set: `python -m tests.prove.weakened run --config FILE`.

This is the negative control of the power-cut proof. With this setting SQLite rarely syncs its log, but the daemon still responds 200.
"""

import sys
from functools import partial
from typing import Any

from syncd.store.sqlite.file import sqlite3

# The pragma of the daemon, and its check of the setting.
_REPLACED = {"PRAGMA synchronous=FULL": "PRAGMA synchronous=NORMAL", "PRAGMA synchronous": "SELECT 2"}


class Weakened(sqlite3.Connection):
    """A connection that replaces the pragma."""

    def execute(self, sql: str, *parameters: Any) -> Any:
        return super().execute(_REPLACED.get(sql, sql), *parameters)


def main(arguments: list[str]) -> None:
    """Replace the connection class and run syncd."""
    sqlite3.connect = partial(sqlite3.connect, factory=Weakened)  # type: ignore[assignment]
    from syncd.cli import main as syncd

    sys.argv = ["syncd", *arguments]
    syncd()


if __name__ == "__main__":
    main(sys.argv[1:])
