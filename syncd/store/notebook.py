"""Facts that a tracker's clients learned once, such as a repository's numeric id."""

from typing import cast

from syncd.store.connection import Connection


class Notebook:
    """`trackers.Notebook` in the store."""

    def __init__(self, connection: Connection, tracker: str) -> None:
        self._connection = connection
        self._tracker = tracker

    def recall(self, fact: str) -> str | None:
        rows = self._connection.read(lambda transaction: transaction.rows("recall", tracker=self._tracker, fact=fact))
        return cast(str, rows[0]["value"]) if rows else None

    def note(self, fact: str, value: str) -> None:
        self._connection.write(
            lambda transaction: transaction.run("note", tracker=self._tracker, fact=fact, value=value), exclusive=False
        )
