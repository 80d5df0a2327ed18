"""Short histories about what syncd counts: order, merged groups, redeliveries, and clocks that were wrong."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncd.daemon.arrivals import Arrivals
from syncd.model import Call
from syncd.operate import actions
from syncd.worker import reconcile
from syncd.worker.absorb import absorb
from syncd.worker.routing import digest, opens
from syncd.worker.sync import sync
from tests.simulation.history import Setup
from tests.simulation.operators import TRACKER
from tests.simulation.test_races import Stage
from tests.simulation.tracker import Client

DAY = 86400.0


class Counting(Stage):
    """A stage whose route and counts are a test's own."""

    def configure(self, **route: Any) -> None:
        """Give the only route these settings."""
        self.world.configure(Setup(route=tuple(sorted(route.items()))))
        self.process.routing = self.world.routing(self.store)

    def send(self, fingerprint: str, occurrences: int, *, last: int = 2, first: int = 1, release: str = "1.0") -> int:
        """Deliver a notification, and leave it in the inbox."""
        body = {
            "universe": "acme",
            "project": "game",
            "fingerprint": fingerprint,
            "occurrences": occurrences,
            "timestamp": [first, last],
            "attributes": {"version": [[release, occurrences]]},
        }
        return self.world.deliver(json.dumps(body).encode())

    def fold(self, size: int = 200) -> None:
        """Fold everything that waits, so many deliveries at a time."""
        first = self.process.absorber.arrivals.take_firsts
        while absorb(self.store, self.process.routing, self.process.clock.wall(), first(size), size)[0]:
            pass

    def restart(self) -> None:
        """Forget what a process remembers."""
        self.process.absorber.arrivals = Arrivals()

    def judge_again(self) -> None:
        """Judge the groups without an issue again, if something asks for that, as an absorber does every few seconds."""
        routing = self.process.routing
        reconcile.reroute(self.store, routing, digest(routing.config), self.process.clock.wall(), starts=False)

    def set_clock(self, offset: float) -> None:
        """Set the machine's clock to so many seconds ahead of the true time, which is the tracker's."""
        self.process.clock.offset = offset

    def pass_time(self, seconds: float) -> None:
        """Let true time pass."""
        self.world.scheduler.now += seconds

    def close_issue(self) -> None:
        """Let a person close the only issue, and syncd see that."""
        (item,) = self.world.site.items
        item.closed, item.closed_at, item.resolution = True, self.world.site.now, "completed"
        item.closed_by_person = self.world.scheduler.now

    def sync_all(self) -> None:
        """Sync until nothing is due by the process's own clock."""
        while self.sync_once():
            pass

    def sync_once(self) -> bool:
        """Sync the group that is due longest; False if none is."""
        now = self.process.clock.wall()
        claim = self.store.outbox.claim(TRACKER, f"p1/{now}", now)
        if claim is not None:
            client = Client(self.world.site, self.process.clock)
            sync(self.store, client, claim, self.process.routing, self.process.clock)
        return claim is not None

    def occurrences(self, fingerprint: str) -> int:
        """Return the count of a group."""
        (row,) = self.world.database.rows("SELECT occurrences FROM groups WHERE fingerprint = ?", fingerprint)
        return int(str(row["occurrences"]))


@pytest.fixture
def stage(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Counting]:
    stage = Counting(tmp_path, Setup(mode=getattr(request, "param", "auto")))
    yield stage
    stage.world.close()


def test_the_target_of_an_alias_meets_its_threshold_with_the_occurrences_of_both(stage: Counting) -> None:
    stage.configure(min_occurrences=15)
    for fingerprint, occurrences in (("target", 5), ("alias", 3)):
        stage.send(fingerprint, occurrences)
    stage.fold()
    actions.add_alias(
        stage.store, stage.process.routing, stage.group("alias"), stage.group("target"), "the same crash", stage.now
    )
    stage.sync_all()
    assert stage.titles == []
    stage.send("target", 12, last=3)
    stage.fold()
    stage.sync_all()

    assert stage.titles == ["target"]


