import threading
from dataclasses import replace
from functools import partial

import psycopg
import pytest

from syncd.config import Config, LocalSettings, Route, StoreSettings
from syncd.config.routes import Match
from syncd.core.budget import HORIZON_SECONDS
from syncd.core.plan import DueCall
from syncd.errors import LeaseLost
from syncd.model import Action, Call, Created, Issue, IssueState, Plan
from syncd.store import Store, limits, outbox, storms
from syncd.store.issues import Intent
from syncd.store.limits import Floor
from syncd.store.outbox import LEASE_SECONDS, Claim
from syncd.store.report import left_behind
from syncd.store.sqlite.file import sqlite3
from syncd.worker import reconcile
from syncd.worker.absorb import absorb as absorb_batch
from syncd.worker.create import FLOOR_SECONDS, PASSED_SECONDS
from syncd.worker.routing import Routing
from tests.store import steps
from tests.store.filled import NOW, absorb, accept, claimed, crash_notification, owed
from tests.store.raw import change

CREATE = Plan(action=Action.CREATE, reason="the group has no issue yet")
DONE = Plan(action=Action.NOTHING, reason="all is shown")
ISSUE = Created(remote_id="7", key="acme/game#7", url="https://example.com/7", number=7)


def issue_of(store: Store, claim: Claim) -> Issue | None:
    return steps.load(store, claim)[1]


