"""One group's sync, step by step, against a tracker that keeps state and fails when told to."""

import threading
import time
from collections.abc import Callable

import pytest

from syncd.config import Route
from syncd.core.budget import Limit
from syncd.daemon.threads import Worker, sleep_until
from syncd.errors import (
    Gone,
    LeaseLost,
    Misconfigured,
    Moved,
    OutcomeUnknown,
    OutOfReach,
    Refused,
    Throttled,
    TrackerError,
    Unavailable,
)
from syncd.model import Call, Condition, Created, Identity
from syncd.store import outbox
from syncd.store.dead_letters import Kind
from syncd.store.issues import Intent
from syncd.store.outbox import LEASE_SECONDS, Claim
from syncd.trackers import Draft
from syncd.worker.absorb import absorb
from syncd.worker.failures import rest
from syncd.worker.routing import Routing
from syncd.worker.sync import sync
from tests.clock import MovableClock
from tests.scene import Scene, made
from tests.store import steps
from tests.store.filled import accept, crash_notification
from tests.trackers.test_transport import FailingConnection


def test_a_new_group_costs_one_call_and_a_changed_one_costs_one_more(scene: Scene) -> None:
    scene.tell()
    assert scene.sync()
    assert (scene.tracker.calls, scene.state) == (["create"], "linked")
    assert not scene.sync()

    scene.tell(occurrences=9)
    assert scene.sync()
    scene.tell(occurrences=10)
    assert scene.sync()

    assert scene.tracker.calls == ["create", "look", "comment", "look", "edit_comment"]
    assert scene.tracker.refreshed == 2
    assert not scene.sync()


def test_a_tracker_that_has_something_to_do_is_woken_at_once(scene: Scene) -> None:
    accept(scene.store, crash_notification(), at=scene.clock.wall())

    assert absorb(scene.store, scene.rules, scene.clock.wall()) == (1, {"here"})


def test_a_pause_from_a_clock_that_was_set_back_is_over(scene: Scene) -> None:
    scene.tell()
    now = scene.clock.wall()
    steps.silence(scene.store, scene.rules.allowance("here"), "slow down", now + 3 * 86400, now)
    worker = Worker(scene.store, scene.rules, "me", {"here": [scene.tracker]}, clock=scene.clock)
    worker.start()
    deadline = time.monotonic() + 20
    while scene.store.report.counts(scene.clock.wall()).linked < 1 and time.monotonic() < deadline:
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


def test_a_create_in_doubt_is_not_even_looked_for_before_it_is_over(scene: Scene) -> None:
    scene.tell()
    scene.fail("create", OutcomeUnknown("no answer"))
    scene.sync()
    scene.wait()
    scene.sync()

    assert scene.tracker.calls == ["create"]
    assert scene.state == "in_doubt"
    assert scene.due_in == pytest.approx(20.0, abs=5)
    assert "no answer" in scene.reason


def test_a_create_that_was_carried_out_is_found_and_linked(scene: Scene) -> None:
    scene.doubt(after=True)
    scene.probe()

    assert scene.tracker.calls == ["create", "probe"]
    assert scene.state == "linked"
    assert not scene.sync(), "it shows what it was sent with"


def test_what_came_while_a_create_was_in_doubt_is_shown_afterwards(scene: Scene) -> None:
    scene.doubt(after=True)
    scene.tell(occurrences=99)
    scene.probe()
    scene.clock.advance(2)
    scene.sync()

    assert scene.tracker.calls == ["create", "probe", "look", "comment"]


def test_a_create_that_is_proven_absent_is_sent_again(scene: Scene) -> None:
    scene.doubt()
    for seconds in (0.0, 40.0, 120.0):
        assert len(scene.tracker.issues) == 0
        assert scene.state == "in_doubt"
        scene.probe(seconds)

    assert scene.store.report.groups()[0].issue is None
    scene.sync()
    assert scene.tracker.calls == ["create", "probe", "probe", "probe", "create"]
    assert scene.state == "linked"


def test_a_clock_that_runs_ahead_does_not_hurry_the_proof(scene: Scene) -> None:
    scene.doubt()
    for _ in range(6):
        scene.probe(seconds=1.0)

    assert scene.state == "in_doubt"
    assert scene.tracker.calls.count("create") == 1


def test_a_probe_that_fails_is_no_evidence(scene: Scene) -> None:
    scene.doubt()
    for _ in range(5):
        scene.fail("probe", Unavailable("no connection"))
        scene.probe(100.0)

    assert scene.state == "in_doubt"
    assert steps.load(scene.store, scene.claimed())[1].probes == 0  # type: ignore[union-attr]


