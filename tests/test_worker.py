"""One group's sync, step by step, against a tracker that keeps state and fails when told to."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from syncd.config import Config, LocalSettings, Route, StoreSettings
from syncd.errors import (
    LeaseLost,
    Misconfigured,
    Missing,
    OutcomeUnknown,
    Refused,
    Throttled,
    TrackerError,
    Unavailable,
)
from syncd.model import Created, Group, Issue
from syncd.render.document import Document
from syncd.store import Store, open_store
from syncd.store.outbox import LEASE_SECONDS
from syncd.store.sqlite import open_file
from syncd.threads import Worker
from syncd.trackers import Draft, Finding
from syncd.worker import Rules, absorb, sync
from tests.store.filled import accept, told


@dataclass
class Tracker:
    """Keeps issues and comments by marker. `fail_before` and `fail_after` hold, by operation, what to raise next."""

    issues: list[Draft] = field(default_factory=list)
    comments: dict[str, Document] = field(default_factory=dict)
    refreshed: int = 0
    calls: list[str] = field(default_factory=list)
    fail_before: dict[str, Exception] = field(default_factory=dict)
    fail_after: dict[str, Exception] = field(default_factory=dict)

    def _called(self, operation: str) -> None:
        self.calls.append(operation)
        if error := self.fail_before.pop(operation, None):
            raise error

    def _done(self, operation: str) -> None:
        if error := self.fail_after.pop(operation, None):
            raise error

    def create(self, draft: Draft) -> Created:
        self._called("create")
        self.issues.append(draft)
        self._done("create")
        number = len(self.issues)
        return Created(remote_id=str(number), key=f"K-{number}", url=f"https://example.com/{number}", number=number)

    def comment(self, issue: Issue, document: Document, marker: str) -> str:
        self._called("comment")
        self.comments[marker] = document
        self._done("comment")
        return marker

    def find_comment(self, issue: Issue, marker: str) -> str | None:
        self._called("find_comment")
        return marker if marker in self.comments else None

    def edit_comment(self, issue: Issue, comment_id: str, document: Document, marker: str) -> None:
        self._called("edit_comment")
        if comment_id not in self.comments:
            raise Missing("the comment was deleted")
        self.comments[comment_id] = document

    def refresh(self, issue: Issue, group: Group) -> None:
        self.refreshed += 1

    def check(self) -> list[Finding]:
        return []

    def close(self) -> None:
        self.calls.append("close")


@dataclass
class Scene:
    """A store, rules that send everything to `here` without waiting, and the tracker there."""

    store: Store
    rules: Rules
    tracker: Tracker
    database: Path

    def tell(self, fingerprint: str = "f1", **overrides: object) -> None:
        accept(self.store, told(fingerprint, **overrides), at=time.time())
        absorb(self.store, self.rules, time.time())

    def sync(self) -> bool:
        """Sync the group that is due; False when none is."""
        claim = self.store.outbox.claim("here", f"test/{len(self.tracker.calls)}", time.time())
        if claim is not None:
            sync(self.store, self.tracker, claim, self.rules)
        return claim is not None

    def fail(self, operation: str, error: Exception, after: bool = False) -> None:
        (self.tracker.fail_after if after else self.tracker.fail_before)[operation] = error

    def age(self, table: str, column: str, seconds: float) -> None:
        database = open_file(self.database, "rw")
        database.execute(f"UPDATE {table} SET {column} = {column} - ?", [seconds])
        database.close()

    @property
    def state(self) -> str | None:
        issue = self.store.report.groups()[0].issue
        return issue.state.value if issue else None

    @property
    def due_in(self) -> float | None:
        due_at = self.store.outbox.next_due("here")
        return None if due_at is None else due_at - time.time()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    settings = StoreSettings(url=f"sqlite:{tmp_path}/syncd.db")
    store = open_store(settings)
    config = Config(
        store=settings,
        trackers={"here": LocalSettings(kind="local", folder="unused")},
        routes=[Route(tracker="here", status_interval=0.0)],
    )
    yield Scene(store, Rules(config=config, instance_key=store.instance_key()), Tracker(), tmp_path / "syncd.db")
    store.close()


def test_a_new_group_costs_one_call_and_a_changed_one_costs_one_more(scene: Scene) -> None:
    scene.tell()
    assert scene.sync()
    assert (scene.tracker.calls, scene.state) == (["create"], "linked")
    assert not scene.sync()

    scene.tell(occurrences=9)
    assert scene.sync()
    scene.tell(occurrences=10)
    assert scene.sync()

    assert scene.tracker.calls == ["create", "comment", "edit_comment"]
    assert scene.tracker.refreshed == 2
    assert not scene.sync()


def test_a_tracker_that_has_something_to_do_is_woken_at_once(scene: Scene) -> None:
    accept(scene.store, told(), at=time.time())

    assert absorb(scene.store, scene.rules, time.time()) == (1, {"here"})


def test_a_pause_from_a_clock_that_was_set_back_is_over(scene: Scene) -> None:
    scene.tell()
    scene.store.outbox.pause("here", "slow down", time.time() + 3 * 86400)
    worker = Worker(scene.store, scene.rules, "me", {"here": [scene.tracker]})
    worker.start()
    deadline = time.monotonic() + 20
    while scene.store.report.counts(time.time()).linked < 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    worker.stop()

    assert scene.state == "linked"


def test_what_was_created_is_told_apart_by_its_marker(scene: Scene) -> None:
    scene.tell()
    scene.tell(fingerprint="f2")
    scene.sync()
    scene.sync()

    markers = {draft.marker for draft in scene.tracker.issues}
    assert len(markers) == 2


@pytest.mark.parametrize("after", [False, True], ids=["before it was carried out", "after"])
def test_a_create_whose_answer_was_lost_is_in_doubt_and_never_sent_again(scene: Scene, after: bool) -> None:
    scene.tell()
    scene.fail("create", OutcomeUnknown("no answer"), after)
    scene.sync()
    scene.age("outbox", "due_at", 10_000)
    scene.sync()
    scene.tell(occurrences=99)
    scene.age("outbox", "due_at", 10_000)
    scene.sync()

    assert scene.tracker.calls == ["create"]
    assert scene.state == "in_doubt"
    (standing,) = scene.store.report.groups()
    assert "no answer" in standing.reason


@pytest.mark.parametrize(
    "error",
    [Unavailable("no connection"), Throttled("slow down", 30.0), Misconfigured("bad credentials"), Refused("too long")],
)
def test_a_create_that_certainly_did_not_happen_may_be_sent_again(scene: Scene, error: TrackerError) -> None:
    scene.tell()
    scene.fail("create", error)
    scene.sync()

    assert scene.store.report.groups()[0].issue is None
    scene.tell(occurrences=99)  # revives what was buried
    scene.age("outbox", "due_at", 10_000)
    scene.sync()
    assert (scene.tracker.calls, scene.state) == (["create", "create"], "linked")


def test_what_is_unavailable_is_tried_again_later_and_later(scene: Scene) -> None:
    scene.tell()
    waits = []
    for _ in range(4):
        scene.fail("create", Unavailable("no connection"))
        scene.sync()
        assert scene.due_in is not None
        waits.append(scene.due_in)
        scene.age("outbox", "due_at", 10_000)

    assert all(1.0 < wait < 22.0 for wait in waits)
    assert waits[3] > waits[0] * 2


def test_retry_after_is_honoured(scene: Scene) -> None:
    scene.tell()
    scene.fail("create", Unavailable("maintenance", retry_after=500.0))
    scene.sync()

    assert scene.due_in == pytest.approx(500.0, abs=5)


def test_a_throttled_tracker_rests_as_long_as_it_asked(scene: Scene) -> None:
    scene.tell()
    scene.fail("create", Throttled("slow down", 120.0))
    scene.sync()

    assert (scene.store.outbox.paused_until("here") or 0) - time.time() == pytest.approx(120.0, abs=5)


def test_a_misconfigured_tracker_rests_and_says_why_and_its_group_is_not_to_blame(scene: Scene) -> None:
    scene.tell()
    scene.fail("create", Misconfigured("bad credentials"))
    scene.sync()

    assert scene.store.report.trackers()["here"].reason == "bad credentials"
    assert scene.store.report.counts(time.time()).dead == 0
    claim = scene.store.outbox.claim("here", "next", time.time())
    assert claim is not None
    assert claim.attempts == 0


def test_what_a_tracker_refuses_is_a_dead_letter_with_its_words(scene: Scene) -> None:
    scene.tell()
    scene.fail("create", Refused("the body is too long"))
    scene.sync()

    (standing,) = scene.store.report.groups()
    assert (standing.decision, standing.reason) == ("dead", "the body is too long")


def test_a_comment_whose_answer_was_lost_is_looked_for_before_another_is_added(scene: Scene) -> None:
    scene.tell()
    scene.sync()
    scene.tell(occurrences=9)
    scene.fail("comment", OutcomeUnknown("no answer"), after=True)
    scene.sync()
    scene.age("outbox", "due_at", 10_000)
    scene.sync()

    # Too early to be believed: it may still arrive.
    assert scene.tracker.calls == ["create", "comment"]
    scene.age("outbox", "due_at", 10_000)
    scene.age("issues", "comment_sent_at", 60)
    scene.sync()

    assert scene.tracker.calls == ["create", "comment", "find_comment", "edit_comment"]
    assert len(scene.tracker.comments) == 1


def test_a_comment_that_never_arrived_is_added(scene: Scene) -> None:
    scene.tell()
    scene.sync()
    scene.tell(occurrences=9)
    scene.fail("comment", OutcomeUnknown("no answer"))
    scene.sync()
    scene.age("outbox", "due_at", 10_000)
    scene.age("issues", "comment_sent_at", 60)
    scene.sync()

    assert scene.tracker.calls == ["create", "comment", "find_comment", "comment"]
    assert len(scene.tracker.comments) == 1


def test_a_deleted_comment_is_written_anew(scene: Scene) -> None:
    scene.tell()
    scene.sync()
    scene.tell(occurrences=9)
    scene.sync()
    scene.tracker.comments.clear()
    scene.tell(occurrences=10)
    scene.sync()

    assert scene.tracker.calls[-2:] == ["edit_comment", "comment"]
    assert len(scene.tracker.comments) == 1


def test_an_issue_that_is_gone_is_parked_and_left_alone(scene: Scene) -> None:
    scene.tell()
    scene.sync()
    scene.tell(occurrences=9)
    scene.fail("comment", Missing("the issue was deleted"))
    scene.sync()
    scene.tell(occurrences=10)
    scene.sync()

    assert scene.tracker.calls == ["create", "comment"]
    assert scene.state == "parked"
    assert "the issue was deleted" in scene.store.report.groups()[0].reason
    assert scene.store.report.counts(time.time()).parked == 1


def test_a_worker_that_lost_its_lease_before_the_call_does_not_call(scene: Scene) -> None:
    scene.tell()
    late = scene.store.outbox.claim("here", "late", time.time())
    assert late is not None
    scene.store.outbox.claim("here", "next", time.time() + LEASE_SECONDS + 1)

    with pytest.raises(LeaseLost):
        sync(scene.store, scene.tracker, late, scene.rules)
    assert scene.tracker.calls == []


def test_an_issue_is_brought_up_to_date_once_in_an_interval(scene: Scene) -> None:
    config = scene.rules.config.model_copy(update={"routes": [Route(tracker="here", status_interval=600.0)]})
    scene.rules = Rules(config=config, instance_key=scene.rules.instance_key)
    scene.tell()
    scene.sync()
    for occurrences in range(10, 60):
        scene.tell(occurrences=occurrences)
        scene.sync()

    assert scene.tracker.calls == ["create"]
    assert scene.due_in == pytest.approx(600.0, abs=5)
    scene.age("outbox", "due_at", 601)
    scene.age("issues", "synced_at", 601)
    scene.sync()
    assert scene.tracker.calls == ["create", "comment"]
    assert not scene.sync()


def test_a_bug_in_one_group_is_set_aside_and_the_others_go_on(scene: Scene) -> None:
    scene.tell(fingerprint="poisoned")
    scene.fail("create", ZeroDivisionError("a bug"))
    worker = Worker(scene.store, scene.rules, "me", {"here": [scene.tracker]})
    worker.start()
    accept(scene.store, told("healthy"), at=time.time())
    worker.arrived()
    deadline = time.monotonic() + 20
    while scene.store.report.counts(time.time()).linked < 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    worker.stop()

    states = {one.group.identity.fingerprint: one for one in scene.store.report.groups()}
    assert states["healthy"].issue is not None
    assert states["poisoned"].issue is not None
    assert states["poisoned"].issue.state.value == "in_doubt"
    assert "a bug in syncd (ZeroDivisionError)" in states["poisoned"].reason
    assert scene.tracker.calls[-1] == "close"