def test_a_target_is_judged_when_its_alias_is_added(stage: Counting) -> None:
    stage.configure(min_occurrences=15)
    for fingerprint in ("target", "alias"):
        stage.send(fingerprint, 10)
    stage.fold()
    actions.add_alias(
        stage.store, stage.process.routing, stage.group("alias"), stage.group("target"), "the same crash", stage.now
    )
    stage.sync_all()

    assert stage.titles == ["target"]


def test_old_occurrences_of_an_alias_are_no_growth_of_its_target(stage: Counting) -> None:
    stage.configure(min_occurrences=20, within=3600.0)
    stage.send("alias", 15)
    stage.fold()
    stage.world.scheduler.now += 86400.0
    stage.send("target", 3)
    stage.fold()
    actions.add_alias(
        stage.store, stage.process.routing, stage.group("alias"), stage.group("target"), "the same crash", stage.now
    )
    stage.send("target", 8, last=3)
    stage.fold()
    stage.sync_all()

    assert stage.titles == []


def test_a_refused_create_of_a_target_is_not_sent_again_with_each_notification(stage: Counting) -> None:
    stage.world.site.weather.refuses = {"target"}
    for fingerprint, release in (("target", "1.0"), ("alias", "2.0")):
        stage.send(fingerprint, 1, release=release)
    stage.fold()
    actions.add_alias(
        stage.store, stage.process.routing, stage.group("alias"), stage.group("target"), "the same crash", stage.now
    )
    for last in range(3, 8):
        stage.sync_all()
        stage.send("target", last, last=last)
        stage.fold()

    assert len(stage.world.site.refusals) == 1


@pytest.mark.parametrize("stage", ["window"], indirect=True)
def test_a_replay_counts_no_window_twice_that_was_redelivered_later(stage: Counting) -> None:
    stage.send("f1", 10)
    stage.fold()
    stage.world.scheduler.now += 20 * DAY
    redelivered = stage.send("f1", 10)
    stage.fold()
    stage.world.scheduler.now += 20 * DAY
    while stage.store.inbox.purge(stage.now - 30 * DAY, stage.now - 30 * DAY):
        pass
    assert stage.store.dead_letters.replay([redelivered], stage.now) == 1
    stage.fold()

    assert stage.occurrences("f1") == 10


@pytest.mark.parametrize("stage", ["window"], indirect=True)
def test_a_purge_that_ends_early_leaves_no_delivery_without_its_digest(stage: Counting) -> None:
    numbers = [stage.send("f1", 10, first=first, last=first + 1) for first in (1, 3, 5)]
    stage.fold()
    stage.world.scheduler.now += DAY
    stage.store.inbox.purge(stage.now, stage.now, size=2)
    assert stage.store.dead_letters.replay(numbers, stage.now) == 1
    stage.store.inbox.purge(stage.now, stage.now)
    stage.fold()

    assert stage.occurrences("f1") == 30


@pytest.mark.parametrize("is_known", [True, False], ids=["of a group in the store", "of a group in the backlog"])
def test_a_delivery_after_a_restart_waits_for_the_older_ones(stage: Counting, is_known: bool) -> None:
    stage.send("f1", 10, first=1, last=2)
    if is_known:
        stage.fold()
    for number in range(3):
        stage.send(f"before {number}", 1)
    stage.send("f1", 10, first=3, last=4)
    stage.send("f1", 10, first=5, last=6)
    stage.restart()
    stage.send("f1", 10, first=7, last=8)
    stage.fold(size=1)

    assert stage.occurrences("f1") == 40


def test_a_new_group_does_not_wait_behind_a_backlog(stage: Counting) -> None:
    for number in range(3):
        stage.send(f"before {number}", 1)
    stage.restart()
    stage.send("new", 1)
    first = stage.process.absorber.arrivals.take_firsts(200)
    absorb(stage.store, stage.process.routing, stage.now, first)

    assert [row["fingerprint"] for row in stage.world.database.rows("SELECT fingerprint FROM groups")] == ["new"]


HOUR = 3600.0


def test_a_crash_received_while_the_clock_was_ahead_is_known_at_a_later_closing(stage: Counting) -> None:
    stage.send("f1", 1, release="1.0")
    stage.fold()
    stage.sync_all()
    stage.set_clock(5 * HOUR)
    stage.send("f1", 2, last=3, release="1.1")
    stage.fold()
    stage.sync_all()
    stage.pass_time(600.0)
    stage.set_clock(0.0)
    stage.pass_time(HOUR)
    stage.close_issue()
    stage.pass_time(HOUR)
    stage.send("f1", 9, last=2_000_000_000, release="1.1")
    stage.fold()
    stage.sync_all()

    assert not stage.world.site.reopened


