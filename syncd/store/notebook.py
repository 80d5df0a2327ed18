"""Facts that a tracker's client has learned, such as the numeric id of a repository."""

from dataclasses import dataclass
from typing import cast

from syncd.store.connection import Connection


@dataclass(frozen=True, slots=True)
class Notebook:
    """`trackers.Notebook` in the store."""

    connection: Connection
    tracker: str

    def recall(self, fact: str) -> str | None:
        """Return a fact; None if it was never noted."""
        rows = self.connection.select("recall", tracker=self.tracker, fact=fact)
        return cast(str, rows[0]["value"]) if rows else None

    def note(self, fact: str, value: str) -> None:
        """Store a fact in place of an earlier one."""
        self.connection.write(
            lambda transaction: transaction.run("note", tracker=self.tracker, fact=fact, value=value), exclusive=False
        )
