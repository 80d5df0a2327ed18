"""Facts that a tracker's client has learned, such as the numeric id of a repository."""

from typing import cast

from syncd.store.connection import Connection


class Notebook:
    """`trackers.Notebook` in the store."""

    def __init__(self, connection: Connection, tracker: str) -> None:
        self._connection = connection
        self._tracker = tracker

    def recall(self, fact: str) -> str | None:
        """Return a fact; None if it was never noted."""
        rows = self._connection.select("recall", tracker=self._tracker, fact=fact)
        return cast(str, rows[0]["value"]) if rows else None

    def note(self, fact: str, value: str) -> None:
        """Store a fact in place of an earlier one."""
        self._connection.write(
            lambda transaction: transaction.run("note", tracker=self._tracker, fact=fact, value=value), exclusive=False
        )