def test_what_no_probe_can_tell_is_parked_for_a_person_who_decides(scene: Scene) -> None:
    scene.park()

    assert scene.state == "parked"
    assert scene.rule == "unproven"
    scene.tell(occurrences=50)
    assert not scene.sync()
    (letter,) = scene.store.dead_letters.all()
    assert letter.kind is Kind.PARKED

    assert scene.store.dead_letters.retry(letter, scene.clock.wall())
    scene.tracker.covered = True
    scene.probe_often()
    scene.sync()
    assert scene.state == "linked"
    assert not scene.store.dead_letters.retry(letter, scene.clock.wall())


def test_a_person_who_has_looked_may_say_that_there_is_no_issue(scene: Scene) -> None:
    scene.park()
    (letter,) = scene.store.dead_letters.all()

    assert scene.store.dead_letters.retry(letter, scene.clock.wall(), absent=True)
    scene.sync()
    assert (scene.state, len(scene.tracker.issues)) == ("linked", 1)


def test_a_parked_group_that_is_discarded_needs_nobody_any_more(scene: Scene) -> None:
    scene.park()
    (letter,) = scene.store.dead_letters.all()
    scene.store.dead_letters.discard(letter, scene.clock.wall())

    counts = scene.store.report.counts(scene.clock.wall())
    assert (counts.parked, counts.dropped) == (0, 1)
    assert scene.state == "dropped"


def test_a_second_live_issue_is_reported_and_the_oldest_is_followed(scene: Scene) -> None:
    scene.doubt(after=True)
    scene.tracker.issues.append(scene.tracker.issues[0])
    scene.probe()

    issue = scene.store.report.groups()[0].issue
    assert issue is not None
    assert (issue.key, issue.doubles) == ("K-1", "K-2")
    assert scene.store.report.counts(scene.clock.wall()).doubles == 1


@pytest.mark.parametrize("deleted", [False, True])
def test_a_double_that_people_closed_or_deleted_is_none_any_more(scene: Scene, deleted: bool) -> None:
    scene.doubt(after=True)
    scene.tracker.issues.append(scene.tracker.issues[0])
    scene.probe()
    scene.sync()
    counts = scene.store.report.counts
    assert counts(scene.clock.wall()).doubles == 1, "K-2 is live"

    if deleted:
        scene.tracker.unreadable["K-2"] = Gone("K-2 was deleted")
    else:
        scene.tracker.conditions["K-2"] = Condition(closed=True, resolution="duplicate")
    scene.clock.advance(86400)
    scene.survey()
    scene.sync()

    assert counts(scene.clock.wall()).doubles == 0
    issue = scene.store.report.groups()[0].issue
    assert issue is not None
    assert issue.doubles is None


def test_a_double_that_cannot_be_read_is_kept(scene: Scene) -> None:
    scene.doubt(after=True)
    scene.tracker.issues.append(scene.tracker.issues[0])
    scene.probe()
    scene.tracker.unreadable["K-2"] = OutOfReach("K-2 may not be read")
    scene.clock.advance(86400)
    scene.survey()
    scene.sync()

    assert scene.store.report.counts(scene.clock.wall()).doubles == 1


def test_an_answer_that_comes_after_everything_was_decided_is_kept_as_a_double(scene: Scene) -> None:
    late, second, after = scene.overtake()
    steps.intend(scene.store, second, Intent(marker="m", revision=1), after)
    steps.link(scene.store, second, made(1), after)

    with pytest.raises(LeaseLost):
        steps.link(scene.store, late, made(2), after)
    issue = scene.store.report.groups()[0].issue
    assert issue is not None
    assert (issue.key, issue.doubles) == ("K-1", "K-2")


def test_an_answer_that_comes_after_the_proof_of_absence_is_believed_while_no_other_create_was_sent(
    scene: Scene,
) -> None:
    late, second, after = scene.overtake()
    with pytest.raises(LeaseLost):
        steps.link(scene.store, late, made(1), after)

    assert scene.state == "linked"
    with pytest.raises(LeaseLost):
        steps.intend(scene.store, second, Intent(marker="m", revision=1), after)


