"""Polls against the double: a polled project's counts are the double's, a notification only wakes the next poll, and failures are charged to the
polls alone."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from structlog.testing import capture_logs

from syncd.backtrace import poll
from syncd.backtrace.poll import Poller
from syncd.config import Config, LocalSettings, Route, StoreSettings
from syncd.model import Group, Identity
from syncd.operate.needs import needs
from syncd.operate.status import status
from syncd.store import Store, open_store, outbox, polls
from syncd.worker.absorb import absorb, recount
from syncd.worker.routing import Routing
from tests.backtrace.conftest import Configured
from tests.clock import START, MovableClock
from tests.fakes.backtrace import TOKEN, FakeBacktrace, callstack
from tests.fakes.server import Fault, Recorded
from tests.store.filled import accept

NUMBERS = itertools.count(1)


def crash(group: int, at: float, version: str = "1.0", **attributes: Any) -> dict[str, Any]:
    number = next(NUMBERS)
    stack = callstack(f"draw{group}", "main")
    own = {"fingerprint": format(group + 2**252, "064x"), "timestamp": int(at), "version": version, "object": number}
    return own | {"guid": f"u{number % 7}", "hostname": f"h{number % 3}", "callstack": stack} | attributes


@dataclass
class Project:
    """A polled project: its double, its poller, and the store."""

    fake: FakeBacktrace
    store: Store
    routing: Routing
    clock: MovableClock
    poller: Poller
    slept: list[float] = field(default_factory=list)

    def crash(self, group: int, count: int = 1, **attributes: Any) -> None:
        self.fake.objects.add([crash(group, self.clock.wall(), **attributes) for _ in range(count)])

    def notify(self, group: int) -> None:
        accept(self.store, self.fake.webhook(format(group + 2**252, "064x")), at=self.clock.wall())
        self.absorb()

    def absorb(self) -> None:
        while absorb(self.store, self.routing, self.clock.wall(), note=self.poller.note)[0]:
            pass
        while recount(self.store, self.routing, self.clock.wall())[0]:
            pass

    def poll(self, later: float = 900.0) -> float:
        self.clock.advance(later)
        pause = self.poller.step()
        self.absorb()
        return pause

    @property
    def groups(self) -> dict[str, Group]:
        return {each.group.identity.fingerprint: each.group for each in self.store.report.groups()}

    @property
    def counts(self) -> dict[str, tuple[int, bool]]:
        return {name: (group.occurrences, group.approximate) for name, group in self.groups.items()}

    @property
    def truth(self) -> dict[str, tuple[int, bool]]:
        return {name: (self.fake.objects.count(name), False) for name in self.fake.objects.groups()}

    @property
    def standing(self) -> polls.PollStanding:
        return self.store.read(partial(polls.standing, project="acme/game"))

    @property
    def states(self) -> list[str]:
        return [need.state for need in needs(status(self.routing.config, self.store, self.clock.wall()), 0.0)]


@pytest.fixture
def project(fake: FakeBacktrace, configured: Configured, store: Store) -> Iterator[Project]:
    made = make(fake, configured, store)
    yield made
    made.poller.close()


def make(fake: FakeBacktrace, configured: Configured, store: Store, **keys: Any) -> Project:
    target = configured(url=fake.url, **keys)
    config = Config(
        trackers={"here": LocalSettings(kind="local", folder="unused")},
        routes=[Route(tracker="here", on_triage="follow")],
        backtrace={"acme": target.settings},
    )
    routing = Routing(config=config, instance_key=store.instance_key())
    clock = MovableClock()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        if seconds:
            slept.append(seconds)
            clock.advance(seconds)

    poller = Poller(target, store, routing, clock, sleep, lambda _: None)
    return Project(fake, store, routing, clock, poller, slept)


def test_the_counts_of_a_polled_project_are_the_double_s(project: Project) -> None:
    project.crash(1, 5)
    project.crash(2, 3, version="2.0")
    assert project.poll(0.0) == 900.0
    assert project.counts == project.truth
    project.crash(2, 4, version="2.1")
    project.notify(2)
    project.poll()
    assert project.counts == project.truth
    group = project.groups[format(2 + 2**252, "064x")]
    assert {row.release: row.occurrences for row in group.releases} == {"2.0": 3, "2.1": 4}
    assert group.callstack == ("draw2", "main")
    assert group.notifications == 1


def test_a_poll_that_brings_nothing_new_stores_nothing(project: Project) -> None:
    project.crash(1, 5)
    project.poll(0.0)
    before = project.store.inbox.purgeable(float("inf"), 0.0).deliveries
    for _ in range(3):
        project.poll()
    assert project.store.inbox.purgeable(float("inf"), 0.0).deliveries == before == 1


def test_groups_that_crashed_before_the_first_poll_are_left_to_a_backfill(project: Project) -> None:
    project.fake.objects.add([crash(1, START - 100), crash(2, START - 100), crash(3, START - 50)])
    project.notify(3)
    project.poll(0.0)
    assert set(project.groups) == {format(3 + 2**252, "064x")}
    assert (project.standing.groups, project.standing.older) == (3, 2)
    project.clock.advance(10)
    project.crash(1)
    project.poll()
    assert project.counts[format(1 + 2**252, "064x")] == (2, False)
    project.poll(poll.WHOLE_SECONDS)
    assert (project.standing.groups, project.standing.older) == (3, 1)


def test_a_notification_wakes_the_next_poll_which_reads_its_group_however_old_its_crash(project: Project) -> None:
    project.crash(1, 5)
    project.poll(0.0)
    project.fake.objects.add([crash(1, START - 5 * poll.OVERLAP_SECONDS)])
    project.clock.advance(1)
    project.notify(1)
    assert project.counts[format(1 + 2**252, "064x")] == (5, False)
    assert project.poller.step() == pytest.approx(poll.WAKE_SECONDS - 1)
    project.poll(poll.WAKE_SECONDS)
    assert project.counts == project.truth
    assert not project.poller.note(Identity("acme", "another", "a" * 64))


def test_crashes_that_come_late_and_without_a_notification_are_read_within_a_day(project: Project) -> None:
    project.crash(1, 5)
    project.poll(0.0)
    project.poll(2 * poll.OVERLAP_SECONDS)
    project.fake.objects.add([crash(1, START - 5 * poll.OVERLAP_SECONDS)])
    project.poll()
    assert project.counts != project.truth
    project.poll(poll.WHOLE_SECONDS)
    assert project.counts == project.truth


def test_a_few_groups_are_read_alone_and_many_by_pages(project: Project) -> None:
    project.fake.objects.add([crash(number, START) for number in range(900)])
    project.poll(0.0)
    assert (
        len(project.fake.requests) == 5 + 1 + 4
    )  # an empty page is the last, and four of the release attributes are not indexed
    project.poll(2 * poll.OVERLAP_SECONDS)
    whole = len(project.fake.requests)
    project.crash(1)
    project.poll()
    assert len(project.fake.requests) - whole == 3  # the groups that moved, an empty page, and the group
    assert project.counts == project.truth
    assert project.fake.problems == []


def test_a_state_of_the_triage_is_followed_and_its_end_too(project: Project) -> None:
    project.crash(1, 5)
    name = format(1 + 2**252, "064x")
    project.poll(0.0)
    for state in ("muted", "open", "muted", "open"):
        project.fake.objects.set_issue(name, state=state)
        project.poll()
        (entry,) = project.store.report.groups()
        due = project.store.read(partial(outbox.next_due, tracker="here"))
        assert entry.group.triage == state
        assert due if state == "open" else entry.rule == "triage"


def test_a_group_of_all_zeros_and_one_without_a_fingerprint_are_not_read(project: Project) -> None:
    project.fake.objects.add([crash(1, START, fingerprint="0" * 64), crash(1, START, fingerprint=None)])
    project.poll(0.0)
    assert project.groups == {}


def test_a_column_that_is_not_indexed_costs_its_fold_alone(project: Project) -> None:
    del project.fake.objects.columns["guid"]
    project.crash(1, 5)
    project.poll(0.0)
    assert project.counts == project.truth
    assert project.groups[format(1 + 2**252, "064x")].users is None


def test_a_revoked_token_is_one_finding_and_no_storm_of_retries(project: Project) -> None:
    project.crash(1, 5)
    project.poll(0.0)
    before = len(project.fake.requests)
    tokens, project.fake.tokens = project.fake.tokens, {}
    with capture_logs() as logs:
        for _ in range(12):
            project.poll(300.0)
    assert len(project.fake.requests) - before <= 2
    assert project.states.count("backtrace_unread") == 1
    assert project.standing.refused
    assert not any(TOKEN in str(entry) for entry in logs)
    project.fake.tokens = tokens
    project.crash(1, 2)
    project.poll(poll.REFUSED_SECONDS)
    assert project.counts == project.truth
    assert "backtrace_unread" not in project.states


def test_a_new_token_is_tried_at_once(project: Project, tmp_path: Any) -> None:
    project.fake.tokens["second"] = project.fake.tokens.pop(TOKEN)
    project.crash(1, 5)
    assert project.poll(0.0) == poll.REFUSED_SECONDS
    (tmp_path / "backtrace-token").write_text("second-and-longer")
    project.fake.tokens["second-and-longer"] = project.fake.tokens.pop("second")
    project.poll(1.0)
    assert project.counts == project.truth


def test_stale_polls_let_notifications_count_again(project: Project) -> None:
    project.crash(1, 5)
    project.poll(0.0)
    project.fake.weather = _unavailable
    project.crash(1, 3)
    project.notify(1)
    project.poll(60.0)
    assert project.counts[format(1 + 2**252, "064x")] == (5, False)
    assert "backtrace_unread" not in project.states
    project.poll(2 * 3600.0)
    assert "backtrace_unread" in project.states
    assert project.counts[format(1 + 2**252, "064x")][0] >= 5
    project.fake.weather = None
    project.poll(3600.0)
    assert project.counts == project.truth


def test_failures_are_retried_ever_more_seldom(project: Project) -> None:
    project.fake.weather = _unavailable
    pauses = [project.poll(0.0)]
    for _ in range(9):
        pauses.append(project.poll(pauses[-1]))
    assert pauses[:3] == [30.0, 60.0, 120.0]
    assert pauses[-1] == poll.REFUSED_SECONDS


def test_the_budget_spreads_requests(fake: FakeBacktrace, configured: Configured, store: Store) -> None:
    project = make(fake, configured, store, reads=["10/1m"])
    fake.most_rows = 10
    fake.objects.add([crash(number, START) for number in range(400)])
    project.poll(0.0)
    assert len(fake.requests) >= 40
    assert project.clock.wall() - START >= 60 * (len(fake.requests) / 10 - 1)
    assert project.counts == project.truth


def test_no_poll_without_a_project_and_its_end_lets_notifications_count(project: Project) -> None:
    project.crash(1, 5)
    project.poll(0.0)
    assert poll.end(project.store, project.routing.config, [("acme", "game")]) == []
    assert poll.end(project.store, project.routing.config, []) == [("acme", "game")]
    project.absorb()
    project.crash(1, 9)
    project.notify(1)
    assert project.counts[format(1 + 2**252, "064x")][0] >= 5


def _unavailable(request: Recorded) -> Fault:
    return Fault(how="status", method=request.method, status=503)


@pytest.fixture
def store_of(migrated: Path, tmp_path: Path) -> Callable[[], Store]:
    """Empty stores."""

    def opened() -> Store:
        file = tmp_path / f"{next(NUMBERS)}.db"
        copyfile(migrated, file)
        return open_store(StoreSettings(url=f"sqlite:{file}"))

    return opened


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("crash"), st.integers(0, 5), st.sampled_from(["1.0", "1.1", "2.0"]), st.integers(0, 90_000)),
        st.tuples(st.just("notify"), st.integers(0, 5)),
        st.tuples(st.just("twice"), st.integers(0, 5)),
        st.tuples(st.just("poll"), st.sampled_from([5.0, 61.0, 900.0, 4000.0])),
        st.tuples(st.just("fail")),
    ),
    max_size=25,
)


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(steps=STEPS, windowed=st.booleans(), pages=st.integers(1, 3))
def test_whatever_comes_between_a_whole_poll_makes_every_count_the_double_s(
    configured: Configured, store_of: Callable[[], Store], steps: list[tuple[Any, ...]], windowed: bool, pages: int
) -> None:
    with FakeBacktrace() as fake:
        store = store_of()
        project = make(fake, configured, store)
        fake.windowed, fake.most_rows = windowed, pages
        project.poll(0.0)
        for name, *values in steps:
            if name == "crash":
                group, version, age = values
                fake.objects.add([crash(group, project.clock.wall() - age, version)])
            elif name in ("notify", "twice") and fake.objects.rows(format(values[0] + 2**252, "064x")):
                try:
                    body = fake.webhook(format(values[0] + 2**252, "064x"))
                except IndexError:
                    continue  # a window without a crash is not sent
                accept(store, *[body] * (1 + (name == "twice")), at=project.clock.wall())
                project.absorb()
            elif name == "poll":
                project.poll(values[0])
            elif name == "fail":
                down = fake.weather is None
                fake.weather = _unavailable if down else None
        fake.weather = None
        project.poll(poll.WHOLE_SECONDS + poll.REFUSED_SECONDS)
        project.poll(poll.REFUSED_SECONDS)
        for fingerprint, group in project.groups.items():
            assert (group.occurrences, group.approximate) == project.truth[fingerprint]
            rows = fake.objects.rows(fingerprint)
            expected = {
                version: sum(row["version"] == version for row in rows) for version in {row["version"] for row in rows}
            }
            assert {row.release: row.occurrences for row in group.releases} == expected
        store.close()
