"""Negative controls of a shared database: guards that only concurrent transactions need. Each must be found within its seeds."""

from collections.abc import Callable
from typing import Any

from syncd.store.postgresql.connection import Cursor
from tests.simulation import postgresql
from tests.simulation.controls import Control


def _without(phrase: str, *names: str) -> Callable[..., Any]:
    """Leave a phrase out of these queries, or of all."""

    def weakened(original: Callable[[], dict[str, str]]) -> dict[str, str]:
        return {
            name: text.replace(phrase, "") if not names or name in names else text for name, text in original().items()
        }

    return weakened


CONTROLS = (
    Control("a claim locks what it takes", postgresql, "_texts", _without("FOR UPDATE SKIP LOCKED", "claim_group"), 5),
    Control("a lease is respected", postgresql, "_texts", _without("AND due_at <= %(now)s", "claim_group"), 5),
    Control("a named lock is waited for", Cursor, "lock", lambda *_: None, 60),
)