def test_a_crash_received_before_the_clock_went_ahead_stays_known(stage: Counting) -> None:
    stage.send("f1", 2, release="1.1")
    stage.fold()
    stage.sync_all()
    stage.pass_time(HOUR)
    stage.close_issue()
    stage.pass_time(HOUR)
    stage.set_clock(5 * HOUR)
    stage.send("f1", 9, last=2_000_000_000, release="1.1")
    stage.fold()
    stage.sync_all()

    assert not stage.world.site.reopened


def test_a_delivery_that_waits_while_the_clock_is_set_right_moves_with_it(stage: Counting) -> None:
    stage.send("f1", 1, release="1.0")
    stage.fold()
    stage.sync_all()
    stage.set_clock(5 * HOUR)
    stage.send("f1", 2, last=3, release="1.1")
    stage.pass_time(2 * HOUR)
    stage.set_clock(0.0)
    stage.close_issue()
    stage.pass_time(HOUR)
    stage.fold()
    stage.send("f1", 9, last=2_000_000_000, release="1.1")
    stage.fold()
    stage.sync_all()

    assert not stage.world.site.reopened


def test_a_trail_of_a_clock_that_was_ahead_swallows_no_later_growth(stage: Counting) -> None:
    stage.configure(min_occurrences=50, within=HOUR)
    stage.set_clock(5 * HOUR)
    stage.send("f1", 10)
    stage.fold()
    stage.set_clock(0.0)
    for number in range(5):
        stage.pass_time(2 * HOUR)
        stage.send("f1", 20 + 10 * number, last=3 + number)
        stage.fold()
    stage.sync_all()

    assert stage.titles == []


@pytest.mark.parametrize("ahead", [5 * HOUR, -5 * HOUR])
def test_a_silence_outlasts_a_glitch_of_the_clock(stage: Counting, ahead: float) -> None:
    stage.send("f1", 1)
    stage.fold()
    stage.world.site.weather.throttled_until = stage.now + HOUR
    stage.sync_once()
    stage.world.site.weather.throttled_until = 0.0
    for offset in (ahead, 0.0):
        stage.set_clock(offset)
        stage.pass_time(60.0)
        stage.store.due_times.follow_clock()
    now, allowance = stage.process.clock.wall(), stage.process.routing.allowance(TRACKER)

    assert opens(stage.store, TRACKER, allowance, now)[Call.CREATE] - now == pytest.approx(HOUR - 120.0, abs=10.0)


@pytest.mark.parametrize("away", [0.0, 2 * HOUR])
def test_what_met_its_threshold_by_the_corrected_times_is_filed_without_another_notification(
    stage: Counting, away: float
) -> None:
    stage.configure(min_occurrences=20, within=HOUR)
    stage.judge_again()
    stage.send("f1", 10)
    stage.fold()
    stage.pass_time(60.0)
    stage.set_clock(5 * HOUR)
    stage.send("f1", 20, last=3)
    stage.fold()
    stage.set_clock(0.0)
    stage.store.due_times.follow_clock()
    stage.pass_time(away)
    stage.judge_again()
    stage.sync_all()

    assert stage.titles == ["f1"]


def test_a_release_noticed_while_the_clock_was_behind_counts_as_noticed_after_the_closing(stage: Counting) -> None:
    stage.send("f1", 1, release="1.0")
    stage.fold()
    stage.sync_all()
    stage.set_clock(-HOUR)
    stage.store.due_times.follow_clock()
    stage.pass_time(HOUR)
    stage.close_issue()
    for occurrences in (1, 9):
        stage.pass_time(HOUR / 2 + 60.0)
        stage.send("f1", occurrences, last=2_000_000_000, release="1.1")
        stage.fold()
        stage.sync_all()
    assert not stage.world.site.reopened
    stage.set_clock(0.0)
    stage.store.due_times.follow_clock()
    stage.sync_all()

    assert len(stage.world.site.reopened) == 1
