"""Totals of polls beside the counts of notifications: fresh ones are the counts, stale ones a base, and both teach what a notification counts."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from syncd.core import counts, fold, holds, polls
from syncd.core.counts import Counting, Evidence
from syncd.model import Group, Identity, Notification, Reading, Tally
from tests.factories import make_policy

IDENTITY = Identity("acme", "game", "a" * 64)
DAY = 86400


@dataclass
class Sender:
    """Crashes of one group, each at its second, and what webhook and poll say of them."""

    windowed: bool
    crashes: list[int] = field(default_factory=list)
    sent: int = 0
    number: int = 0

    def crash(self, count: int) -> None:
        start = self.crashes[-1] + 10 if self.crashes else 1000
        self.crashes += range(start, start + count)

    def _message(self, crashes: list[int], *, polled: bool) -> Notification:
        self.number += 1
        return Notification(
            identity=IDENTITY,
            digest=self.number.to_bytes(8, "big"),
            occurrences=len(crashes),
            object_id=None if polled else str(self.number),
            first=crashes[0],
            last=crashes[-1],
            releases=(("1.0", len(crashes)),),
            received_at=self.crashes[-1] + 1.0,
            polled=polled,
        )

    def webhook(self) -> Notification | None:
        crashes = self.crashes[self.sent :] if self.windowed else self.crashes
        self.sent = len(self.crashes)
        return self._message(crashes, polled=False) if crashes else None

    def poll(self) -> Notification | None:
        return self._message(self.crashes, polled=True) if self.crashes else None


def folded(group: Group | None, message: Notification, counting: Counting) -> tuple[Group, Evidence]:
    return fold.fold_all(group, [message], counting, lambda _: message)


STEPS = st.lists(st.one_of(st.integers(1, 5), st.sampled_from(["webhook", "poll"])), min_size=1, max_size=30)


@given(steps=STEPS, windowed=st.booleans(), mode=st.sampled_from(["auto", "cumulative", "window"]))
def test_a_poll_is_exact_and_what_follows_a_stale_one_lies_between_its_bounds(
    steps: list[int | str], windowed: bool, mode: counts.Mode
) -> None:
    sender = Sender(windowed)
    group: Group | None = None
    fresh = Counting(mode=mode, polled=True)
    latest = 0
    for step in steps:
        if isinstance(step, int):
            sender.crash(step)
            continue
        message = sender.webhook() if step == "webhook" else sender.poll()
        if message is None:
            continue
        before = group
        group, _ = folded(group, message, fresh)
        if step == "poll":
            latest = len(sender.crashes)
        if latest:
            assert (group.occurrences, group.approximate) == (latest, False)
            assert [row.occurrences for row in group.releases] == [latest]
        if before is not None:
            assert group.occurrences >= before.occurrences or not before.tally.polled
    if group is not None and mode == "auto":
        stale = fold.read_again(group, replace(fresh, polled=False))
        assert stale.occurrences <= len(sender.crashes)
        assert fold.read_again(stale, fresh).occurrences == group.occurrences


@pytest.mark.parametrize("windowed", [True, False])
def test_polls_teach_what_the_notifications_count(windowed: bool) -> None:
    counting, evidence = Counting(polled=True), Evidence()
    for _ in range(10):
        sender = Sender(windowed)
        group: Group | None = None
        sender.crash(20)
        sender.sent = 23
        for step in ("poll", "webhook", "poll"):
            sender.crash(3)
            message = sender.webhook() if step == "webhook" else sender.poll()
            assert message is not None
            if step == "webhook" and windowed:
                sender.sent = 23
            group, events = folded(group, message, counting)
            evidence = evidence.plus(events)
    learned = counts.decide("auto", evidence, counting)
    assert (learned.totals, learned.windows) == (not windowed, windowed)
    assert learned.polled


def test_windows_between_two_totals_are_windows_and_totals_are_totals() -> None:
    base = replace(polls.tally(Tally(), 100, 1.0), since=7, largest=100)
    assert polls.lesson(base, 110) == Evidence(apart=1, falls=1)
    assert polls.lesson(replace(base, since=105, largest=105), 110) == Evidence(rises=1)
    assert polls.lesson(replace(base, since=0), 110) == Evidence()
    assert polls.lesson(base, 100) == Evidence()
    assert polls.lesson(Tally(), 100) == Evidence()


def test_a_total_that_falls_lowers_nothing() -> None:
    sender, counting = Sender(False), Counting(polled=True)
    sender.crash(10)
    message = sender.poll()
    assert message is not None
    group, _ = folded(None, message, counting)
    lower = replace(message, digest=b"2", occurrences=4, releases=(("1.0", 4),))
    after, _ = folded(group, lower, counting)
    assert (after.occurrences, after.releases[0].occurrences) == (10, 10)
    assert after.revision == group.revision


def test_a_poll_fills_what_is_empty_and_replaces_no_text() -> None:
    rich = Notification(
        identity=IDENTITY, digest=b"1", occurrences=1, first=5, last=5, callstack=("f",), attributes=(("os", ("x",)),)
    )
    group, _ = folded(None, rich, Counting(polled=True))
    poll = Notification(
        identity=IDENTITY,
        digest=b"2",
        occurrences=9,
        first=5,
        last=50,
        callstack=("g",),
        application="game",
        polled=True,
    )
    after, _ = folded(group, poll, Counting(polled=True))
    assert (after.callstack, after.attributes, after.application) == (("f",), (("os", ("x",)),), "game")
    assert (after.last_seen, after.occurrences, after.notifications) == (50, 9, 2)


def test_old_crashes_of_a_first_poll_are_not_recent() -> None:
    sender, counting = Sender(False), Counting(polled=True)
    sender.crash(500)
    poll = sender.poll()
    assert poll is not None
    now = 1000.0 + 90 * DAY
    old = replace(poll, received_at=now)
    group, _ = folded(None, old, counting)
    assert fold.growth(group, now - 7 * DAY).occurrences == 0
    assert group.releases[0].grown_at == old.last
    grown, _ = folded(
        group, replace(old, digest=b"3", occurrences=520, last=int(now) + 50, received_at=now + 60), counting
    )
    assert fold.growth(grown, now - 7 * DAY).occurrences == 20


def test_a_release_that_no_poll_has_named_has_bounds() -> None:
    sender, counting = Sender(True), Counting(polled=True)
    sender.crash(5)
    poll = sender.poll()
    assert poll is not None
    group, _ = folded(None, poll, counting)
    group, _ = folded(group, replace(poll, digest=b"w", polled=False, releases=(("2.0", 3),)), counting)
    row = {row.release: row for row in group.releases}["2.0"]
    assert (row.occurrences, group.occurrences, group.reading) == (3, 5, Reading.POLLED)


def test_a_backfilled_group_is_held_until_it_is_filed_on_purpose() -> None:
    sender, counting = Sender(False), Counting(polled=True)
    sender.crash(5)
    poll = sender.poll()
    assert poll is not None
    group, _ = folded(None, replace(poll, backfill=True), counting)
    plan = holds.decision(group, make_policy(), hold_zero=True, now=0.0)
    assert plan is not None
    assert plan.rule == "backfill"
    ordered = replace(group, ordered="on purpose")
    assert holds.decision(ordered, make_policy(), hold_zero=True, now=0.0) is None
    again, _ = folded(group, replace(poll, digest=b"x", backfill=True), counting)
    assert again.backfilled
    filed, _ = folded(group, replace(poll, digest=b"y", backfill=False), counting)
    assert holds.decision(filed, make_policy(), hold_zero=True, now=0.0) is None
    later, _ = folded(filed, replace(poll, digest=b"z", backfill=True), counting)
    assert not later.backfilled


@pytest.mark.parametrize(("state", "held"), [("resolved", True), ("muted", True), ("open", False), (None, False)])
def test_a_route_follows_what_people_decided_in_backtrace(state: str | None, held: bool) -> None:
    group = Group(identity=IDENTITY, occurrences=1, triage=state, revision=1)
    plan = holds.decision(group, make_policy(on_triage="follow"), hold_zero=True, now=0.0)
    assert (plan is not None and plan.rule == "triage") is held
    assert holds.decision(group, make_policy(), hold_zero=True, now=0.0) is None