def test_an_answer_that_comes_while_another_create_is_under_way_is_kept_as_a_double(scene: Scene) -> None:
    late, second, after = scene.overtake()
    steps.intend(scene.store, second, Intent(marker="m", revision=1), after)
    with pytest.raises(LeaseLost):
        steps.link(scene.store, late, made(1), after)
    steps.link(scene.store, second, made(2), after)

    issue = scene.store.report.groups()[0].issue
    assert issue is not None
    assert (issue.key, issue.doubles) == ("K-2", "K-1")


@pytest.mark.parametrize("pass_time", [MovableClock.advance, MovableClock.suspend, MovableClock.pause])
def test_a_create_that_began_too_late_is_not_sent(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, pass_time: Callable[[MovableClock, float], object]
) -> None:
    """The thread was slow, the machine slept, or the virtual machine was paused."""
    scene.tell()
    send = scene.tracker.create

    def late(draft: Draft) -> Created:
        pass_time(scene.clock, LEASE_SECONDS / 2 + 1)
        draft.require_fresh()
        return send(draft)

    monkeypatch.setattr(scene.tracker, "create", late)
    scene.sync()

    assert scene.tracker.issues == []
    assert scene.due_in is not None
    assert scene.state is None


def test_a_budget_that_is_spent_is_waited_for(scene: Scene) -> None:
    settings = scene.rules.config.trackers["here"].model_copy(update={"writes": [Limit(count=5, seconds=60.0)]})
    config = scene.rules.config.model_copy(update={"trackers": {"here": settings}})
    scene.rules = Routing(config=config, instance_key=scene.rules.instance_key)
    scene.tell(fingerprint="f1")
    scene.tell(fingerprint="f2")
    scene.sync()

    assert scene.opens_in(Call.CREATE) == pytest.approx(12.0, abs=2)
    assert scene.opens_in(Call.PROBE) <= 0
    scene.sync()
    assert len(scene.tracker.issues) == 1
    assert scene.due_in == pytest.approx(12.0, abs=2)


def test_creates_go_before_updates(scene: Scene) -> None:
    scene.tell()
    scene.sync()
    scene.tell(occurrences=9)
    scene.tell(fingerprint="f2")
    scene.sync()

    assert scene.tracker.calls == ["create", "create"]


def test_an_issue_that_was_moved_is_followed_and_its_key_refreshed(scene: Scene) -> None:
    scene.tell()
    scene.sync()
    scene.tracker.moved_to = "NEW-5"
    scene.clock.advance(3700)
    scene.tell(occurrences=9)
    scene.sync()

    issue = scene.store.report.groups()[0].issue
    assert issue is not None
    assert (issue.key, issue.url) == ("NEW-5", "https://example.com/NEW-5")
    assert scene.tracker.calls == ["create", "look", "comment"]


def test_a_tracker_that_tells_of_the_new_place_is_called_there_at_once(scene: Scene) -> None:
    scene.tell()
    scene.sync()
    scene.tell(occurrences=9)
    scene.fail("comment", Moved("moved", "99/3", "other#3", "https://example.com/other/3"))
    scene.sync()
    assert scene.sync()

    issue = scene.store.report.groups()[0].issue
    assert issue is not None
    assert (issue.remote_id, issue.key, issue.synced_revision) == ("99/3", "other#3", 2)


@pytest.mark.parametrize("operation", ["look", "comment"])
def test_a_deleted_issue_is_left_alone_and_says_why(scene: Scene, operation: str) -> None:
    scene.tell()
    scene.sync()
    scene.survey()
    scene.clock.advance(3700)
    scene.tell(occurrences=9)
    scene.fail(operation, Gone("issue K-1 was deleted"))
    scene.sync()
    scene.tell(occurrences=10)
    assert not scene.sync()

    assert scene.state == "dropped"
    counts = scene.store.report.counts(scene.clock.wall())
    assert (counts.parked, counts.dropped, counts.held) == (0, 1, 0)
    (letter,) = scene.store.dead_letters.all()
    assert scene.store.dead_letters.retry(letter, scene.clock.wall())
    scene.sync()
    assert (scene.state, len(scene.tracker.issues)) == ("linked", 2)


def test_a_deleted_issue_is_created_anew_where_the_route_says_so(scene: Scene) -> None:
    routes = [Route(tracker="here", status_interval=1.0, on_deleted="recreate")]
    config = scene.rules.config.model_copy(update={"routes": routes})
    scene.rules = Routing(config=config, instance_key=scene.rules.instance_key)
    scene.tell()
    scene.sync()
    scene.tell(occurrences=9)
    scene.fail("comment", Gone("issue K-1 was deleted"))
    scene.sync()
    scene.sync()

    assert scene.state == "linked"
    first, second = scene.tracker.issues
    assert first.marker != second.marker, "or the old one could be taken for the new one"


