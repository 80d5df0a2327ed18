"""What a process has to remember of the polls of a project. One row of `settings` for each."""

import msgspec

from syncd.store.connection import Transaction
from syncd.store.records import text_of

PREFIX = "backtrace."  # of the names of the settings


class PollStanding(msgspec.Struct, frozen=True, kw_only=True):
    """The polls of a project so far. Times are epoch seconds, 0 where there is none.

    `begun_at`: of the first poll; groups that have not crashed since are left to a backfill, and `older` counts them. `polled_at`: of the last that
    succeeded; `whole_at`: of the last that read every group, which were `groups`. `reason` says why the last tries failed, since `failing_since`, `failures`
    in a row; then there is none before `until`. `refused`: a person must act. `link_fault` says why no ticket is written into Backtrace any more,
    `link_reason` why the last poll wrote none.
    """

    begun_at: float = 0.0
    polled_at: float = 0.0
    whole_at: float = 0.0
    groups: int = 0
    older: int = 0
    reason: str = ""
    failing_since: float = 0.0
    failures: int = 0
    until: float = 0.0
    refused: bool = False
    link_fault: str = ""
    link_reason: str = ""


class BackfillStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A backfill under way: what it was called with, the commit of Backtrace as of which it reads, and how many groups it has read."""

    call: str
    tx: int | None = None
    offset: int = 0


_BACKFILL = msgspec.json.Decoder(BackfillStanding)
_STANDING = msgspec.json.Decoder(PollStanding)


def standing(transaction: Transaction, project: str) -> PollStanding:
    """What is remembered of the project, as the configuration names it: `NAME/PROJECT`."""
    rows = transaction.rows("setting", name=f"{PREFIX}{project}")
    return _STANDING.decode(str(rows[0]["value"])) if rows else PollStanding()


def save(transaction: Transaction, project: str, after: PollStanding) -> None:
    """Remember it."""
    transaction.run("set", name=f"{PREFIX}{project}", value=text_of(after))


def backfill(transaction: Transaction, project: str) -> BackfillStanding | None:
    """The backfill of the project that is under way."""
    rows = transaction.rows("setting", name=f"{PREFIX}{project}.backfill")
    return _BACKFILL.decode(str(rows[0]["value"])) if rows else None


def save_backfill(transaction: Transaction, project: str, after: BackfillStanding | None) -> None:
    """Remember how far it is; None at its end."""
    name = f"{PREFIX}{project}.backfill"
    if after is None:
        transaction.run("unset", name=name)
    else:
        transaction.run("set", name=name, value=text_of(after))
