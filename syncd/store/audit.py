"""The audit: which operator changed what, and when. An entry is written in the transaction of its change, so that neither exists without
the other. Entries are purged like decisions."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from syncd.render.text import one_line
from syncd.store.connection import Operations, Transaction

LONGEST = 1000  # characters of a detail
SPELLINGS = ("{}", "cli:{}", "console:{}", "sso:{}")  # of an actor's name in a filter


class Kind(StrEnum):
    """The kind of a thing that operators change."""

    GROUP = "group"
    TRACKER = "tracker"
    ROUTE = "route"
    DELIVERY = "delivery"
    STORE = "store"


@dataclass(frozen=True, slots=True)
class Subject:
    """A thing that an operator changes: a group by its fingerprint and its row, a tracker or a route by its name, a delivery by its number."""

    kind: Kind
    name: str
    group_id: int | None = None


STORE = Subject(Kind.STORE, "store")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change by an operator. `universe` and `project` are those of a group."""

    id: int
    at: float
    actor: str
    action: str
    kind: str
    subject: str
    group_id: int | None
    universe: str | None
    project: str | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """The entries to list: by an actor, with or without `cli:`, `console:`, `sso:`; about a subject, or one whose name begins so; since a time."""

    actor: str | None = None
    subject: str | None = None
    since: float = 0.0


class Audit(Operations):
    """Reads of the audit; for any thread."""

    def entries(self, wanted: Filter, size: int, before: int | None = None) -> list[Entry]:
        """Return the newest entries with numbers below `before`."""
        spellings = [None if wanted.actor is None else each.format(wanted.actor) for each in SPELLINGS]
        rows = self._connection.select(
            "audit_entries",
            before=before or 2**62,
            size=size,
            since=wanted.since,
            subject=wanted.subject,
            **{f"actor_{letter}": actor for letter, actor in zip("abcd", spellings, strict=True)},
        )
        return [Entry(**cast(dict[str, Any], row)) for row in rows]


def record(transaction: Transaction, actor: str, action: str, subject: Subject, detail: str, now: float) -> int:
    """Write that `actor` did `action` to `subject`, and return the number of the entry. `detail` says what was before and what is now; it
    never has a secret. The caller changes the subject in the same transaction."""
    return cast(int, transaction.rows("record_audit", **values(actor, action, subject, detail, now))[0]["id"])


def values(actor: str, action: str, subject: Subject, detail: str, now: float) -> dict[str, object]:
    """Return the parameters of `record_audit`."""
    return {
        "now": now,
        "actor": actor,
        "action": action,
        "kind": str(subject.kind),
        "subject": subject.name,
        "group_id": subject.group_id,
        "detail": one_line(detail, LONGEST),
    }


def amend(transaction: Transaction, number: int, detail: str) -> None:
    """Say more of a change that takes several transactions, in each of them."""
    transaction.run("amend_audit", id=number, detail=one_line(detail, LONGEST))