def test_a_group_is_claimed_by_one_only(store: Store) -> None:
    owed(store, *(f"f{number}" for number in range(40)))
    taken: list[int] = []

    def take(owner: str) -> None:
        while claim := store.outbox.claim("here", owner, NOW):
            taken.append(claim.group_id)

    threads = [threading.Thread(target=take, args=(f"owner{number}/here",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == sorted(set(taken))
    assert len(taken) == 40


def test_a_claim_is_for_one_tracker(store: Store) -> None:
    owed(store)

    assert store.outbox.claim("elsewhere", "one/x", NOW) is None
    assert not store.read(partial(outbox.next_due, tracker="elsewhere"))
    assert min(store.read(partial(outbox.next_due, tracker="here")).values()) == NOW


def test_a_dead_owners_group_comes_back_after_its_lease_and_its_create_is_in_doubt(store: Store) -> None:
    owed(store)
    first = claimed(store)
    steps.intend(store, first, Intent(marker="m", revision=1), NOW)

    assert store.outbox.claim("here", "two/here", NOW + LEASE_SECONDS - 1) is None
    second = claimed(store, "two/here", NOW + LEASE_SECONDS + 1)

    issue = issue_of(store, second)
    assert issue is not None
    assert issue.state is IssueState.IN_DOUBT
    with pytest.raises(LeaseLost):
        steps.settle(store, first, DONE, None, 1, NOW, NOW)


def test_an_owner_that_was_taken_over_cannot_intend(store: Store) -> None:
    owed(store)
    first = claimed(store)
    claimed(store, "two/here", NOW + LEASE_SECONDS + 1)

    with pytest.raises(LeaseLost):
        steps.intend(store, first, Intent(marker="m", revision=1), NOW + LEASE_SECONDS + 2)


def test_a_late_answer_still_links_the_issue_it_speaks_of(store: Store) -> None:
    owed(store)
    first = claimed(store)
    steps.intend(store, first, Intent(marker="m", revision=1), NOW)
    second = claimed(store, "two/here", NOW + LEASE_SECONDS + 1)

    with pytest.raises(LeaseLost):
        steps.link(store, first, ISSUE, NOW + LEASE_SECONDS + 2)

    issue = issue_of(store, second)
    assert issue is not None
    assert (issue.state, issue.key) == (IssueState.LINKED, "acme/game#7")


def test_a_group_with_an_issue_or_one_in_doubt_is_never_intended_again(store: Store) -> None:
    owed(store, "linked", "doubtful")
    for _ in range(2):
        claim = claimed(store)
        steps.intend(store, claim, Intent(marker="m", revision=1), NOW)
        if steps.load(store, claim)[0].identity.fingerprint == "linked":
            steps.link(store, claim, ISSUE, NOW)
        else:
            steps.end_intent(store, claim, IssueState.IN_DOUBT, "no answer", NOW)
        with pytest.raises(LeaseLost, match="already has an issue"):
            steps.intend(store, claim, Intent(marker="m", revision=1), NOW)


def test_the_database_itself_refuses_a_second_live_issue(store: Store, settings: StoreSettings) -> None:
    owed(store)
    claim = claimed(store)
    steps.intend(store, claim, Intent(marker="m", revision=1), NOW)

    with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError)):
        change(
            settings,
            "INSERT INTO issues (group_id, tracker, state, marker, attempt, floor, synced_revision) "
            "VALUES (?, 'here', 'wanted', 'n', 0, 0, 0)",
            claim.group_id,
        )


def test_a_refused_create_may_be_tried_again_as_another_attempt(store: Store) -> None:
    owed(store)
    claim = claimed(store)
    steps.intend(store, claim, Intent(marker="m", revision=1), NOW)
    steps.end_intent(store, claim, IssueState.WANTED, "no connection", NOW)
    steps.intend(store, claim, Intent(marker="m", revision=1), NOW + 1)

    issue = issue_of(store, claim)
    assert issue is not None
    assert (issue.attempt, issue.sent_at, issue.state) == (2, NOW + 1, IssueState.INTENDED)


def test_an_intent_remembers_the_highest_number_known(store: Store) -> None:
    store.connection.write(lambda transaction: limits.raise_floor(transaction, "here", ISSUE.number - 1, NOW))
    owed(store, "a", "b")
    first = claimed(store)
    steps.intend(store, first, Intent(marker="m", revision=1), NOW)
    steps.link(store, first, ISSUE, NOW)
    second = claimed(store)
    steps.intend(store, second, Intent(marker="n", revision=1), NOW)

    issue = issue_of(store, second)
    assert issue is not None
    assert issue.floor == 7


@pytest.mark.parametrize(("number", "floor", "read_at"), [(7, 7, NOW), (8, 6, NOW - FLOOR_SECONDS + PASSED_SECONDS)])
def test_numbers_that_others_took_are_read_soon(store: Store, number: int, floor: int, read_at: float) -> None:
    store.connection.write(lambda transaction: limits.raise_floor(transaction, "here", 6, NOW, highest=True))
    owed(store)
    claim = claimed(store)
    steps.intend(store, claim, Intent(marker="m", revision=1), NOW)
    steps.link(store, claim, replace(ISSUE, number=number), NOW)

    assert store.read(lambda transaction: limits.floor(transaction, "here")) == Floor(number=floor, read_at=read_at)


def test_settled_means_nothing_is_owed(store: Store) -> None:
    owed(store)
    claim = claimed(store)
    group, _ = steps.load(store, claim)
    steps.settle(store, claim, CREATE, "acme/game#7", group.revision, NOW, NOW)

    assert not store.read(partial(outbox.next_due, tracker="here"))
    (standing,) = store.report.groups()
    assert standing.decision == "create"


def test_a_change_during_a_sync_is_not_lost(store: Store) -> None:
    owed(store)
    claim = claimed(store)
    group, _ = steps.load(store, claim)
    accept(store, crash_notification(occurrences=99))
    absorb(store)
    steps.settle(store, claim, CREATE, "acme/game#7", group.revision, NOW + 900, NOW)

    assert min(store.read(partial(outbox.next_due, tracker="here")).values()) == NOW + 900


def test_a_postponed_group_waits_for_its_time_even_if_it_changes(store: Store) -> None:
    owed(store)
    steps.postpone(store, claimed(store), CREATE, "no connection", NOW + 60, 1, NOW)
    accept(store, crash_notification(occurrences=99))
    absorb(store)

    assert min(store.read(partial(outbox.next_due, tracker="here")).values()) == NOW + 60
    assert store.outbox.claim("here", "two/here", NOW + 59) is None
    assert claimed(store, "two/here", NOW + 61).attempts == 1
    (standing,) = store.report.groups()
    assert "no connection" in standing.reason


def test_a_dead_letter_is_visible_and_revived_by_a_change(store: Store) -> None:
    owed(store)
    steps.bury(store, claimed(store), CREATE, "GitHub says no", None, NOW)

    assert store.report.counts(NOW).dead == 1
    assert not store.read(partial(outbox.next_due, tracker="here"))
    (standing,) = store.report.groups()
    assert (standing.decision, standing.reason) == ("dead", "GitHub says no")

    accept(store, crash_notification(occurrences=99))
    absorb(store)

    assert store.report.counts(NOW).dead == 0
    assert claimed(store).attempts == 0


def test_a_due_time_from_a_clock_that_was_set_back_is_healed(store: Store) -> None:
    owed(store)
    steps.postpone(store, claimed(store), CREATE, "later", NOW + HORIZON_SECONDS + 3600, 1, NOW)

    assert store.outbox.claim("here", "one/here", NOW) is None
    assert min(store.read(partial(outbox.next_due, tracker="here")).values()) == NOW


def test_what_dead_processes_held_is_free_at_once_and_their_creates_are_in_doubt(store: Store) -> None:
    owed(store, "a", "b", "c")
    dying, living = claimed(store, "dead/here"), claimed(store, "alive/here")
    steps.intend(store, dying, Intent(marker="m", revision=1), NOW)
    steps.intend(store, living, Intent(marker="n", revision=1), NOW)
    claimed(store, "dead/here-2")

    dead = store.outbox.take_over(lambda _: lambda owner: owner.startswith("dead"), NOW + 1)

    assert sorted(dead) == ["dead/here", "dead/here-2"]
    assert [issue.state for claim in (dying, living) if (issue := issue_of(store, claim))] == [
        IssueState.IN_DOUBT,
        IssueState.INTENDED,
    ]
    assert min(store.read(partial(outbox.next_due, tracker="here")).values()) == NOW + 1


def test_a_new_configuration_judges_groups_without_an_issue_anew(store: Store, settings: StoreSettings) -> None:
    accept(
        store, crash_notification("held", project="unrouted"), crash_notification("routed"), crash_notification("filed")
    )
    absorb(store)
    for _ in range(2):
        claim = claimed(store)
        if steps.load(store, claim)[0].identity.fingerprint == "filed":
            steps.intend(store, claim, Intent(marker="m", revision=1), NOW)
            steps.link(store, claim, ISSUE, NOW)
        steps.settle(store, claim, DONE, None, 1, NOW, NOW)

    route = Route(tracker="elsewhere", match=Match(project=["unrouted"]))
    there = LocalSettings(kind="local", folder="unused")
    config = Config(store=settings, trackers={"elsewhere": there}, routes=[route])
    elsewhere = Routing(config=config, instance_key="")
    assert reconcile.reroute(store, elsewhere, "second", NOW) == 2
    assert reconcile.reroute(store, elsewhere, "second", NOW) == 0
    rules = {listed.group.identity.fingerprint: listed.rule for listed in store.report.groups()}
    assert rules["routed"] == "unrouted"
    assert min(store.read(partial(outbox.next_due, tracker="elsewhere")).values()) == NOW
    assert not store.read(partial(outbox.next_due, tracker="here"))


def test_facts_about_a_tracker_are_kept_apart(store: Store) -> None:
    store.notebook("a").note("repository_id", "1")
    store.notebook("a").note("repository_id", "2")

    assert store.notebook("a").recall("repository_id") == "2"
    assert store.notebook("b").recall("repository_id") is None


def test_the_instance_key_is_made_once(store: Store) -> None:
    assert store.instance_key() == store.instance_key()
    assert len(bytes.fromhex(store.instance_key())) == 32


def test_history_tells_every_step_but_not_the_same_decision_twice(store: Store) -> None:
    owed(store)
    for _ in range(3):
        claim = claimed(store)
        steps.postpone(store, claim, CREATE, "no connection", NOW, 1, NOW)
    steps.settle(store, claimed(store), CREATE, "acme/game#7", 1, NOW, NOW)

    (listed,) = store.lists.by_fingerprint("f1")
    past = store.report.history(listed.id)
    assert [(view.action, view.outcome) for view in past] == [("create", "acme/game#7")] + [
        ("create", "no connection")
    ] * 3


def test_a_tracker_that_groups_wait_for_in_vain_is_told(store: Store) -> None:
    owed(store)

    assert left_behind(store.report.owed(NOW), ["here"]) == {}
    assert left_behind(store.report.owed(NOW), ["elsewhere"])["here"].state == "missing"


AFTER = NOW + LEASE_SECONDS + 1


def overtaken(store: Store) -> tuple[Claim, Claim]:
    """A claim whose create outlived its lease, and whose group has changed since; and the claim of whoever took over."""
    owed(store)
    late = claimed(store)
    steps.intend(store, late, Intent(marker="m", revision=1), NOW)
    accept(store, crash_notification(occurrences=99))
    absorb(store)
    return late, claimed(store, "two/here", AFTER)


def test_what_came_while_a_create_outlived_its_lease_is_owed_again(store: Store) -> None:
    late, second = overtaken(store)
    steps.settle(store, second, Plan(action=Action.HOLD, reason="in doubt"), None, 2, AFTER, AFTER)
    with pytest.raises(LeaseLost):
        steps.link(store, late, ISSUE, AFTER)

    assert min(store.read(partial(outbox.next_due, tracker="here")).values()) == AFTER


def test_a_late_link_is_seen_by_whoever_settles_after_it(store: Store) -> None:
    late, second = overtaken(store)
    with pytest.raises(LeaseLost):
        steps.link(store, late, ISSUE, AFTER)
    steps.settle(store, second, Plan(action=Action.HOLD, reason="in doubt"), None, 2, AFTER, AFTER)

    assert min(store.read(partial(outbox.next_due, tracker="here")).values()) == AFTER


def test_only_a_tracker_that_holds_no_issue_forgets_where_it_was(store: Store) -> None:
    owed(store)
    claim = claimed(store)
    steps.intend(store, claim, Intent(marker="m", revision=1), NOW)
    for name in ("here", "elsewhere"):
        store.notebook(name).note("home", "somewhere")
        store.write(partial(limits.raise_floor, tracker=name, number=70, now=NOW, highest=True))
    store.outbox.recover(NOW)

    assert store.notebook("here").recall("home") == "somewhere"
    assert store.notebook("elsewhere").recall("home") is None
    assert store.read(partial(limits.floor, tracker="here")).number == 70
    assert store.read(partial(limits.floor, tracker="elsewhere")).number == 0, (
        "numbers of another place would hide what is made below them"
    )


def test_a_group_whose_route_changed_while_it_was_claimed_follows_it_with_its_next_change(store: Store) -> None:
    owed(store)
    claim = claimed(store)
    steps.postpone(store, claim, CREATE, "no connection", NOW, 0, NOW)
    store.connection.write(
        lambda transaction: transaction.batch("owe", [(claim.group_id, "there", NOW, Call.CREATE, None)])
    )

    assert store.read(partial(outbox.next_due, tracker="there"))
    assert not store.read(partial(outbox.next_due, tracker="here"))


def make_due(store: Store, claim: Claim, at: float, tracker: str = "here") -> None:
    due = DueCall(tracker=tracker, due_at=at)
    store.write(lambda transaction: outbox.owe(transaction, {claim.group_id: due}))


def test_a_claimed_group_that_is_made_due_is_due_again_after_its_claim(store: Store) -> None:
    owed(store)
    claim = claimed(store)
    make_due(store, claim, NOW + 60)
    make_due(store, claim, NOW + 30)
    steps.settle(store, claim, DONE, None, 1, NOW + 900, NOW)

    assert store.read(partial(outbox.next_due, tracker="here")) == {Call.CREATE: NOW + 30}
    again = claimed(store, now=NOW + 30)
    steps.settle(store, again, DONE, None, 1, NOW + 900, NOW)
    assert not store.read(partial(outbox.next_due, tracker="here"))


def test_a_failed_call_keeps_its_back_off_and_the_new_tracker_of_its_group(store: Store) -> None:
    owed(store)
    claim = claimed(store)
    make_due(store, claim, NOW, tracker="there")
    steps.postpone(store, claim, CREATE, "no connection", NOW + 60, 1, NOW)

    assert min(store.read(partial(outbox.next_due, tracker="there")).values()) == NOW + 60


def test_the_thresholds_that_a_group_met_are_stored_with_it(store: Store, settings: StoreSettings) -> None:
    route = Route(tracker="here", min_occurrences=3, within=3600.0)
    here = LocalSettings(kind="local", folder="unused")
    rules = Routing(config=Config(store=settings, trackers={"here": here}, routes=[route]), instance_key="")
    accept(store, crash_notification(occurrences=3))
    absorb_batch(store, rules, NOW)
    claim = claimed(store)

    assert [met.occurrences for met in steps.load(store, claim)[0].met] == [3]


def test_a_place_in_the_limit_is_kept_until_the_group_is_held_again(store: Store) -> None:
    owed(store)
    claim = claimed(store)
    store.write(lambda transaction: storms.keep_place(transaction, claim.group_id, "main"))
    assert store.read(lambda transaction: storms.counts(transaction, "main")) == (0, 1)
    steps.postpone(store, claim, CREATE, "no connection", NOW + 60, 1, NOW)
    assert store.read(lambda transaction: storms.counts(transaction, "main")) == (0, 1)

    hold = Plan(action=Action.HOLD, reason="an operator holds it", rule="on-hold")
    store.write(lambda transaction: outbox.decide(transaction, claim.group_id, hold, None, NOW))
    assert store.read(lambda transaction: storms.counts(transaction, "main")) == (0, 0)
