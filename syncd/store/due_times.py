"""Stored times follow the wall clock of their machine when that is set: a wait of a minute would otherwise become one of an hour and a minute, and
a crash that was received while the clock was ahead would look later than a closing after it. Decision 0025 says which times move when.

The queries `shift_…` name every column that moves, NOT_MOVED every other one with a time.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import structlog

from syncd.core.budget import HORIZON_SECONDS
from syncd.core.plan import DueCall
from syncd.model import Call
from syncd.platform.clock import Clock
from syncd.store import operator, outbox
from syncd.store.connection import Connection, Transaction

JUMP_SECONDS = 5.0  # a smaller step of the clock is ignored
EARLY_SECONDS = 3600.0  # a time server that sets the clock forward so soon after a boot corrects it
UNSEEN_SECONDS = 60.0  # a stretch is noticed at most so long after it began, by a process that runs
MOST_STRETCHES = 10
# For so long a clock that stands still is believed to be the one by which the times are stored: a process with another clock, as in a time
# namespace or under a tool that shifts clocks, may have moved them meanwhile.
BELIEVED_SECONDS = 10.0

FOR_PEOPLE = "shown to people; nothing is decided by it"
RETAINED = "its row is kept longer or shorter by the error, like those that belong to it"
TRACKER = "a time of the tracker's clock"
NOT_MOVED: Mapping[str, str] = {
    "adoptions.added_at": FOR_PEOPLE,
    "aliases.at": FOR_PEOPLE,
    "audit.at": RETAINED,
    "deliveries.replayed_at": "only whether there is one counts",
    "folded.folded_at": RETAINED,
    "groups.decided_at": FOR_PEOPLE,
    "history.at": RETAINED,
    "hooks.heard_at": FOR_PEOPLE,
    "hooks.reported_at": "one that lies ahead counts as none until the next report",
    "instances.beat_at": "written again every few seconds",
    "instances.started_at": FOR_PEOPLE,
    "issues.changed_at": TRACKER,
    "issues.news_at": TRACKER,
    "issues.probed_since": TRACKER,
    "quarantine.received_at": FOR_PEOPLE,
    "regressions.at": FOR_PEOPLE,
    "regressions.closed_at": TRACKER,
    "route_pauses.at": FOR_PEOPLE,
    "schema_migrations.applied_at": FOR_PEOPLE,
    "strays.created_at": TRACKER,
    "strays.found_at": FOR_PEOPLE,
}
# Waits, and spans that begin in the past: only their distance from now counts.
SPANS = (
    "shift_outbox",
    "shift_issues",
    "shift_announcements",
    "shift_trackers",
    "shift_budgets",
    "shift_silences",
    "shift_storms",
    "shift_dictionaries",
    "shift_channels",
    "shift_notices",
)
# When something was received: compared with times of a tracker's clock.
MOMENTS = ("shift_waiting", "forget_batches", "shift_releases", "shift_project_releases", "shift_adoptions")

log = structlog.get_logger("syncd.store")

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Stretch(NamedTuple):
    """A time in which nobody set the clock, between two uptimes of the machine: it began not before the first and ended not after the second;
    None while it lasts. `origin` is the wall time at uptime 0 as the clock showed it then, `frame` the origin by which the moments of this
    stretch are stored by now."""

    since: float
    until: float | None
    origin: float
    frame: float


class DueTimes:
    """The times in a store on one machine; for any thread. Every write transaction of the connection begins by following the clock: nothing
    that is read from a clock after it was set is written before the stored times have moved."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        try:
            boot = _BOOT_ID.read_text().strip()  # the clock of each boot begins anew
        except OSError:
            boot = "unknown"
        self._name = f"clock.stretches {boot}"
        self._origin: float | None = None
        self._generation = 0  # of the database that `_origin` was read from
        self._confirmed = 0.0  # the uptime at which the clock was last as it is stored
        self._compared = 0.0  # the uptime at which the stored clock was last read
        connection.first = self._first

    def follow_clock(self) -> None:
        """Move the stored times if the clock was set since this process or another one last looked. Raises StoreUnavailable."""
        if self._first() is not None:
            self._connection.write(lambda _: None)

    def _first(self) -> Callable[[Transaction], None] | None:
        """Return what the next transaction must begin with, None if the clock was not set."""
        # The wall time at which the clock of the boot showed 0; it is the same for all processes of a machine until that is rebooted, also
        # while the machine sleeps.
        uptime = self._clock.boottime()
        origin = self._clock.wall() - uptime
        is_same = self._generation == self._connection.generation and uptime - self._compared < BELIEVED_SECONDS
        if is_same and self._origin is not None and abs(origin - self._origin) < JUMP_SECONDS:
            self._confirmed = uptime
            return None
        return lambda transaction: self._follow(transaction, uptime, origin)

    def _follow(self, transaction: Transaction, uptime: float, origin: float) -> None:
        rows = transaction.rows("setting", name=self._name)
        stretches = [Stretch(*entry) for entry in json.loads(cast(str, rows[0]["value"]))] if rows else []
        if stretches and abs(origin - stretches[-1].origin) < JUMP_SECONDS:
            self._generation = self._connection.generation
            self._origin = stretches[-1].origin  # an earlier transaction has committed it; this one may still fail
            self._compared = uptime
            return
        self._origin = None
        # A time that is written now was read a little earlier.
        since = max(self._confirmed, uptime - UNSEEN_SECONDS)
        if stretches:
            stretches[-1] = stretches[-1]._replace(until=uptime)
            stretches = self._move(transaction, stretches, uptime, origin)
        stretches.append(Stretch(since, None, origin, origin))
        transaction.run("set", name=self._name, value=json.dumps(stretches[-MOST_STRETCHES:]))

    def _move(
        self, transaction: Transaction, stretches: Sequence[Stretch], uptime: float, origin: float
    ) -> list[Stretch]:
        """Move all spans, and the moments of the stretches in which the clock was wrong. Return the stretches as they are stored then."""
        latest = stretches[-1].origin
        log.warning("clock_set", seconds=round(origin - latest))
        before, now = uptime + latest, uptime + origin
        span = {"since": stretches[0].since + latest, "until": before, "by": origin - latest}
        for query in SPANS:
            transaction.run(query, pending=min(before, now), horizon=before + HORIZON_SECONDS, **span)
        # Forward: the clock is right again if it showed this before, or if it is corrected after a boot. Otherwise nobody knows.
        right = [index for index, stretch in enumerate(stretches) if abs(stretch.origin - origin) < JUMP_SECONDS]
        returned = 0 if uptime < EARLY_SECONDS else min(right, default=len(stretches))
        ahead = [index for index, stretch in enumerate(stretches) if stretch.frame > origin + JUMP_SECONDS]
        behind = [
            index
            for index, stretch in enumerate(stretches)
            if index >= returned and stretch.frame < origin - JUMP_SECONDS
        ]
        moved = list(stretches)
        # The moments of a stretch never move into those of one that still has to move.
        for index in (*ahead, *reversed(behind)):
            stretch = stretches[index]
            end = uptime if stretch.until is None else stretch.until
            moment = {
                "since": stretch.since + stretch.frame,
                "until": end + stretch.frame,
                "by": origin - stretch.frame,
            }
            _move_trails(transaction, stretch.since + stretch.origin, end + stretch.origin, moment, now)
            for query in MOMENTS:
                transaction.run(query, **moment)
            moved[index] = stretch._replace(frame=origin)
        return moved


def _move_trails(
    transaction: Transaction, received_since: float, received_until: float, moment: Mapping[str, float], now: float
) -> None:
    """Move the points of the trails of all groups with a delivery in a span, and let the groups be judged by the times that they have then:
    those with an issue by its next call, those without one by the absorber, which looks for groups that no routes have judged."""
    rows = transaction.rows("trails_of_span", since=received_since, until=received_until)
    for row in rows:
        points = json.loads(cast(str, row["trail"]))
        trail = [
            [at + moment["by"] if moment["since"] <= at <= moment["until"] else at, *counts] for at, *counts in points
        ]
        transaction.run("save_trail", group_id=row["id"], trail=json.dumps(sorted(trail)))
    if rows:
        since = min(moment["since"], moment["since"] + moment["by"], operator.judged(transaction).since or now)
        operator.set_judged(transaction, "", since)
    linked = transaction.rows("linked_of_span", since=received_since, until=received_until)
    calls = {row["group_id"]: DueCall(tracker=str(row["tracker"]), due_at=now, call=Call.UPDATE) for row in linked}
    outbox.owe(transaction, cast(Mapping[int, DueCall], calls))
