"""What the console lists: groups, deliveries and releases, a page at a time. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from syncd.model import GroupView
from syncd.store import bodies
from syncd.store.bodies import Bodies
from syncd.store.connection import Connection, Transaction
from syncd.store.report import Past, history_of, standing_of

LOOKED = 5000  # groups that are looked through for one page, however many there are
MOST_OF_A_RELEASE = 1000  # groups of which one page is made


class Sort(StrEnum):
    """By what groups are listed, the largest or latest first."""

    LAST_SEEN = "last_seen"
    FIRST_SEEN = "first_seen"
    OCCURRENCES = "occurrences"
    USERS = "users"


class State(StrEnum):
    """Where groups stand, as lists are narrowed down by it."""

    FILED = "filed"
    UNFILED = "unfiled"
    HELD = "held"
    DOUBT = "doubt"
    PARKED = "parked"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which groups a list shows. `text` is in a fingerprint, a stack or an application, or, where it has a digit,
    in an issue's key; in any case."""

    project: str | None = None
    release: str | None = None
    state: State | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """After which group a page begins: what it is sorted by, and its number."""

    place: int
    id: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A group under its number. `owed_at` is when its tracker is called for it, None where it owes nothing."""

    id: int
    standing: GroupView
    owed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """One page, and where the next one begins; None where there is none. It is `cut` where LOOKED groups were looked through and
    there are more that were not."""

    groups: Sequence[Listed]
    next: Key | None
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A delivery that is kept, of a group or not yet of any; `body` only where it was asked for."""

    id: int
    received_at: float
    state: str
    size: int
    group_id: int | None
    fingerprint: str | None
    project: str | None
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A release of a project: in how many groups it was seen, how often, and when."""

    release: str
    groups: int
    occurrences: int
    first_seen: int | None
    last_seen: int | None


@dataclass(frozen=True, slots=True)
class Oldest:
    """Since when the oldest delivery waits to be folded, and the group that is longest due to be called for."""

    received_at: float | None
    due_at: float | None


_FIRST = Key(2**62, 2**62)


class Lists:
    """Questions of the console, each answered from one consistent view."""

    def __init__(self, connection: Connection, packed: Bodies) -> None:
        self._connection = connection
        self._packed = packed

    def groups(self, wanted: Wanted, sort: Sort, after: Key | None, size: int) -> Listing:
        """A page of groups. It may hold fewer than `size`, or none, and yet have a next one."""
        key = after or _FIRST
        facts = {
            "project": wanted.project,
            "release": wanted.release,
            "state": wanted.state,
            "text": None if not wanted.text else f"%{_literal(wanted.text.lower())}%",
            # Every key has a number in it; to look up the issue of each group costs as much as all else.
            "numbered": int(any(sign.isdigit() for sign in wanted.text or "")),
        }

        def read(transaction: Transaction) -> Listing:
            begin = {"place": key.place, "after": key.id}
            edge, among = None, _few(transaction, wanted)
            if among is not None:
                rows = transaction.rows("groups_among", among=among, sort=sort, size=size + 1, **begin, **facts)
            else:
                edge = _edge(transaction, wanted, sort, begin)
                floor = {"floor": -1, "beyond": -1} if edge is None else {"floor": edge.place, "beyond": edge.id}
                rows = transaction.rows(f"groups_by_{sort}", size=size + 1, **begin, **floor, **facts)
            shown = rows[:size]
            listed = [_listed(transaction, cast(int, row["id"])) for row in shown]
            if len(rows) > size:
                edge = None
                following: Key | None = _key(shown[-1])
            else:
                following = None if edge is None else Key(edge.place, edge.id + 1)
            return Listing([one for one in listed if one is not None], following, cut=edge is not None)

        return self._connection.read(read)

    def group(self, group_id: int) -> tuple[Listed, list[Past]] | None:
        """One group with its history, latest first."""

        def read(transaction: Transaction) -> tuple[Listed, list[Past]] | None:
            listed = _listed(transaction, group_id)
            return None if listed is None else (listed, history_of(transaction, group_id))

        return self._connection.read(read)

    def by_fingerprint(self, prefix: str, size: int = 20) -> list[Listed]:
        """The groups whose fingerprint is, or begins with, `prefix`."""

        def read(transaction: Transaction) -> list[Listed]:
            rows = transaction.rows("groups_by_prefix", prefix=prefix, size=size)
            return [Listed(cast(int, row["id"]), standing_of(transaction, row)) for row in rows]

        return self._connection.read(read)

    def releases(self, project: str) -> list[Ledger]:
        """All releases of a project, in no order."""
        rows = self._connection.select("releases_of_project", project=project)
        return [Ledger(**cast(dict[str, Any], row)) for row in rows]

    def seen_in(self, project: str, releases: Sequence[str]) -> list[Listed]:
        """The groups of a project that were seen in any of these releases: of each the MOST_OF_A_RELEASE with the most users."""

        def read(transaction: Transaction) -> list[Listed]:
            found: dict[int, Listed] = {}
            for release in releases:
                for row in transaction.rows(
                    "groups_of_release", project=project, release=release, size=MOST_OF_A_RELEASE
                ):
                    number = cast(int, row["id"])
                    found.setdefault(number, Listed(number, standing_of(transaction, row)))
            return list(found.values())

        return self._connection.read(read)

    def deliveries(self, before: int | None, size: int, group_id: int | None = None) -> list[Delivered]:
        """The newest deliveries that are kept, below a number; of one group or of all."""
        facts: dict[str, object] = {"before": before or 2**62, "size": size}
        if group_id is None:
            rows = self._connection.select("deliveries_before", **facts)
        else:
            rows = self._connection.select("deliveries_of", group_id=group_id, **facts)
        return [_delivered(row) for row in rows]

    def delivery(self, number: int) -> Delivered | None:
        """One delivery with its body."""

        def read(transaction: Transaction) -> Delivered | None:
            for row in transaction.rows("delivery", id=number):
                body = self._packed.unpack(transaction, [cast(bytes, row["body"])])[0]
                return _delivered(row | {"body": body})
            return None

        return self._connection.read(read)

    def done(self, since: float, span: float, spans: int) -> Mapping[str, list[int]]:
        """How often trackers took each action, in each of so many spans of seconds."""
        rows = self._connection.select("done_since", since=since, span=span)
        counts: dict[str, list[int]] = {}
        for row in rows:
            number = min(cast(int, row["span"]), spans - 1)
            counts.setdefault(str(row["action"]), [0] * spans)[number] += cast(int, row["times"])
        return counts

    def oldest(self, now: float) -> Oldest:
        """What waits longest."""
        row = self._connection.select("oldest", now=now)[0]
        return Oldest(**cast(dict[str, Any], row))


def _listed(transaction: Transaction, group_id: int) -> Listed | None:
    rows = transaction.rows("group_standing", group_id=group_id)
    if not rows:
        return None
    owed = cast(float, rows[0]["owed_at"]) if rows[0]["owed"] in ("waiting", "claimed") else None
    return Listed(group_id, standing_of(transaction, rows[0]), owed)


def _few(transaction: Transaction, wanted: Wanted) -> str | None:
    """By what an index finds so few groups that each can be looked at; None where nothing does."""
    states = {State.DEAD, State.DOUBT, State.PARKED, State.HELD}
    narrow = [str(wanted.state)] if wanted.state in states else []
    for among in (*narrow, *(["project"] if wanted.project else [])):
        row = transaction.rows("how_many_among", among=among, project=wanted.project, most=LOOKED + 1)[0]
        if cast(int, row["groups"]) <= LOOKED:
            return among
    return None


def _edge(transaction: Transaction, wanted: Wanted, sort: Sort, begin: Mapping[str, int]) -> Key | None:
    """The first group that is not looked at any more; None where all are, or whatever comes is shown."""
    if wanted == Wanted():
        return None
    rows = transaction.rows(f"edge_by_{sort}", looked=LOOKED, **begin)
    return _key(rows[0]) if rows else None


def _key(row: Mapping[str, object]) -> Key:
    return Key(cast(int, row["place"]), cast(int, row["id"]))


def _delivered(row: Mapping[str, object]) -> Delivered:
    facts = dict(row)
    size = bodies.size(cast(bytes, facts.pop("head")), cast(int, facts.pop("size")))
    return Delivered(**cast(dict[str, Any], facts), size=size)


def _literal(text: str) -> str:
    """As a part of a LIKE pattern whose escape is an exclamation mark: a backslash is what texts of crashes are full of."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