def test_an_issue_out_of_reach_waits_for_a_person_and_has_no_double(scene: Scene) -> None:
    scene.tell()
    scene.sync()
    scene.tell(occurrences=9)
    scene.fail("comment", OutOfReach("issue K-1 was moved to where the token may not look"))
    scene.sync()

    assert scene.state == "parked"
    (letter,) = scene.store.dead_letters.all()
    assert scene.store.dead_letters.retry(letter, scene.clock.wall())
    scene.sync()
    assert scene.state == "linked"
    assert scene.tracker.calls == ["create", "look", "comment", "look", "comment"]


@pytest.mark.parametrize(
    "error",
    [Unavailable("no connection"), Throttled("slow down", 30.0), Misconfigured("bad credentials"), Refused("too long")],
)
def test_a_create_that_certainly_did_not_happen_may_be_sent_again(scene: Scene, error: TrackerError) -> None:
    scene.tell()
    scene.fail("create", error)
    scene.sync()

    assert scene.store.report.groups()[0].issue is None
    scene.tell(occurrences=99, callstack=["other"], timestamp=[1000, 3000])  # revives what was buried
    scene.clock.advance(70)  # longer than any of them rests
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
        scene.wait()

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

    assert scene.opens_in(Call.CREATE) == pytest.approx(120.0, abs=5)
    assert scene.opens_in(Call.UPDATE) == pytest.approx(120.0, abs=5)
    assert scene.due_in is not None
    assert scene.due_in <= 0


def test_a_limit_on_one_kind_of_call_leaves_the_others_alone(scene: Scene) -> None:
    scene.tell()
    scene.fail("create", Throttled("slow down", 120.0, narrow=True))
    scene.sync()

    assert scene.opens_in(Call.CREATE) == pytest.approx(120.0, abs=5)
    assert scene.opens_in(Call.UPDATE) <= 0
    standing = scene.store.report.trackers(scene.rules.config.credentials, scene.clock.wall())["here"]
    assert (standing.state, standing.cause, standing.reason) == ("slowed", "throttled", "slow down")


def test_a_misconfigured_tracker_rests_and_says_why_and_its_group_is_not_to_blame(scene: Scene) -> None:
    scene.tell()
    scene.fail("create", Misconfigured("bad credentials"))
    scene.sync()

    standing = scene.store.report.trackers({}, scene.clock.wall())["here"]
    assert (standing.state, standing.cause, standing.reason) == ("paused", "misconfigured", "bad credentials")
    assert scene.opens_in() == pytest.approx(60.0, abs=5)
    assert scene.store.report.counts(scene.clock.wall()).dead == 0
    assert scene.store.outbox.claim("here", "next", scene.clock.wall()) is None
    scene.clock.advance(63)
    claim = scene.store.outbox.claim("here", "next", scene.clock.wall())
    assert claim is not None
    assert (claim.attempts, claim.trial) == (0, True)


def test_after_a_rest_one_group_is_tried_and_the_others_wait_for_what_comes_of_it(scene: Scene) -> None:
    for fingerprint in ("f1", "f2", "f3"):
        scene.tell(fingerprint=fingerprint)
    scene.fail("create", Misconfigured("bad credentials"))
    scene.sync()
    scene.clock.advance(61)
    trial = scene.store.outbox.claim("here", "trial", scene.clock.wall())
    assert trial is not None

    assert not scene.sync()
    scene.fail("create", Misconfigured("still bad"))
    sync(scene.store, scene.tracker, trial, scene.rules, scene.clock)
    assert scene.opens_in() == pytest.approx(120.0, abs=5), "twice as long as the first time"
    assert not scene.sync()

    scene.clock.advance(123)
    assert scene.sync()
    assert scene.opens_in() <= 0
    assert scene.sync()
    assert scene.sync()
    assert scene.store.report.trackers({}, scene.clock.wall())["here"].state == "ok"
    assert len(scene.tracker.issues) == 3


def test_the_group_that_caused_a_rest_is_tried_after_every_other_one(scene: Scene) -> None:
    scene.tell(fingerprint="bad")
    scene.fail("create", Misconfigured("not this one"))
    scene.sync()
    scene.clock.advance(50)
    scene.tell(fingerprint="new")
    scene.clock.advance(20)
    scene.sync()

    assert [draft.group.identity.fingerprint for draft in scene.tracker.issues] == ["new"]
    assert scene.store.report.trackers({}, scene.clock.wall())["here"].state == "ok"


