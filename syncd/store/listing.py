"""Lists of the console: groups, deliveries and releases, a page at a time. Nothing here writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from syncd.model import GroupView, Identity, Point
from syncd.store import bodies, groups
from syncd.store.bodies import BodyOperations
from syncd.store.connection import Transaction, reads
from syncd.store.filters import TABS, Sort, State, Wanted, parameters
from syncd.store.records import decode_trail
from syncd.store.report import Past, history_of, standing_of

LOOKED = 5000  # groups that one page examines at most, however many exist
MOST_OF_A_RELEASE = 1000  # groups of one page
_SEPARATOR = "\x1f"  # of names in one text


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueName:
    """The name of an issue, in lower case: its key, `#` and its number in whichever repository, or its address without a scheme."""

    key: str | None = None
    number: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """The last group of a page: the value it is sorted by, and its number."""

    place: int
    id: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A group with its number. `owed_at` is when its tracker is called, None if no call is due; before that `attempts` failed, or were put
    off, for `owed_reason`."""

    id: int
    standing: GroupView
    owed_at: float | None = None
    attempts: int = 0
    owed_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A page, and the key after which the next one begins; None if it is the last. `cut`: LOOKED groups were examined, and there are more."""

    groups: Sequence[Listed]
    next: Key | None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """How many groups fit a filter, and how many of them each of TABS has. `lower`: only the LOOKED groups seen last were counted, and there
    are more; `lower_muted` the same for MUTED alone."""

    everything: int
    tabs: Mapping[State, int]
    lower: bool = False
    lower_muted: bool = False


@dataclass(frozen=True, slots=True)
class Trail:
    """How a group grew, and the time of its first crash."""

    id: int
    first_seen: int | None
    points: Sequence[Point]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A stored delivery; its group is None until it is absorbed. `note` is what of its body could not be read, `source` the configured one that
    sent it, None for the sender at /webhooks/backtrace. Lists leave `body` empty."""

    id: int
    received_at: float
    state: str
    size: int
    group_id: int | None
    fingerprint: str | None
    universe: str | None
    project: str | None
    note: str | None = None
    source: str | None = None
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A release of a project: the number of groups and occurrences in it, and when it was first and last seen."""

    release: str
    groups: int
    occurrences: int
    first_seen: int | None
    last_seen: int | None


@dataclass(frozen=True, slots=True)
class Oldest:
    """When the oldest waiting delivery was received, and since when the group that waits longest owes its call, whether that failed or
    not."""

    received_at: float | None
    owed_since: float | None


_FIRST = Key(2**62, 2**62)


class Lists(BodyOperations):
    """Reads for the console, each from one consistent view; for any thread."""

    @reads
    def groups(self, transaction: Transaction, wanted: Wanted, sort: Sort, after: Key | None, size: int) -> Listing:
        """Return a page of groups in an order of STORED. A page may have fewer groups than `size`, or none, and still have a next one."""
        rows, edge = _rows(transaction, wanted, sort, after or _FIRST, size + 1)
        page = rows[:size]
        if len(rows) > size:
            edge = None
            following: Key | None = _key(page[-1])
        else:
            following = None if edge is None else Key(edge.place, edge.id + 1)
        listed = _listed_all(transaction, [cast(int, row["id"]) for row in page])
        return Listing(listed, following, cut=edge is not None)

    @reads
    def count(self, transaction: Transaction, wanted: Wanted) -> tuple[int, bool]:
        """Return how many groups fit, of those that one page examines, and whether there are more."""
        rows, edge = _rows(transaction, wanted, Sort.LAST_SEEN, _FIRST, LOOKED + 1)
        return min(len(rows), LOOKED), edge is not None or len(rows) > LOOKED

    @reads
    def trails(self, transaction: Transaction, wanted: Wanted) -> tuple[list[Trail], bool]:
        """Return the trails of the groups that fit, of the LOOKED seen last, and whether there are more."""
        rows, edge = _rows(transaction, wanted, Sort.LAST_SEEN, _FIRST, LOOKED + 1)
        trails = transaction.batch("trails", [(row["id"],) for row in rows[:LOOKED]])
        return [
            Trail(cast(int, row["id"]), cast(int | None, row["first_seen"]), decode_trail(cast(str, row["trail"])))
            for row in trails
        ], edge is not None or len(rows) > LOOKED

    @reads
    def of_numbers(self, transaction: Transaction, numbers: Sequence[int]) -> list[Listed]:
        """Return the groups with these numbers that exist, in this order."""
        return _listed_all(transaction, numbers)

    @reads
    def tally(self, transaction: Transaction, wanted: Wanted, fresh: int) -> Tally:
        """Count the groups that fit, whatever their state. Those are new that crashed first at `fresh` or later."""
        wanted = replace(wanted, state=None)
        facts = parameters(wanted) | {"fresh": fresh}
        edge, among = None, _few(transaction, wanted)
        if among is not None:
            row = transaction.rows("tally_among", among=among, **facts)[0]
        else:
            edge = _edge(transaction, Sort.LAST_SEEN, _FIRST)
            row = transaction.rows("tally_examined", **_floor(edge), **facts)[0]
        if edge is not None and wanted.everything:
            row |= transaction.rows("tally_whole", **facts)[0]
        counts = cast(dict[str, int], row)
        tabs = {tab: int(counts[tab]) for tab in TABS}
        lower = edge is not None
        return Tally(int(counts["everything"]), tabs, lower and not wanted.everything, lower)

    @reads
    def group(self, transaction: Transaction, group_id: int) -> tuple[Listed, list[Past]] | None:
        """Return a group with its history, latest first; None if it does not exist."""
        listed = _listed(transaction, group_id)
        return None if listed is None else (listed, history_of(transaction, group_id))

    @reads
    def of_identity(self, transaction: Transaction, identity: Identity) -> int | None:
        """Return the number of the group with this identity; None if there is none."""
        return groups.existing(transaction, [groups.key(identity)]).get(groups.key(identity))

    @reads
    def by_fingerprint(self, transaction: Transaction, prefix: str, size: int = 20) -> list[Listed]:
        """Return the groups whose fingerprint is `prefix` or begins with it."""
        rows = transaction.rows("groups_by_prefix", prefix=prefix, size=size)
        return [_listed_of(transaction, row) for row in rows]

    @reads
    def by_issue(self, transaction: Transaction, name: IssueName, size: int = 20) -> list[Listed]:
        """Return the groups whose issue has this name. An issue that its group gave up does not count."""
        number = None if name.number is None else f"%{name.number}"
        rows = transaction.rows("groups_by_issue", key=name.key, number=number, address=name.address, size=size)
        return [_listed_of(transaction, row) for row in rows]

    def releases(self, project: str) -> list[Ledger]:
        """Return all releases of a project, in no particular order."""
        rows = self._connection.select("releases_of_project", project=project)
        return [Ledger(**cast(dict[str, Any], row)) for row in rows]

    def histories(self, project: str) -> list[tuple[frozenset[str], int]]:
        """Return the releases in which groups of a project occurred, each combination with the number of its groups."""
        rows = self._connection.select("histories_of_project", project=project, separator=_SEPARATOR)
        return [(frozenset(str(row["names"]).split(_SEPARATOR)), cast(int, row["groups"])) for row in rows]

    @reads
    def seen_in(self, transaction: Transaction, project: str, releases: Sequence[str]) -> list[Listed]:
        """Return the groups of a project that occurred in any of these releases: for each release the MOST_OF_A_RELEASE with the most users."""
        groups: dict[int, Listed] = {}
        for release in releases:
            for row in transaction.rows("groups_of_release", project=project, release=release, size=MOST_OF_A_RELEASE):
                number = cast(int, row["id"])
                groups.setdefault(number, Listed(number, standing_of(transaction, row)))
        return list(groups.values())

    def deliveries(self, before: int | None, size: int, group_id: int | None = None) -> list[Delivered]:
        """Return the newest stored deliveries with numbers below `before`, of one group or of all."""
        facts: dict[str, object] = {"before": before or 2**62, "size": size}
        if group_id is None:
            rows = self._connection.select("deliveries_before", **facts)
        else:
            rows = self._connection.select("deliveries_of", group_id=group_id, **facts)
        return [_delivered(row) for row in rows]

    @reads
    def delivery(self, transaction: Transaction, number: int) -> Delivered | None:
        """Return a delivery with its body; None if it does not exist."""
        for row in transaction.rows("delivery", id=number):
            body = self._bodies.unpack(transaction, [cast(bytes, row["body"])])[0]
            return _delivered(row | {"body": body})
        return None

    def done(self, since: float, span: float, spans: int) -> Mapping[str, list[int]]:
        """Count the actions that trackers accepted since `since`, in `spans` spans of `span` seconds each."""
        rows = self._connection.select("done_since", since=since, span=span)
        counts: dict[str, list[int]] = {}
        for row in rows:
            number = min(cast(int, row["span"]), spans - 1)
            counts.setdefault(str(row["action"]), [0] * spans)[number] += cast(int, row["times"])
        return counts

    def oldest(self, now: float) -> Oldest:
        """Return the ages of the oldest waiting work."""
        row = self._connection.select("oldest", now=now)[0]
        return Oldest(**cast(dict[str, Any], row))


def _rows(
    transaction: Transaction, wanted: Wanted, sort: Sort, key: Key, size: int
) -> tuple[list[dict[str, object]], Key | None]:
    """Return the numbers and places of up to `size` groups behind a key, and the first group beyond those that were examined; None if all
    were, or nothing is filtered."""
    begin, facts = {"place": key.place, "after": key.id}, parameters(wanted)
    among = _few(transaction, wanted)
    if among is not None:
        return transaction.rows("groups_among", among=among, sort=sort, size=size, **begin, **facts), None
    edge = None if wanted.everything else _edge(transaction, sort, key)
    return transaction.rows(f"groups_by_{sort}", size=size, **begin, **_floor(edge), **facts), edge


def _edge(transaction: Transaction, sort: Sort, key: Key) -> Key | None:
    rows = transaction.rows(f"edge_by_{sort}", looked=LOOKED, place=key.place, after=key.id)
    return _key(rows[0]) if rows else None


def _floor(edge: Key | None) -> dict[str, int]:
    return {"floor": -1, "beyond": -1} if edge is None else {"floor": edge.place, "beyond": edge.id}


def _listed_all(transaction: Transaction, numbers: Sequence[int]) -> list[Listed]:
    listed = [_listed(transaction, number) for number in numbers]
    return [entry for entry in listed if entry is not None]


def _listed(transaction: Transaction, group_id: int) -> Listed | None:
    rows = transaction.rows("group_standing", group_id=group_id)
    return _listed_of(transaction, rows[0]) if rows else None


def _listed_of(transaction: Transaction, row: Mapping[str, object]) -> Listed:
    group_id = cast(int, row["id"])
    if row["owed"] not in ("waiting", "claimed"):
        return Listed(group_id, standing_of(transaction, row))
    owed_at, attempts, reason = cast(
        tuple[float, int, str | None], (row["owed_at"], row["owed_attempts"], row["owed_reason"])
    )
    return Listed(group_id, standing_of(transaction, row), owed_at, attempts, reason)


def _few(transaction: Transaction, wanted: Wanted) -> str | None:
    """Return the criterion whose index yields few enough groups to examine each; None if there is none."""
    states = {State.DEAD, State.BY_HAND, State.DOUBT, State.PARKED, State.HELD, State.CLOSED, State.REGRESSED}
    state = State.CLOSED if wanted.state is State.CRASHING else wanted.state
    narrow = [str(state)] if state in states else []
    given = ("returned", wanted.returned), ("first", wanted.first), ("project", wanted.project), ("since", wanted.since)
    for among in (*narrow, *(name for name, value in given if value is not None)):
        limits = {"project": wanted.project, "first": wanted.first, "since": wanted.since, "returned": wanted.returned}
        row = transaction.rows("how_many_among", among=among, most=LOOKED + 1, **limits)[0]
        if cast(int, row["groups"]) <= LOOKED:
            return among
    return None


def _key(row: Mapping[str, object]) -> Key:
    return Key(cast(int, row["place"]), cast(int, row["id"]))


def _delivered(row: Mapping[str, object]) -> Delivered:
    facts = dict(row)
    size = bodies.size(cast(bytes, facts.pop("head")), cast(int, facts.pop("size")))
    return Delivered(**cast(dict[str, Any], facts), size=size)
