"""Dead letters, parked and dropped groups, and deliveries put back."""

import json
from collections.abc import Mapping
from functools import partial

import pytest

from syncd.config import StoreSettings
from syncd.model import Call
from syncd.store import Store, outbox
from syncd.store.dead_letters import DeadLetter, Kind
from tests.store.filled import NOW, absorb, accept, crash_notification
from tests.store.raw import change
from tests.store.stuck import doubtful, linked, parked, refused, update_refused


def only(store: Store) -> DeadLetter:
    (letter,) = store.dead_letters.all()
    return letter


def owed(store: Store) -> Mapping[Call, float]:
    return store.read(partial(outbox.next_due, tracker="here"))


def test_a_dead_letter_has_its_trackers_words_and_no_issue(store: Store) -> None:
    refused(store, "f1", "the body is too long")

    letter = only(store)
    assert (letter.kind, letter.reason, letter.tracker) == (Kind.DEAD, "the body is too long", "here")
    assert (letter.universe, letter.project, letter.fingerprint) == ("acme", "game", "f1")
    assert (letter.issue, letter.cause, letter.since) == (None, None, NOW)


def test_a_dead_update_knows_its_issue(store: Store) -> None:
    update_refused(store, "f1", 7, "the issue is locked")

    letter = only(store)
    assert letter.issue is not None
    assert (letter.kind, letter.issue.key, letter.reason) == (Kind.DEAD, "K-7", "the issue is locked")


def test_another_try_of_a_dead_letter_forgets_that_its_content_was_refused(store: Store) -> None:
    refused(store, "f1", "too long")
    (standing,) = store.report.groups()
    assert standing.group.refused is not None

    assert store.dead_letters.retry(only(store), NOW + 5)
    assert store.dead_letters.all() == []
    assert owed(store) == {Call.CREATE: NOW + 5}
    assert store.report.groups()[0].group.refused is None


def test_a_letter_that_went_on_by_itself_is_left_as_it_is(store: Store) -> None:
    refused(store, "f1", "too long")
    letter = only(store)
    store.dead_letters.discard(letter, NOW)
    before = store.report.groups()

    assert not store.dead_letters.retry(letter, NOW + 5)
    assert not store.dead_letters.discard(letter, NOW + 5)
    assert store.report.groups() == before
    assert before[0].group.refused is not None


def test_a_discarded_dead_letter_comes_back_with_another_content_only(store: Store) -> None:
    refused(store, "f1", "too long")
    assert store.dead_letters.discard(only(store), NOW)

    assert store.dead_letters.all() == []
    (standing,) = store.report.groups()
    assert (standing.decision, standing.reason) == ("drop", "discarded by an operator: too long")
    accept(store, crash_notification("f1", callstack=["shorter"], occurrences=9))
    absorb(store)
    assert owed(store) == {Call.CREATE: NOW}


def test_a_create_in_doubt_is_looked_for_from_the_beginning(store: Store) -> None:
    parked(store, doubtful(store, "f1", probes=2), "doubt", "3 probes found no issue")
    letter = only(store)
    assert (letter.kind, letter.cause, letter.issue) == (Kind.PARKED, "doubt", None)

    assert store.dead_letters.retry(letter, NOW + 5)
    assert owed(store) == {Call.PROBE: NOW + 5}
    issue = store.report.groups()[0].issue
    assert issue is not None
    assert (issue.state, issue.probes, issue.probe_at) == ("in_doubt", 0, NOW + 5)


def test_a_create_that_a_person_has_looked_for_in_vain_is_sent_anew(store: Store) -> None:
    parked(store, doubtful(store, "f1"), "doubt", "3 probes found no issue")

    assert store.dead_letters.retry(only(store), NOW + 5, absent=True)
    assert owed(store) == {Call.CREATE: NOW + 5}
    assert store.report.groups()[0].issue is None


@pytest.mark.parametrize("absent", [False, True])
def test_an_issue_that_is_out_of_reach_is_created_anew_only_if_a_person_says_that_it_does_not_exist(
    store: Store, absent: bool
) -> None:
    parked(store, linked(store, "f1", 7), "out of reach", "moved to where the token may not look")

    assert store.dead_letters.retry(only(store), NOW + 5, absent=absent)
    assert owed(store) == {Call.CREATE if absent else Call.UPDATE: NOW + 5}
    issue = store.report.groups()[0].issue
    assert (issue and (issue.state, issue.key)) == (None if absent else ("linked", "K-7"))


