"""Lists of the console: groups, deliveries and releases, a page at a time. Nothing here writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

from syncd.model import GroupView, Identity
from syncd.store import bodies, groups
from syncd.store.bodies import BodyOperations
from syncd.store.connection import Transaction, reads
from syncd.store.records import text_of
from syncd.store.report import Past, history_of, standing_of

LOOKED = 5000  # groups that one page examines at most, however many exist
MOST_OF_A_RELEASE = 1000  # groups of one page


UNASSIGNED = "unassigned"


class Sort(StrEnum):
    """The order of a list, the largest or latest first."""

    LAST_SEEN = "last_seen"
    FIRST_SEEN = "first_seen"
    OCCURRENCES = "occurrences"
    USERS = "users"


class State(StrEnum):
    """The states that a list can be limited to."""

    FILED = "filed"
    UNFILED = "unfiled"
    HELD = "held"
    DOUBT = "doubt"
    BY_HAND = "by_hand"
    PARKED = "parked"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The filter of a list. `text` is searched in fingerprints, stacks and applications, and in issue keys if it has a digit; of it and of
    `classifier` and `owner` upper and lower case are the same. `owner` is a part of the name of somebody whom the issue is assigned to, or
    UNASSIGNED if it is known to be nobody. `since` is the time of the latest occurrence, in epoch seconds."""

    project: str | None = None
    owner: str | None = None
    application: str | None = None
    release: str | None = None
    state: State | None = None
    classifier: str | None = None
    text: str | None = None
    since: int | None = None


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
        """Return a page of groups. A page may have fewer groups than `size`, or none, and still have a next one."""
        key = after or _FIRST
        facts = {
            "project": wanted.project,
            "application": wanted.application,
            "release": wanted.release,
            "owner": _owner(wanted.owner),
            "state": wanted.state,
            # The comma keeps a quotation mark within another classifier from passing for the beginning of this one.
            "classifier": _containing(f",{text_of(wanted.classifier)}" if wanted.classifier else ""),
            "text": _containing(wanted.text or ""),
            "since": wanted.since,
            # Every issue key has a digit; joining the issue of each group doubles the cost.
            "numbered": int(any(sign.isdigit() for sign in wanted.text or "")),
        }
        begin = {"place": key.place, "after": key.id}
        edge, among = None, _few(transaction, wanted)
        if among is not None:
            rows = transaction.rows("groups_among", among=among, sort=sort, size=size + 1, **begin, **facts)
        else:
            # The first group beyond those examined; None if all are examined, or nothing is filtered.
            beyond = [] if wanted == Wanted() else transaction.rows(f"edge_by_{sort}", looked=LOOKED, **begin)
            edge = _key(beyond[0]) if beyond else None
            floor = {"floor": -1, "beyond": -1} if edge is None else {"floor": edge.place, "beyond": edge.id}
            rows = transaction.rows(f"groups_by_{sort}", size=size + 1, **begin, **floor, **facts)
        page = rows[:size]
        listed = [_listed(transaction, cast(int, row["id"])) for row in page]
        if len(rows) > size:
            edge = None
            following: Key | None = _key(page[-1])
        else:
            following = None if edge is None else Key(edge.place, edge.id + 1)
        return Listing([entry for entry in listed if entry is not None], following, cut=edge is not None)

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
    states = {State.DEAD, State.BY_HAND, State.DOUBT, State.PARKED, State.HELD}
    narrow = [str(wanted.state)] if wanted.state in states else []
    for among in (*narrow, *(["project"] if wanted.project else [])):
        row = transaction.rows("how_many_among", among=among, project=wanted.project, most=LOOKED + 1)[0]
        if cast(int, row["groups"]) <= LOOKED:
            return among
    return None


def _owner(name: str | None) -> str | None:
    """Return the stored text of no owner, or a pattern of those with a name."""
    if name is None or name.lower() == UNASSIGNED:
        return name and "[]"
    return _containing(text_of(name)[1:-1])


def _containing(text: str) -> str | None:
    """Return the LIKE pattern of texts in lower case that contain `text`; None for no text. The escape is an exclamation mark: crash texts are
    full of backslashes."""
    escaped = text.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%" if escaped else None


def _key(row: Mapping[str, object]) -> Key:
    return Key(cast(int, row["place"]), cast(int, row["id"]))


def _delivered(row: Mapping[str, object]) -> Delivered:
    facts = dict(row)
    size = bodies.size(cast(bytes, facts.pop("head")), cast(int, facts.pop("size")))
    return Delivered(**cast(dict[str, Any], facts), size=size)
