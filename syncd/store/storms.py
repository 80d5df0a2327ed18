"""Storms: what a route holds back above its `max_new_issues`, the one issue that tells of it, and how it drains."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from syncd.core.budget import SKEW_SECONDS, Limit
from syncd.core.plan import NextCall
from syncd.model import Call, Plan
from syncd.store.claims import Claim, owned
from syncd.store.connection import Connection, Transaction
from syncd.store.history import decide
from syncd.store.records import load_issue
from syncd.store.routes import reevaluate

CALM_SECONDS = (
    3600.0  # a storm is over when nothing was held back for so long: its issue does not open and close all day
)
UNIVERSE = "syncd"
LET_THROUGH = "let-through"
_MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A route, its tracker, and how many issues it may file."""

    route: str
    tracker: str
    new_issues: Sequence[Limit]


class Storms:
    """Operations on storms; for any thread."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def wait(self, route: str, new_issues: Sequence[Limit], now: float) -> float:
        """Seconds until the route may file another issue; 0 for now."""
        return self._connection.read(lambda transaction: wait(transaction, route, new_issues, now))

    def hold(self, claim: Claim, decision: Plan, gate: Gate, now: float) -> None:
        """Hold a claimed group back, and let the storm's issue tell of it."""

        def write(transaction: Transaction) -> None:
            transaction.lock(f"route {gate.route}")  # two that begin a storm begin the same one
            decide(transaction, claim.group_id, decision, None, now, gate.route)
            transaction.run("drop_claim", group_id=claim.group_id, owner=claim.owner)
            storm = _begun(transaction, gate, now)
            transaction.run("storm_goes_on", route=gate.route, now=now)
            _tell(transaction, storm, gate.tracker, now)

        owned(self._connection, claim, now, write)

    def drain(self, gates: Iterable[Gate], owes: NextCall, now: float) -> set[str]:
        """Let through what the routes may file by now, the largest groups first, and end the storms that are over. The trackers
        that have something to do are returned."""
        known = {gate.route: gate for gate in gates}
        if not self._connection.read(lambda transaction: transaction.rows("storms")):
            return set()
        return self._connection.write(lambda transaction: _drain(transaction, known, owes, now))


def wait(transaction: Transaction, route: str, new_issues: Sequence[Limit], now: float) -> float:
    """Seconds until the route may file another issue; 0 for now."""
    waits = [_room(transaction, route, limit, now)[1] for limit in new_issues]
    return max(waits, default=0.0)


def _room(transaction: Transaction, route: str, limit: Limit, now: float) -> tuple[int, float]:
    """How many issues a limit leaves to a route, and the seconds until it leaves one."""
    (filed,) = transaction.rows("issues_since", route=route, since=now - limit.seconds, until=now + SKEW_SECONDS)
    left = limit.count - cast(int, filed["issues"])
    oldest = filed["oldest"]
    if left > 0 or oldest is None:
        return max(0, left), 0.0
    return 0, max(1.0, cast(float, oldest) + limit.seconds - now)


def _begun(transaction: Transaction, gate: Gate, now: float) -> int:
    """The group of the route's storm, which begins now where there is none."""
    storm = transaction.rows("storm", route=gate.route)
    if storm:
        return cast(int, storm[0]["id"])
    fingerprint = f"storm {gate.route} {int(now)}"
    identity = (UNIVERSE, gate.route, fingerprint)
    known = transaction.batch("groups_by_identity", [identity])
    rows = known or transaction.batch("new_groups", [(*identity, fingerprint)])
    group_id = cast(int, rows[0]["id"])
    transaction.run("mark_storm", group_id=group_id, second=int(now))
    transaction.run("begin_storm", route=gate.route, group_id=group_id, now=now)
    return group_id


def _tell(transaction: Transaction, group_id: int, tracker: str, now: float) -> None:
    """Let the storm's issue be brought up to date, or be created where there is none."""
    transaction.run("bump", group_id=group_id)
    issue = load_issue(transaction, group_id)
    if issue is None or issue.remote_id is None:
        transaction.batch("owe", [(group_id, tracker, now, Call.CREATE)])
    else:
        transaction.batch("owe", [(group_id, issue.tracker, now, Call.UPDATE)])


def _drain(transaction: Transaction, gates: Mapping[str, Gate], owes: NextCall, now: float) -> set[str]:
    woken = set[str]()
    for storm in transaction.rows("storms"):
        route, group_id = str(storm["route"]), cast(int, storm["group_id"])
        gate = gates.get(route)
        left = cast(int, transaction.rows("stormy", route=route)[0]["groups"])
        if gate is not None and left:
            woken |= _let_through(transaction, gate, owes, now)
            left = cast(int, transaction.rows("stormy", route=route)[0]["groups"])
        calm = not 0 <= now - cast(float, storm["held_at"]) < CALM_SECONDS
        if not left and not _on_their_way(transaction, route) and (calm or gate is None):
            issue = load_issue(transaction, group_id)
            transaction.run("end_storm", route=route)
            if issue is not None:
                _tell(transaction, group_id, issue.tracker, now)
                woken.add(issue.tracker)
    return woken


def _on_their_way(transaction: Transaction, route: str) -> int:
    return cast(int, transaction.rows("let_through_by", route=route)[0]["groups"])


def _let_through(transaction: Transaction, gate: Gate, owes: NextCall, now: float) -> set[str]:
    room = min((_room(transaction, gate.route, limit, now)[0] for limit in gate.new_issues), default=_MOST_AT_ONCE)
    # Those that were let through and are not filed yet have their place.
    room -= _on_their_way(transaction, gate.route)
    rows = transaction.rows("largest_stormy", route=gate.route, size=max(0, min(room, _MOST_AT_ONCE)))
    woken = set[str]()
    for row in rows:
        group_id = cast(int, row["id"])
        tracker = reevaluate(transaction, group_id, "the storm let it through", owes, now, LET_THROUGH)
        woken |= {tracker} if tracker is not None else set()
    if rows:
        storm = transaction.rows("storm", route=gate.route)
        _tell(transaction, cast(int, storm[0]["id"]), gate.tracker, now)
    return woken