def test_a_deleted_issue_stays_deleted_whatever_is_discarded_and_is_created_anew_on_request(store: Store) -> None:
    parked(store, linked(store, "f1", 7), "deleted", "K-7 was deleted")
    letter = only(store)
    assert (letter.kind, letter.cause) == (Kind.DROPPED, "deleted")
    assert not store.dead_letters.discard(letter, NOW)
    assert only(store) == letter

    assert store.dead_letters.retry(letter, NOW + 5)
    assert owed(store) == {Call.CREATE: NOW + 5}


def test_a_discarded_letter_says_so_and_can_be_retried(store: Store) -> None:
    parked(store, doubtful(store, "f1"), "doubt", "3 probes found no issue")
    assert store.dead_letters.discard(only(store), NOW + 1)

    letter = only(store)
    assert (letter.kind, letter.cause) == (Kind.DROPPED, "discarded")
    assert letter.reason == "discarded by an operator: 3 probes found no issue"
    assert store.report.counts(NOW).parked == 0
    assert store.dead_letters.retry(letter, NOW + 5)
    assert owed(store) == {Call.PROBE: NOW + 5}


def test_groups_are_found_by_a_beginning_in_either_case(store: Store) -> None:
    accept(store, crash_notification("AbC1"), crash_notification("abd2"), crash_notification("xyz", project="other"))
    absorb(store)

    identities = [listed.standing.group.identity for listed in store.lists.by_fingerprint("AB")]
    assert [(identity.project, identity.fingerprint) for identity in identities] == [("game", "AbC1"), ("game", "abd2")]
    assert store.lists.by_fingerprint("b") == []


def test_deliveries_are_replayed_page_by_page_in_the_order_of_arrival(store: Store) -> None:
    accept(store, *(crash_notification(f"f{number}") for number in range(5)), at=NOW)
    accept(store, crash_notification("late"), at=NOW + 100)
    absorb(store)
    accept(store, crash_notification("waiting"), at=NOW + 200)

    first = store.dead_letters.replayable(0, 0.0, None, 4)
    second = store.dead_letters.replayable(first[-1].id, 0.0, None, 4)
    assert [kept.fingerprint for kept in first + second] == ["f0", "f1", "f2", "f3", "f4", "late"]
    assert [kept.fingerprint for kept in store.dead_letters.replayable(0, NOW + 50, None)] == ["late"]
    (listed,) = store.lists.by_fingerprint("f3")
    assert [kept.fingerprint for kept in store.dead_letters.replayable(0, 0.0, listed.id)] == ["f3"]


def test_deliveries_put_back_that_say_the_same_change_nothing(store: Store) -> None:
    accept(store, crash_notification("f1"), crash_notification("f1"), crash_notification("f1", occurrences=9))
    absorb(store)
    claim = store.outbox.claim("here", "one/here", NOW)
    assert claim is not None
    before = store.report.groups()

    numbers = [kept.id for kept in store.dead_letters.replayable(0, 0.0, None)]
    assert store.dead_letters.replay(numbers, NOW) == 3
    assert store.report.counts(NOW).inbox_waiting == 3
    assert store.dead_letters.replay(numbers, NOW) == 0, "they wait already"
    absorb(store)
    assert store.report.groups() == before
    assert store.report.counts(NOW).inbox_waiting == 0


def test_a_delivery_that_was_misread_counts_anew_as_it_is_read_now(store: Store, settings: StoreSettings) -> None:
    accept(store, crash_notification("f1", application="misread"))
    absorb(store)
    change(
        settings, "UPDATE deliveries SET body = ?", json.dumps(crash_notification("f1", application="right")).encode()
    )

    store.dead_letters.replay([kept.id for kept in store.dead_letters.replayable(0, 0.0, None)], NOW)
    absorb(store)
    (standing,) = store.report.groups()
    assert (standing.group.application, standing.group.notifications) == ("right", 1)