def test_a_new_notification_of_the_group_that_caused_a_rest_brings_it_to_the_front_of_nobody(scene: Scene) -> None:
    scene.tell(fingerprint="bad")
    scene.fail("create", Misconfigured("not this one"))
    scene.sync()
    scene.clock.advance(40)
    scene.tell(fingerprint="bad", occurrences=9)
    scene.clock.advance(10)
    scene.tell(fingerprint="new")
    scene.clock.advance(20)
    scene.sync()

    assert [draft.group.identity.fingerprint for draft in scene.tracker.issues] == ["new"]


@pytest.mark.parametrize("ended_by", ["an operator", "a new start"])
def test_a_rest_that_ends_early_makes_due_at_once_what_caused_it(scene: Scene, ended_by: str) -> None:
    scene.tell()
    scene.fail("create", Misconfigured("bad credentials"))
    scene.sync()
    if ended_by == "an operator":
        scene.store.limits.resume_by_hand("here", "", scene.clock.wall())
    else:
        scene.store.outbox.recover(scene.clock.wall())

    assert scene.sync()
    assert scene.state == "linked"


def test_a_trial_that_had_nothing_to_try_lets_the_next_group_try(scene: Scene) -> None:
    config = scene.rules.config.model_copy(update={"routes": [Route(tracker="here", status_interval=600.0)]})
    scene.rules = Routing(config=config, instance_key=scene.rules.instance_key)
    scene.tell()
    scene.sync()
    scene.tell(occurrences=9)
    claim, now = Claim(group_id=1, tracker="here", owner="x", attempts=0), scene.clock.wall()
    scene.store.write(lambda transaction: rest(transaction, claim, "bad credentials", None, now))
    now = scene.clock.advance(61)
    scene.store.write(lambda transaction: outbox.make_due(transaction, 1, now))

    assert scene.sync(), "its status_interval is not over"
    assert scene.tracker.calls == ["create"]
    assert scene.opens_in() <= 0
    scene.tell(fingerprint="f2")
    assert scene.sync()
    assert scene.store.report.trackers({}, scene.clock.wall())["here"].state == "ok"


def test_what_an_operator_paused_only_an_operator_resumes(scene: Scene) -> None:
    scene.tell()
    claim = scene.store.outbox.claim("here", "in hand", scene.clock.wall())
    assert claim is not None
    scene.store.limits.pause_by_hand("here", "maintenance", scene.clock.wall())

    sync(scene.store, scene.tracker, claim, scene.rules, scene.clock)
    scene.tell(fingerprint="f2")
    assert not scene.sync()
    scene.store.outbox.recover(scene.clock.wall())
    assert not scene.sync()

    assert scene.store.limits.resume_by_hand("here", "tracker here", scene.clock.wall())
    assert scene.sync()
    assert not scene.store.limits.resume_by_hand("here", "tracker here", scene.clock.wall())


def test_what_a_tracker_refuses_is_a_dead_letter_with_its_words(scene: Scene) -> None:
    scene.tell()
    scene.fail("create", Refused("the body is too long"))
    scene.sync()

    (standing,) = scene.store.report.groups()
    assert (standing.decision, standing.reason) == ("dead", "the body is too long")
    scene.tell(occurrences=99)
    assert not scene.sync(), "the same content with other numbers"
    scene.tell(callstack=["shorter"], timestamp=[1000, 3000])
    assert scene.sync()
    assert scene.state == "linked"


def test_what_came_while_a_create_was_being_refused_is_tried(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.tell()

    def refuse(draft: Draft) -> Created:
        scene.tell(callstack=["new"], timestamp=[1000, 3000])
        raise Refused("too long")

    with monkeypatch.context() as patch:
        patch.setattr(scene.tracker, "create", refuse)
        scene.sync()
    assert scene.due_in == pytest.approx(2.0, abs=1)
    scene.clock.advance(60)
    scene.sync()
    assert scene.state == "linked"


def test_an_update_that_is_refused_is_tried_with_the_next_change_and_not_more_often(scene: Scene) -> None:
    scene.tell()
    scene.sync()
    scene.tell(occurrences=9)
    scene.fail("comment", Refused("the issue is locked"))
    scene.sync()
    assert scene.store.report.counts(scene.clock.wall()).dead == 1
    scene.between = 0.0
    scene.tell(occurrences=10)

    assert scene.due_in == pytest.approx(1.0, abs=0.9)
    scene.clock.advance(2)
    scene.clock.advance(2)
    assert scene.sync()
    assert len(scene.tracker.comments) == 1


def test_a_comment_whose_answer_was_lost_is_looked_for_before_another_is_added(scene: Scene) -> None:
    scene.tell()
    scene.sync()
    scene.tell(occurrences=9)
    scene.fail("comment", OutcomeUnknown("no answer"), after=True)
    scene.sync()
    scene.wait()
    scene.sync()

    # Too early to be believed: it may still arrive.
    assert scene.tracker.calls == ["create", "look", "comment", "look"]
    scene.clock.advance(21)
    scene.sync()

    assert scene.tracker.calls == ["create", "look", "comment", "look", "look", "find_comment", "edit_comment"]
    assert len(scene.tracker.comments) == 1


def test_a_comment_that_never_arrived_is_added_once_every_look_was_in_vain(scene: Scene) -> None:
    scene.tell()
    scene.sync()
    scene.tell(occurrences=9)
    scene.fail("comment", OutcomeUnknown("no answer"))
    scene.sync()
    for seconds in (21, 41, 121):
        scene.clock.advance(seconds)
        scene.sync()

    calls = [call for call in scene.tracker.calls if call != "look"]
    assert calls == ["create", "comment", *["find_comment"] * 3, "comment"]
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


def test_a_worker_that_lost_its_lease_before_the_call_does_not_call(scene: Scene) -> None:
    scene.tell()
    late = scene.store.outbox.claim("here", "late", scene.clock.wall())
    assert late is not None
    scene.store.outbox.claim("here", "next", scene.clock.wall() + LEASE_SECONDS + 1)

    with pytest.raises(LeaseLost):
        sync(scene.store, scene.tracker, late, scene.rules, scene.clock)
    assert scene.tracker.calls == []


def test_an_issue_is_brought_up_to_date_once_in_an_interval(scene: Scene) -> None:
    scene.between = 0.0
    config = scene.rules.config.model_copy(update={"routes": [Route(tracker="here", status_interval=600.0)]})
    scene.rules = Routing(config=config, instance_key=scene.rules.instance_key)
    scene.tell()
    scene.sync()
    for occurrences in range(10, 60):
        scene.tell(occurrences=occurrences)
        scene.sync()

    assert scene.tracker.calls == ["create"]
    assert scene.due_in == pytest.approx(600.0, abs=5)
    scene.clock.advance(601)
    scene.sync()
    assert scene.tracker.calls == ["create", "look", "comment"]
    assert not scene.sync()


def test_a_bug_in_one_group_is_set_aside_and_the_others_go_on(scene: Scene) -> None:
    scene.tell(fingerprint="poisoned")
    scene.fail("create", ZeroDivisionError("a bug"))
    worker = Worker(scene.store, scene.rules, "me", {"here": [scene.tracker]}, clock=scene.clock)
    worker.start()
    accept(scene.store, crash_notification("healthy"), at=scene.clock.wall())
    worker.arrived(Identity("acme", "game", "healthy"))
    deadline = time.monotonic() + 20
    while scene.store.report.counts(scene.clock.wall()).linked < 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    worker.stop()

    states = {view.group.identity.fingerprint: view for view in scene.store.report.groups()}
    assert states["healthy"].issue is not None
    assert states["poisoned"].issue is not None
    assert states["poisoned"].issue.state.value == "in_doubt"
    assert "ZeroDivisionError" in states["poisoned"].reason
    assert scene.tracker.calls[-1] == "close"


def test_what_waits_between_two_tries_ends_at_once_when_the_daemon_is_asked_to_stop() -> None:
    stopping = threading.Event()
    connection = FailingConnection([Unavailable("no connection")] * 3, sleep_until(stopping))
    stopping.set()

    with pytest.raises(Unavailable, match="syncd is stopping"):
        connection.send_idempotent("GET", "issues")
    assert connection.count == 1


@pytest.mark.parametrize("failure", [Throttled("rate limit", 200_000.0), Misconfigured("captcha", 200_000.0)])
def test_a_silence_of_days_also_holds_on_a_machine_whose_clock_is_behind(scene: Scene, failure: TrackerError) -> None:
    scene.tell()
    scene.fail("create", failure)
    scene.sync()
    scene.clock.advance(-30.0)

    assert scene.opens_in() > 86_000.0
    assert not scene.sync()
